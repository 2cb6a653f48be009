"""Watching an outage being told: by tier and channel, what is due, what a revision would do, all texts, a test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from channels.model import Channel, Language
from outage_notify.domain.audience import Tier
from outage_notify.domain.errors import InvalidInput, NotPermitted
from outage_notify.domain.notice import BESIDE, NoticeKind
from outage_notify.services import approve_outage, desk_views, plan_outage, preview_texts, run_outage
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import add_user
from tests.factories import town
from tests.factories.people import START
from tests.factories.world import World, world
from tests.web.conftest import Person, turn


@pytest.fixture
def told(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    """Three at load:2, one of them key, one each elsewhere who join when their line is worked on."""
    with world(migrated_url, tmp_path) as made:
        made.customer("load:2", tier=Tier.FIRST)
        made.customer("load:2")
        made.customer("load:2", sms=None, voice=None)
        made.customer("load:1")
        made.customer("load:5")
        yield made


@pytest.mark.parametrize(("line", "expected"), [("line:1", (3, 1, 0)), ("line:5", (0, 1, 3))])
def test_what_a_revision_would_do_is_what_approving_it_does(
    told: World, line: str, expected: tuple[int, int, int]
) -> None:
    reference = told.approved()
    told.first_wave()
    before = desk_views.outage(told.rt, reference)
    assert before.effects is None and before.telling["LOW_VOLTAGE"]["sms"]["DELIVERED"] >= 1
    plan_outage.revise(told.rt, "petra", reference, told.request(days=12, work=(line,)))
    foreseen = desk_views.outage(told.rt, reference).effects
    assert foreseen is not None
    plan_outage.submit(told.rt, "petra", reference)
    approve_outage.approve(told.rt, "anton", reference)
    told.work()

    def customers(kind: NoticeKind, revision: int) -> int:
        rows = [one for one in told.deliveries(kind=kind) if one.revision == revision]
        return len({each.customer_ref for one in rows for each in one.recipients})

    assert foreseen.changed == customers(NoticeKind.CHANGED, 2)
    assert foreseen.first == customers(NoticeKind.SEVEN_DAY, 2)
    assert foreseen.spared == customers(NoticeKind.CANCELLED, 2)
    assert (foreseen.changed, foreseen.first, foreseen.spared) == expected


def test_what_is_due_next_comes_in_order_and_turns_red_when_it_is_past(rt: Runtime, planner: Person) -> None:
    reference = town.approved(rt)
    view = desk_views.outage(rt, reference)
    times = [one.at for one in view.due_next]
    assert times == sorted(times) and view.due_next[-1].what == "start"
    assert {"notice", "announcement", "start"} <= {one.what for one in view.due_next}
    turn(rt, START + timedelta(hours=1))
    late = desk_views.outage(rt, reference).due_next
    assert [one.red for one in late if one.what in {"start", "announcement"}] == [True, True]
    page = planner.sign_in(town.PLANNER).get(f"/desk/outages/{reference}").get_data(as_text=True)
    assert "overdue" in page and "What is due next" in page
    run_outage.cancel(rt, town.PLANNER, reference, "storm")
    assert desk_views.outage(rt, reference).due_next == []


def test_every_text_is_shown_with_its_segments_in_both_languages(rt: Runtime, planner: Person) -> None:
    reference = town.submitted(rt)
    found = preview_texts.texts(rt, reference)
    assert [one.key for one in found.addressees] == [False, True]
    # A step of the utility's own speaks in the words of the day-ahead notice.
    beside = BESIDE | {NoticeKind.CHANGED, NoticeKind.FOLLOWERS, NoticeKind.AGAIN}
    assert {(one.kind, one.language) for one in found.texts} == {
        (kind, language) for kind in NoticeKind if kind not in beside for language in Language
    }
    for text in found.texts:
        most = (160, 153) if text.encoding == "GSM-7" else (70, 67)
        assert len(text.sms) <= (most[0] if text.segments == 1 else most[1] * text.segments)
    key = found.addressees[1]
    page = planner.get(f"/desk/outages/{reference}/texts?in=zh-CN&for={key.ref}").get_data(as_text=True)
    assert key.name in page and "UCS-2" in page
    plan_outage.send_back(rt, town.APPROVER, reference, "x")


def test_a_text_goes_to_myself_and_to_nobody_else(told: World) -> None:
    reference = told.submitted()
    kind = NoticeKind.DAY_AHEAD.value
    for channel, address in ((Channel.SMS, "+8613900001111"), (Channel.EMAIL, "me@grid.example")):
        preview_texts.send_sample(told.rt, "petra", reference, kind, Language.EN, channel, address)
        (entry,) = told.ledger(to=address)
        assert "TEST: " in str(entry)
    assert told.deliveries() == []
    for wrong in (
        {"kind": "CHANGED", "channel": Channel.SMS},
        {"kind": kind, "channel": Channel.VOICE},
    ):
        with pytest.raises(InvalidInput):
            preview_texts.send_sample(
                told.rt, "petra", reference, language=Language.EN, address="+8613900001111", **wrong
            )  # type: ignore[arg-type]
    add_user(told.rt, "guest", "a long enough password", ["readonly"], "G")
    with pytest.raises(NotPermitted):
        preview_texts.send_sample(
            told.rt, "guest", reference, kind, Language.EN, Channel.SMS, "+8613900001111"
        )


def test_a_test_that_cannot_be_sent_says_why(rt: Runtime, planner: Person) -> None:
    reference = town.submitted(rt)
    path = f"/desk/outages/{reference}/texts"
    form = {"kind": "DAY_AHEAD", "language": "en", "channel": "sms", "address": "not a number"}
    for wrong in (
        {},
        {"channel": "pigeon"},
        {"kind": "RUMOUR", "address": "a@b.example", "channel": "email"},
    ):
        assert planner.send(path, form | wrong).status_code == 303
        assert "note-bad" in planner.get(path).get_data(as_text=True)


def test_a_pending_revision_shows_what_it_does_before_it_is_done(rt: Runtime, planner: Person) -> None:
    reference = town.approved(rt)
    moved = dataclasses.replace(town.request(START + timedelta(days=2)))
    plan_outage.revise(rt, town.PLANNER, reference, moved)
    page = planner.get(f"/desk/outages/{reference}").get_data(as_text=True)
    assert "What approving revision 2 does" in page
