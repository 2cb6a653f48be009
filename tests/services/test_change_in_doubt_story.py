"""A mail that may have arrived, and then the outage changes: whoever was told hears of it, nobody hears of it alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import ask_providers, run_outage
from outage_notify.store import claims
from tests.factories.world import World

S = DeliveryState
GRACE = timedelta(seconds=151)
INTERVAL = timedelta(seconds=61)
# The mail was taken and the answer lost; or it never left. Nobody here can tell the two apart.
LOST = [pytest.param("lost_mail_answer", 2, id="taken"), pytest.param("dropped_mail", 1, id="never left")]
Change = Callable[[World, str], object]


def cancel(city: World, reference: str) -> object:
    return run_outage.cancel(city.rt, "petra", reference, "not needed")


def revise(city: World, reference: str) -> object:
    return city.revised(reference, days=12)


CHANGES = [
    pytest.param(cancel, NoticeKind.CANCELLED, id="cancel"),
    pytest.param(revise, NoticeKind.CHANGED, id="revise"),
]


def in_doubt(city: World, lost: str) -> tuple[str, str]:
    """A customer whose first notice, a mail, is in doubt; and the outage."""
    home = city.customer(sms=None, voice=None)
    city.script({"channel": "email", "times": 1, "do": lost})
    reference = city.approved()
    city.first_wave()
    assert city.deliveries(home)[0].state is S.IN_DOUBT
    return home, reference


def come_to_rest(city: World) -> None:
    for wait in (GRACE, INTERVAL, INTERVAL):
        city.turn_to(city.now() + wait)
        city.reconcile()
        city.work()


def sent(city: World, customer: str) -> list[tuple[str, str]]:
    """(kind, state) of what a customer was told or may have been."""
    return [(kind, state) for kind, _, state in city.story(customer) if state not in {"WITHDRAWN", "READY"}]


@pytest.mark.parametrize(("change", "news"), CHANGES)
@pytest.mark.parametrize(("lost", "times"), LOST)
def test_in_doubt_when_the_change_comes(
    city: World, lost: str, times: int, change: Change, news: NoticeKind
) -> None:
    home, reference = in_doubt(city, lost)
    change(city, reference)
    city.work()
    # Nobody knows yet whether there is anything to take back.
    assert len(city.ledger()) == times - 1
    come_to_rest(city)
    assert sent(city, home) == [("SEVEN_DAY", "ACCEPTED"), (news.value, "ACCEPTED")]
    first, second = city.ledger()
    assert (first["times"], second["times"]) == (times, 1)
    assert city.reconcile().holds


@pytest.mark.parametrize(("change", "news"), CHANGES)
@pytest.mark.parametrize(("lost", "times"), LOST)
def test_queued_to_be_repeated_when_the_change_comes(
    city: World, lost: str, times: int, change: Change, news: NoticeKind
) -> None:
    home, reference = in_doubt(city, lost)
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().resent == 1
    waiting = city.deliveries(home)[0]
    assert (waiting.state, waiting.doubt_since is None) == (S.READY, False)
    change(city, reference)
    # It can't be taken back like an ordinary unsent one.
    assert city.deliveries(home)[0].state is S.IN_DOUBT
    come_to_rest(city)
    assert sent(city, home) == [("SEVEN_DAY", "ACCEPTED"), (news.value, "ACCEPTED")]
    first, second = city.ledger()
    assert (first["times"], second["times"]) == (times, 1)
    assert city.reconcile().holds


def test_while_the_mail_server_defers_nothing_is_guessed(city: World) -> None:
    home, reference = in_doubt(city, "lost_mail_answer")
    city.script({"channel": "email", "do": {"smtp": "defer"}})
    cancel(city, reference)
    come_to_rest(city)
    assert sent(city, home) == [("SEVEN_DAY", "IN_DOUBT")]
    assert len(city.ledger()) == 1
    city.script()
    come_to_rest(city)
    assert sent(city, home) == [("SEVEN_DAY", "ACCEPTED"), ("CANCELLED", "ACCEPTED")]
    assert len(city.ledger()) == 2


def test_what_was_never_handed_in_is_withdrawn_and_nobody_hears_of_the_change(city: World) -> None:
    """The counterpart: without a doubt nothing goes out any more."""
    city.customer(sms=None, voice=None)
    reference = city.approved()
    cancel(city, reference)
    city.first_wave()
    come_to_rest(city)
    assert city.ledger() == []
    assert set(city.states()) == {S.WITHDRAWN}


def test_a_worker_that_wakes_up_under_the_repeated_mail_does_not_take_it_back(
    city: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It slept through its lease before it called; meanwhile the outage was cancelled and the mail handed in again."""
    home = city.customer(sms=None, voice=None)
    reference = city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    lease = timedelta(seconds=60)
    with city.rt.database.write() as session:
        now = city.rt.now(session)
        (held,) = claims.claim(session, Channel.EMAIL, "w", now, lease, 10)
        assert claims.begin(session, held, "w", "smtp", now, lease)
    cancel(city, reference)
    handed_in = ask_providers._repeated

    def wakes_up(*args: Any) -> Any:
        answer = handed_in(*args)
        with city.rt.database.write() as session:
            claims.unbegin(session, held, city.rt.now(session))
        city.work()
        return answer

    monkeypatch.setattr(ask_providers, "_repeated", wakes_up)
    for _ in range(2):
        city.turn_to(city.now() + GRACE)
        city.reconcile()
    monkeypatch.undo()
    come_to_rest(city)
    assert sent(city, home) == [("SEVEN_DAY", "ACCEPTED"), ("CANCELLED", "ACCEPTED")]
    assert len(city.ledger()) == 2
    assert city.reconcile().holds
