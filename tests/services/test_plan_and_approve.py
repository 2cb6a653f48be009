"""Planning and approving: who may, when it is too late, and what one approval commits together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput, NotFound, NotPermitted, TooLate
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.services import approve_outage, plan_outage, schedule_notices
from outage_notify.services.outage_views import outage_view
from outage_notify.store import outage_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import AudienceMember
from tests.factories.world import ZONE, World


def count(city: World, table: type) -> int:
    with city.rt.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_approval_commits_audience_notices_deliveries_and_requests_together(city: World) -> None:
    city.customer()
    works = city.customer(tier=Tier.FIRST)
    city.customer(load="load:5")  # keeps its supply
    reference = city.submitted()
    assert (count(city, Delivery), count(city, Acknowledgement)) == (0, 0)
    assert approve_outage.approve(city.rt, "anton", reference) == 6
    assert count(city, AudienceMember) == 2
    assert city.story(works) == [
        ("SEVEN_DAY", "sms", "READY"),
        ("SEVEN_DAY", "email", "READY"),
        ("DAY_AHEAD", "sms", "READY"),
        ("DAY_AHEAD", "email", "READY"),
    ]
    assert city.signatures(works) == ["REQUESTED"]
    assert outage_view(city.rt, reference)["state"] == "APPROVED"


def test_approval_that_fails_midway_leaves_nothing(city: World, monkeypatch: pytest.MonkeyPatch) -> None:
    city.customer(tier=Tier.FIRST)
    reference = city.submitted()

    def broken(*args: object) -> int:
        raise RuntimeError("the power went out")

    monkeypatch.setattr(schedule_notices.acknowledge, "request_for", broken)
    with pytest.raises(RuntimeError):
        approve_outage.approve(city.rt, "anton", reference)
    monkeypatch.undo()
    assert count(city, Delivery) == 0
    assert outage_view(city.rt, reference)["state"] == "SUBMITTED"
    assert approve_outage.approve(city.rt, "anton", reference) == 4


def test_nobody_approves_what_he_planned_or_submitted(city: World) -> None:
    city.customer()
    mine = plan_outage.plan(city.rt, "paul", city.request())
    plan_outage.submit(city.rt, "petra", mine)
    with pytest.raises(NotPermitted, match="another approver"):
        approve_outage.approve(city.rt, "paul", mine)
    submitted = plan_outage.plan(city.rt, "petra", city.request(days=11))
    plan_outage.submit(city.rt, "paul", submitted)
    with pytest.raises(NotPermitted, match="another approver"):
        approve_outage.approve(city.rt, "paul", submitted)
    with pytest.raises(NotPermitted, match="approver"):
        approve_outage.approve(city.rt, "petra", mine)
    with pytest.raises(NotFound, match="nobody"):
        approve_outage.approve(city.rt, "nobody", mine)
    approve_outage.approve(city.rt, "anton", mine)


def test_approving_twice_sends_nothing_twice(city: World) -> None:
    city.customer()
    reference = city.approved()
    with pytest.raises(IllegalMove, match="APPROVED"):
        approve_outage.approve(city.rt, "anton", reference)
    assert len(city.deliveries()) == 2


def test_announcing_again_adds_nothing(city: World) -> None:
    city.customer(tier=Tier.FIRST)
    city.customer()
    reference = city.approved()
    with city.rt.database.write() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        assert schedule_notices.announce(session, city.rt, outage, city.rt.now(session)) == 0


def test_too_late_names_the_article_and_the_earliest_lawful_start(city: World) -> None:
    city.customer()
    reference = plan_outage.plan(city.rt, "petra", city.request(days=5))
    with pytest.raises(TooLate) as caught:
        plan_outage.submit(city.rt, "petra", reference)
    # The same clock time seven dates after today; the Monday's ten o'clock is over by seconds.
    earliest = city.monday + timedelta(days=8)
    assert "第二十八条" in str(caught.value)
    assert earliest.strftime("%Y-%m-%d %H:%M") in str(caught.value)
    assert outage_view(city.rt, reference)["state"] == "DRAFT"


def test_what_was_in_time_when_submitted_may_be_too_late_when_approved(city: World) -> None:
    city.customer()
    reference = city.submitted(days=8)
    city.pass_time(days=2)
    with pytest.raises(TooLate):
        approve_outage.approve(city.rt, "anton", reference)
    assert city.deliveries() == []


def test_an_exception_needs_a_reason_and_a_second_person_who_accepts_it(city: World) -> None:
    home = city.customer()
    reference = city.submitted(days=3, exception_reason="a pole leans over the school yard")
    with pytest.raises(NotPermitted, match="a pole leans"):
        approve_outage.approve(city.rt, "anton", reference)
    approve_outage.approve(city.rt, "anton", reference, accept_exception=True)
    revision = outage_view(city.rt, reference)["revisions"][0]
    assert "第二十八条" in revision["exception_rule"]
    # It is late already, so it goes at once.
    city.work()
    assert city.reached() == [("sms", city.address(home, Channel.SMS))]


def test_where_nobody_is_told_no_law_is_broken(city: World) -> None:
    city.customer(load="load:5")
    assert city.approved(days=1)


def test_the_notices_are_due_a_day_before_their_deadline_and_out_of_the_night(city: World) -> None:
    home = city.customer()
    city.approved()
    seven, ahead = city.deliveries(home)
    start = city.monday + timedelta(days=10)
    assert seven.notice.deadline.astimezone(ZONE) == start - timedelta(days=7)
    assert seven.due_at.astimezone(ZONE) == start - timedelta(days=8)
    assert ahead.notice.deadline == start - timedelta(hours=24)
    assert ahead.due_at == start - timedelta(hours=26)


def test_a_start_at_dawn_moves_its_notices_to_the_evening_before(city: World) -> None:
    city.customer()
    request = city.request()
    early = plan_outage.PlanRequest(
        request.kind, request.start - timedelta(hours=5), request.end, request.reason, work=request.work
    )
    reference = plan_outage.plan(city.rt, "petra", early)
    plan_outage.submit(city.rt, "petra", reference)
    approve_outage.approve(city.rt, "anton", reference)
    clocks = [one.due_at.astimezone(ZONE).strftime("%H:%M") for one in city.deliveries()]
    assert clocks == ["20:00", "20:00"]


def test_only_key_customers_hear_of_less_redundancy_and_of_a_short_break(city: World) -> None:
    hospital = city.customer(tier=Tier.FIRST)
    shop = city.customer(tier=Tier.GENERAL)
    for customer in (hospital, shop):
        city.add_point(customer, "load:5", "S0")  # a second feed of the same site
    bank = city.customer(tier=Tier.SECOND)
    home = city.customer()
    city.approved(close_ties=True)
    assert (len(city.story(hospital)), len(city.story(bank))) == (4, 4)
    assert city.story(shop) == city.story(home) == []
    assert city.reconcile().holds


def test_two_feeds_of_one_site_are_less_redundancy_and_two_sites_are_an_outage(city: World) -> None:
    one_site, two_sites = city.customer(tier=Tier.GENERAL), city.customer(tier=Tier.GENERAL)
    city.add_point(one_site, "load:5", "S0")
    city.add_point(two_sites, "load:5", "another")
    by_tier = plan_outage.preview(city.rt, city.request()).by_tier
    assert by_tier["GENERAL"] == {"outage": 1, "reduced": 1, "momentary": 0, "customers": 2}


def test_temporary_work_asks_for_a_day_and_tells_once(city: World) -> None:
    home = city.customer()
    city.approved(kind=OutageKind.TEMPORARY, days=3)
    assert [kind for kind, _, _ in city.story(home)] == [NoticeKind.DAY_AHEAD]
    assert city.reconcile().holds


def test_a_fault_that_no_rule_speaks_of_is_told_and_audited_all_the_same(city: World) -> None:
    home = city.customer()
    city.approved(kind=OutageKind.FAULT, days=1)
    assert [kind for kind, _, _ in city.story(home)] == [NoticeKind.SEVEN_DAY]
    assert city.reconcile().holds


def test_the_preview_says_who_is_hit_and_stores_nothing(city: World) -> None:
    city.customer(tier=Tier.FIRST)
    city.customer(sms=None, voice=None, email=None)
    seen = plan_outage.preview(city.rt, city.request(days=2))
    assert list(seen.resolved.resolution.lost) == ["load:2"]
    assert (seen.by_tier["FIRST"]["outage"], seen.by_tier["LOW_VOLTAGE"]["outage"]) == (1, 1)
    assert seen.missing_contacts == 1
    assert any("第二十八条" in fault.rule.article for fault in seen.lead_faults)
    assert count(city, AudienceMember) == 0


def test_the_preflight_counts_people_segments_and_waves(city: World) -> None:
    for _ in range(4):
        city.customer()
    city.customer(tier=Tier.FIRST, email=None)
    city.customer(sms=None, voice=None, email=None)
    seen = approve_outage.preflight(city.rt, city.submitted())
    assert (seen.people, seen.missing_contacts) == (6, 1)
    assert seen.waves == {"sms": timedelta(seconds=5 / 500)}
    assert [one for one in seen.unmet_duties if "in writing" in one]
    segments, encoding = seen.sms_segments["en"]
    assert segments >= 1
    assert encoding in {"GSM-7", "UCS-2"}
    assert "zh-CN" not in seen.sms_segments
    assert city.deliveries() == []


def test_what_was_sent_back_is_a_draft_again_and_can_be_mended(city: World) -> None:
    city.customer()
    reference = city.submitted()
    with pytest.raises(IllegalMove):
        plan_outage.edit(city.rt, "petra", reference, city.request(days=11))
    plan_outage.send_back(city.rt, "anton", reference, "Friday is market day")
    plan_outage.edit(city.rt, "petra", reference, city.request(days=11))
    plan_outage.submit(city.rt, "petra", reference)
    approve_outage.approve(city.rt, "anton", reference)
    assert outage_view(city.rt, reference)["start"].startswith(f"{city.monday + timedelta(days=11):%Y-%m-%d}")


def test_who_read_an_older_version_overwrites_nothing(city: World) -> None:
    city.customer()
    reference = plan_outage.plan(city.rt, "petra", city.request())
    read = outage_view(city.rt, reference)["version"]
    plan_outage.edit(city.rt, "petra", reference, city.request(days=11), version=read)
    with pytest.raises(Conflict, match="somebody else"):
        plan_outage.edit(city.rt, "petra", reference, city.request(days=12), version=read)


def test_references_count_within_the_year(city: World) -> None:
    year = city.monday.year
    references = [plan_outage.plan(city.rt, "petra", city.request()) for _ in range(3)]
    assert references == [f"PO-{year}-000{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"work": ()}, "Nothing is worked on"),
        ({"work": ("line:99",)}, "line:99"),
        ({"days": -1}, "past"),
        ({"hours": 0}, "before or when it starts"),
    ],
)
def test_a_plan_that_can_not_be_names_what_is_wrong(city: World, more: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        plan_outage.plan(city.rt, "petra", city.request(**more))  # type: ignore[arg-type]
