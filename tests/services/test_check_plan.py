"""Checks before approval, enforced: who may let what through, and the gate before the start."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outage_notify.domain.audience import Tier
from outage_notify.domain.checks import CheckKind
from outage_notify.domain.errors import Blocked, IllegalMove, InvalidInput, NotPermitted
from outage_notify.domain.outage import OutageKind
from outage_notify.services import (
    acknowledge,
    approve_outage,
    plan_outage,
    protected_dates,
    run_outage,
    start_gate,
)
from outage_notify.services.outage_views import outage_view
from outage_notify.services.preview_plan import preview_plan
from tests.factories.world import World


def kinds(city: World, **more: object) -> list[CheckKind]:
    found = preview_plan(city.rt, city.request(**more))  # type: ignore[arg-type]
    return [one.kind for one in found.findings]


def test_an_overlap_needs_two_reasons_by_two_people(city: World) -> None:
    city.customer()
    first = city.approved()
    reference = plan_outage.plan(city.rt, "petra", city.request())
    with pytest.raises(Blocked, match=first):
        plan_outage.submit(city.rt, "petra", reference)
    plan_outage.submit(city.rt, "petra", reference, "the crew is there anyway")
    with pytest.raises(NotPermitted, match="asks to be let through"):
        approve_outage.approve(city.rt, "anton", reference)
    approve_outage.approve(city.rt, "anton", reference, override_reason="agreed with the area")
    kept = outage_view(city.rt, reference)["revisions"][0]["overrides"]
    assert [(one["check"], one["reason"], one["accepted_by"], one["accepted_reason"]) for one in kept] == [
        (f"overlap:{first}", "the crew is there anyway", "anton", "agreed with the area")
    ]


def test_both_feeds_of_a_hospital_are_never_taken_by_two_outages(city: World) -> None:
    hospital = city.customer(tier=Tier.FIRST)
    city.add_point(hospital, "load:5", "S0")
    first = city.approved()
    reference = plan_outage.plan(city.rt, "petra", city.request(work=("line:5",)))
    with pytest.raises(Blocked, match="every feed of 1 key customer") as caught:
        plan_outage.submit(city.rt, "petra", reference, "it must be")
    assert first in str(caught.value)
    found = preview_plan(city.rt, city.request(work=("line:5",)), reference).findings[0]
    assert (found.kind, len(found.names)) == (CheckKind.BOTH_FEEDS, 1)
    plan_outage.edit(city.rt, "petra", reference, city.request(days=11, work=("line:5",)))
    plan_outage.submit(city.rt, "petra", reference)


def test_what_came_up_after_submission_goes_back(city: World) -> None:
    city.customer()
    reference = city.submitted()
    protected_dates.add(city.rt, "anton", *[(city.monday + timedelta(days=10)).date()] * 2, name="高考")
    with pytest.raises(Blocked, match="came up"):
        approve_outage.approve(city.rt, "anton", reference, override_reason="never mind")
    assert CheckKind.PROTECTED in [one.kind for one in approve_outage.preflight(city.rt, reference).findings]
    plan_outage.send_back(city.rt, "anton", reference, "an examination")
    plan_outage.submit(city.rt, "petra", reference, "the school has its own supply")
    approve_outage.approve(city.rt, "anton", reference, override_reason="so it has")


def test_the_third_outage_in_sixty_days_is_seen_and_a_cancelled_one_is_not(city: World) -> None:
    city.customer()
    first = city.approved()
    city.approved(days=30)
    assert kinds(city, days=50) == [CheckKind.REPEATED]
    assert kinds(city, days=72) == []
    assert kinds(city, days=50, work=("line:5",)) == []
    run_outage.cancel(city.rt, "petra", first, "not needed")
    assert kinds(city, days=50) == []


def test_a_plan_does_not_stand_in_its_own_way_and_near_ones_are_offered_to_be_merged(city: World) -> None:
    city.customer()
    city.customer(sms=None, voice=None, email=None)
    reference = city.approved()
    assert CheckKind.OVERLAP not in [
        one.kind for one in preview_plan(city.rt, city.request(hours=5), reference).findings
    ]
    assert kinds(city, days=15) == [CheckKind.MERGE, CheckKind.NO_CONTACT]
    city.revised(reference, hours=5)


def test_only_approvers_protect_dates_and_a_released_one_is_free_again(city: World) -> None:
    city.customer()
    day = (city.monday + timedelta(days=10)).date()
    with pytest.raises(NotPermitted):
        protected_dates.add(city.rt, "petra", day, day, "festival")
    with pytest.raises(InvalidInput, match="before the first"):
        protected_dates.add(city.rt, "anton", day, day - timedelta(days=1), "festival")
    number = protected_dates.add(city.rt, "anton", day, day, "festival")
    assert [one["name"] for one in protected_dates.listing(city.rt)] == ["festival"]
    assert kinds(city) == [CheckKind.PROTECTED]
    for _ in range(2):
        protected_dates.remove(city.rt, "anton", number)
    assert kinds(city) == [] and protected_dates.listing(city.rt) == []


def test_the_start_waits_for_signatures_or_a_second_person(city: World) -> None:
    works = city.customer(tier=Tier.FIRST)
    reference = city.approved()
    with pytest.raises(InvalidInput, match="reason"):
        start_gate.decide(city.rt, "anton", reference, " ")
    city.turn_to(city.monday + timedelta(days=10, minutes=1))
    with pytest.raises(Blocked, match=works):
        run_outage.start(city.rt, "petra", reference)
    with pytest.raises(NotPermitted):
        start_gate.decide(city.rt, "petra", reference, "I say so")
    assert start_gate.decide(city.rt, "paul", reference, "spoken to on the phone") == 1
    with pytest.raises(Blocked, match="Somebody else"):
        run_outage.start(city.rt, "paul", reference)
    run_outage.start(city.rt, "petra", reference)
    assert outage_view(city.rt, reference)["go"]["by"] == "paul"


def test_who_has_signed_is_waited_for_no_longer_and_a_revision_asks_anew(city: World) -> None:
    city.customer(tier=Tier.FIRST)
    reference = city.approved()
    start_gate.decide(city.rt, "anton", reference, "spoken to")
    city.revised(reference, hours=5)
    city.turn_to(city.monday + timedelta(days=10, minutes=1))
    with pytest.raises(Blocked, match="not signed"):
        run_outage.start(city.rt, "petra", reference)
    ack = outage_view(city.rt, reference)["acknowledgements"][0]["id"]
    answer = acknowledge.Answer(acknowledge.AckState.ACKNOWLEDGED, acknowledge.AckWay.PAPER, "Grace Hall")
    acknowledge.answer(city.rt, ack, answer)
    with pytest.raises(IllegalMove, match="Nobody"):
        start_gate.decide(city.rt, "anton", reference, "once more")
    run_outage.start(city.rt, "petra", reference)


def test_danger_waits_for_no_signature(city: World) -> None:
    city.customer(tier=Tier.FIRST)
    reference = city.approved(kind=OutageKind.FAULT, days=1)
    city.turn_to(city.monday + timedelta(days=1, minutes=1))
    run_outage.start(city.rt, "petra", reference)
