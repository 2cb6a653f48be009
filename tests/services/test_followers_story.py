"""Keep me told: the whole story against the simulated provider, from the code to oblivion."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select

from channels.email import SmtpSender, SmtpServer
from channels.model import Channel, Language, Message
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import follow, plan_outage, publish_map, run_outage, tell_followers
from outage_notify.services.follow import Confirmed
from outage_notify.store.delivery_tables import Delivery, ProviderReport
from outage_notify.store.follower_tables import Follower
from tests.factories.people import START
from tests.factories.world import World, world

NUMBER, MAIL = "+493023125999", "curious@example.com"


def yes(street: str, house: str, houses: int) -> bool:
    return True


def ask(city: World, address: str = NUMBER, language: Language = Language.EN, **what: str) -> int:
    return follow.ask(city.rt, publish_map.public_list(city.rt), address, language, yes, **what)


def code(city: World, address: str = NUMBER) -> str:
    """What the provider delivered there last."""
    tell_followers.send_codes(city.rt)
    found = re.search(r"\b\d{6}\b", city.ledger(address)[-1]["text"])
    assert found is not None
    return found[0]


def follows(city: World, address: str = NUMBER, **what: str) -> None:
    asked = ask(city, address, **what)
    city.pass_time(minutes=1)
    assert follow.confirm(city.rt, asked, code(city, address)) is Confirmed.YES


def ring(city: World) -> None:
    tell_followers.follow_due(city.rt)
    city.pass_time(minutes=2)
    city.work()


def news(city: World, address: str = NUMBER) -> list[str]:
    """What an address was told, without its codes."""
    return [one["text"] for one in city.ledger(address) if "code is" not in one["text"]]


def rows(city: World, model: Any) -> int:
    with city.rt.database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("address", [NUMBER, MAIL])
def test_a_follower_is_told_each_step_once_and_nobody_else_is(city: World, address: str) -> None:
    customer = city.customer()
    reference = city.approved()
    follows(city, address, reference=reference)
    ring(city)
    assert news(city, address) == [], "what was said before is not told"
    city.pass_time(minutes=5)
    city.revised(reference, days=11)
    for _ in range(3):
        ring(city)
    assert len(news(city, address)) == 1 and "Power outage moved: Riverside" in news(city, address)[0]
    city.turn_to(city.monday + timedelta(days=11, minutes=1))
    run_outage.start(city.rt, "petra", reference)
    ring(city)
    run_outage.overrun(city.rt, "petra", reference, city.now() + timedelta(hours=7))
    ring(city)
    ring(city)
    run_outage.complete(city.rt, "petra", reference)
    ring(city)
    said = news(city, address)
    assert [re.search(r"Power outage (\w+)|Supply (\w+)", one)[0] for one in said[1:]] == [  # type: ignore[index]
        "Power outage started",
        "Power outage taking",
        "Supply restored",
    ]
    assert all("/u/" in one and reference in one for one in said)
    kinds = {one.notice.kind for one in city.deliveries(customer)}
    assert NoticeKind.FOLLOWERS not in kinds, "it is nobody's notice"
    assert not city.reconcile().audit["untold"]


def test_nothing_is_told_without_the_code(city: World) -> None:
    city.customer()
    reference = city.approved()
    asked = ask(city, reference=reference)
    right = code(city)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert [follow.confirm(city.rt, asked, wrong) for _ in range(follow.TRIES)] == [
        Confirmed.WRONG
    ] * follow.TRIES
    assert follow.confirm(city.rt, asked, right) is Confirmed.WRONG, "too many tries"
    late = ask(city, reference=reference)
    second = code(city)
    city.pass_time(minutes=16)
    assert follow.confirm(city.rt, late, second) is Confirmed.WRONG
    assert follow.confirm(city.rt, follow.NOBODY, "000000") is Confirmed.WRONG
    city.revised(reference, days=12)
    ring(city)
    assert news(city) == []


def test_an_address_gets_few_codes_a_day_and_whoever_asks_sees_no_difference(city: World) -> None:
    city.customer()
    reference = city.approved()
    asked = [ask(city, reference=reference) for _ in range(follow.CODES_A_DAY + 3)]
    assert asked[follow.CODES_A_DAY :] == [follow.NOBODY] * 3
    for _ in range(3):
        tell_followers.send_codes(city.rt)
    assert len(city.ledger(NUMBER)) == follow.CODES_A_DAY
    city.pass_time(days=1, minutes=1)
    assert ask(city, reference=reference) != follow.NOBODY


def test_all_codes_of_an_hour_have_a_limit(migrated_sqlite_copy: str, tmp_path: Any) -> None:
    with world(migrated_sqlite_copy, tmp_path, FOLLOW_CODES_PER_HOUR="2") as city:
        city.customer()
        reference = city.approved()
        asked = [ask(city, f"nobody{n}@example.com", reference=reference) for n in range(4)]
        assert asked[0] and asked[1] and asked[2:] == [follow.NOBODY] * 2


def test_a_code_whose_sending_was_cut_short_is_not_sent_twice(city: World) -> None:
    city.customer()
    ask(city, reference=city.approved())
    # As a worker leaves it that dies between writing it down and sending it.
    with city.rt.database.write() as session:
        session.scalars(select(Follower)).one().code_sent_at = city.rt.now(session)
    assert tell_followers.send_codes(city.rt) == 0 and city.ledger(NUMBER) == []


def test_what_cannot_be_followed(city: World) -> None:
    city.customer()
    reference = city.approved()
    for address in ("curious", "a@b", "two@example.com,three@example.com", "12"):
        with pytest.raises(InvalidInput):
            ask(city, address, reference=reference)
    with pytest.raises(NotFound):
        ask(city, reference="PO-2026-9999")
    run_outage.cancel(city.rt, "petra", reference, "no need")
    with pytest.raises(NotFound):
        ask(city, reference=reference)


def test_numbers_of_abroad_are_refused_where_the_country_is_known(
    migrated_sqlite_copy: str, tmp_path: Any
) -> None:
    with world(migrated_sqlite_copy, tmp_path, PHONE_REGION="GB") as city:
        city.customer()
        reference = city.approved()
        assert ask(city, "07700 900123", reference=reference)
        with pytest.raises(InvalidInput):
            ask(city, NUMBER, reference=reference)


def test_a_place_hears_of_a_new_outage_and_of_what_becomes_of_it(city: World) -> None:
    for number in range(1, 5):
        city.customer(places=(f"{number} River Road",))
    city.customer("load:1", places=("7 Hill Road",))
    city.customer("load:1", places=("8 Hill Road",))
    follows(city, place="2 River Road")
    follows(city, MAIL, place="7 Hill Road")
    ring(city)
    city.pass_time(minutes=1)
    reference = city.approved()
    ring(city)
    ring(city)
    assert [reference in one and "announced" in one for one in news(city)] == [True]
    assert news(city, MAIL) == [], "another street, not hit"
    city.pass_time(minutes=10)
    run_outage.cancel(city.rt, "petra", reference, "no need")
    ring(city)
    assert len(news(city)) == 2 and "cancelled" in news(city)[1]


def test_a_line_is_followed_by_its_name(city: World) -> None:
    city.customer()
    follows(city, place="Line 2")
    city.pass_time(minutes=1)
    city.approved()
    ring(city)
    assert len(news(city)) == 1


def test_an_address_that_follows_outage_and_place_is_told_once(city: World) -> None:
    city.customer()
    follows(city, place="Riverside")
    city.pass_time(minutes=1)
    reference = city.approved()
    ring(city)
    follows(city, reference=reference)
    city.pass_time(minutes=1)
    city.revised(reference, days=11)
    ring(city)
    assert len(news(city)) == 2


@pytest.mark.parametrize("way", ["link", "stop"])
def test_leaving(city: World, way: str) -> None:
    city.customer()
    reference = city.approved()
    follows(city, reference=reference)
    city.pass_time(minutes=1)
    city.revised(reference, days=11)
    ring(city)
    link = re.search(r"/u/\S+", news(city)[0])
    assert link is not None
    city.pass_time(minutes=1)
    city.revised(reference, days=12)
    tell_followers.follow_due(city.rt)
    if way == "link":
        assert city.post(link[0], {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert city.post(link[0], {}).status_code == 200, "twice is once"
    else:
        city.simulator.inbound.reply({"from": NUMBER, "body": "STOP"})
        assert city.simulator.settle()
    city.pass_time(minutes=2)
    city.work()
    assert len(news(city)) == 1 and rows(city, Follower) == 0
    waiting = [one.state for one in city.deliveries(kind=NoticeKind.FOLLOWERS)]
    assert waiting == [DeliveryState.DELIVERED, DeliveryState.WITHDRAWN]


def test_everything_is_forgotten_in_time(city: World) -> None:
    city.customer()
    reference = city.approved()
    follows(city, reference=reference)
    follows(city, MAIL, place="Riverside")
    ask(city, "never@example.com", reference=reference)
    city.pass_time(minutes=1)
    run_outage.cancel(city.rt, "petra", reference, "no need")
    ring(city)
    assert len(news(city)) == 1
    city.pass_time(days=13)
    tell_followers.forget(city.rt)
    assert rows(city, Follower) == 2, "the one without a code is gone"
    city.pass_time(days=2)
    tell_followers.forget(city.rt)
    assert rows(city, Follower) == 1, "the place stays"
    with city.rt.database.read() as session:
        kept = session.scalars(select(Delivery.address)).all()
        said = [str(one) for one in session.scalars(select(ProviderReport.form))]
    assert not any(NUMBER in one or MAIL in one for one in [*kept, *said])
    city.pass_time(days=400)
    tell_followers.forget(city.rt)
    assert rows(city, Follower) == 0
    assert tell_followers.forget(city.rt) == 0


def test_news_is_spaced_and_goes_last(city: World) -> None:
    city.customer()
    reference = city.approved()
    for number in range(4):
        follows(city, f"nobody{number}@example.com", reference=reference)
    city.pass_time(minutes=1)
    city.revised(reference, days=11)
    tell_followers.follow_due(city.rt)
    found = city.deliveries(kind=NoticeKind.FOLLOWERS)
    gaps = [two.due_at - one.due_at for one, two in pairwise(found)]
    assert gaps == [timedelta(seconds=1)] * 3
    assert {one.priority for one in found} == {max(one.priority for one in city.deliveries())}


def test_a_draft_tells_nobody(city: World) -> None:
    city.customer()
    reference = city.approved()
    follows(city, reference=reference)
    city.pass_time(minutes=1)
    plan_outage.revise(city.rt, "petra", reference, city.request(days=11))
    plan_outage.submit(city.rt, "petra", reference)
    ring(city)
    assert news(city) == []


def test_a_mail_can_be_left_with_one_tap() -> None:
    sender = SmtpSender(SmtpServer("127.0.0.1", 25), "Grid <notices@example.com>", now=lambda: START)
    url = "https://outages.example/u/abc"
    mail = sender.compose(
        Message(1, Channel.EMAIL, MAIL, "R-1", Language.EN, text="hello", unsubscribe_url=url)
    )
    assert mail["List-Unsubscribe"] == f"<{url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = sender.compose(Message(1, Channel.EMAIL, MAIL, "R-1", Language.EN, text="hello"))
    assert plain["List-Unsubscribe"] is None
