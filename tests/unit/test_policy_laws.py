"""Each built-in law, worked out by hand on a calendar, holidays and changes of clocks included."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from channels.model import Channel
from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.policy import Duty, Policy
from outage_notify.policies import holiday_set, load_policy

ZONES = {
    "cn": "Asia/Shanghai",
    "gb": "Europe/London",
    "ie": "Europe/Dublin",
    "it": "Europe/Rome",
    "au": "Australia/Sydney",
}


def _local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def _duties(
    name: str,
    start: str,
    tier: Tier = Tier.LOW_VOLTAGE,
    kind: OutageKind = OutageKind.PLANNED,
    life_support: bool = False,
) -> dict[NoticeKind, Duty]:
    policy = load_policy(name)
    zone = ZONES[policy.id]
    found = policy.duties(
        kind,
        _local(zone, start),
        ZoneInfo(zone),
        tier=tier,
        life_support=life_support,
        holidays=holiday_set(policy, [2026]),
    )
    return {duty.notice: duty for duty in found}


@pytest.mark.parametrize(
    ("name", "start", "deadline", "article"),
    [
        # Seven dates back, straight through the national holiday.
        ("cn", "2026-10-08 08:00", "2026-10-01 08:00", "第二十八条(一)"),
        # Two calendar days, a weekend and the change to summer time between.
        ("gb", "2026-03-31 09:00", "2026-03-29 09:00", "SI 2015/699"),
        # Good Friday, Easter Monday: 9, 8, 7 and 2 April are the four, the 1st is the day of the notice.
        ("au:NSW", "2026-04-10 08:00", "2026-04-01 08:00", "r. 90"),
        # St Patrick's Day is a Tuesday: Monday and Friday are the two.
        ("ie", "2026-03-18 09:00", "2026-03-13 09:00", "ESB"),
        # Easter Monday is a holiday, Good Friday is none: 7, 3 and 2 April.
        ("it", "2026-04-08 08:00", "2026-04-02 08:00", "646/2015"),
        # A Sunday counts as the first instant of Monday: Friday, Thursday, Wednesday lie whole between.
        ("it", "2026-04-12 06:00", "2026-04-08 00:00", "646/2015"),
    ],
)
def test_the_first_notice_by_hand(name: str, start: str, deadline: str, article: str) -> None:
    duty = _duties(name, start)[NoticeKind.SEVEN_DAY]
    assert duty.deadline == _local(ZONES[name[:2]], deadline)
    assert duty.duty
    assert article in duty.rule.article
    assert duty.met_by is DeliveryState.ACCEPTED


def test_a_deadline_in_the_hour_that_is_skipped_takes_the_earlier_instant() -> None:
    duty = _duties("gb", "2026-03-31 01:30")[NoticeKind.SEVEN_DAY]
    assert duty.deadline == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def test_a_deadline_in_the_hour_that_comes_twice_takes_the_earlier_instant() -> None:
    duty = _duties("gb", "2026-10-27 01:30")[NoticeKind.SEVEN_DAY]
    assert duty.deadline == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_hours_are_elapsed_time_when_the_clocks_change() -> None:
    duties = _duties("it", "2026-03-29 12:00", kind=OutageKind.TEMPORARY)
    assert list(duties) == [NoticeKind.DAY_AHEAD]
    assert duties[NoticeKind.DAY_AHEAD].deadline == _local("Europe/Rome", "2026-03-28 11:00")
    assert duties[NoticeKind.DAY_AHEAD].duty


def test_life_support_in_australia_is_in_writing_and_counts_from_receipt() -> None:
    duty = _duties("au:NSW", "2026-04-10 08:00", life_support=True)[NoticeKind.SEVEN_DAY]
    assert duty.deadline == _local("Australia/Sydney", "2026-04-01 08:00")
    assert duty.rule.id == "au.nerr.lifesupport"
    assert duty.written and duty.written_by == {Channel.LETTER} and duty.channels_all == {"letter"}
    assert duty.met_by is DeliveryState.DELIVERED
    assert not duty.met(DeliveryState.ACCEPTED) and duty.met(DeliveryState.DELIVERED)


def test_a_subdivision_has_holidays_of_its_own() -> None:
    # Labour Day, 5 October 2026, is kept in New South Wales and not in Victoria.
    start = "2026-10-08 08:00"
    assert (
        _duties("au:NSW", start)[NoticeKind.SEVEN_DAY].deadline.astimezone(ZoneInfo("Australia/Sydney")).day
        == 30
    )
    assert (
        _duties("au:VIC", start)[NoticeKind.SEVEN_DAY].deadline.astimezone(ZoneInfo("Australia/Sydney")).day
        == 1
    )


def test_in_china_a_key_customer_signs_and_is_owed_a_second_notice() -> None:
    key = _duties("cn", "2026-12-01 08:00", tier=Tier.FIRST)
    first, second = key[NoticeKind.SEVEN_DAY], key[NoticeKind.DAY_AHEAD]
    assert first.written and first.acknowledgement and second.duty
    assert first.rule.id == "cn.national.planned", "the law is cited before the house rule"
    assert first.acknowledgement_rule is not None and first.acknowledgement_rule.id == "cn.house.key"
    assert first.written_rule is first.acknowledgement_rule
    assert second.deadline == _local("Asia/Shanghai", "2026-11-30 08:00")

    household = _duties("cn", "2026-12-01 08:00")
    assert not household[NoticeKind.SEVEN_DAY].acknowledgement and not household[NoticeKind.SEVEN_DAY].written
    assert household[NoticeKind.SEVEN_DAY].channels_all == {"public_announcement"}
    assert not household[NoticeKind.DAY_AHEAD].duty
    assert household[NoticeKind.DAY_AHEAD].deadline == second.deadline


def test_temporary_maintenance_in_china_is_one_notice_of_24_hours() -> None:
    key = _duties("cn", "2026-12-01 08:00", tier=Tier.SECOND, kind=OutageKind.TEMPORARY)
    household = _duties("cn", "2026-12-01 08:00", kind=OutageKind.TEMPORARY)
    assert list(key) == list(household) == [NoticeKind.DAY_AHEAD]
    assert key[NoticeKind.DAY_AHEAD].duty and "第二十八条(二)" in key[NoticeKind.DAY_AHEAD].rule.article
    assert not household[NoticeKind.DAY_AHEAD].duty


def test_a_fault_announces_nothing() -> None:
    assert _duties("cn", "2026-12-01 08:00", tier=Tier.SPECIAL, kind=OutageKind.FAULT) == {}


@pytest.mark.parametrize("impact", [Impact.REDUCED_REDUNDANCY, Impact.MOMENTARY])
def test_in_china_only_key_customers_hear_of_lesser_impacts(impact: Impact) -> None:
    cn = load_policy("cn")
    assert cn.told(impact, key=True) and not cn.told(impact, key=False)
    assert cn.told(Impact.OUTAGE, key=False)
    assert not cn.told(Impact.NONE, key=True)


def _refusal(policy: Policy, now: str, start: str, classes: set[str]) -> tuple[list[str], datetime, str]:
    zone = ZONES[policy.id]
    tz, holidays = ZoneInfo(zone), holiday_set(policy, [2026])
    arguments = (OutageKind.PLANNED, _local(zone, now), _local(zone, start), tz, classes, holidays)
    earliest, rule = policy.earliest_lawful_start(*arguments)
    assert rule is not None
    return [fault.rule.id for fault in policy.check_lead(*arguments)], earliest, rule.id


def test_a_refusal_names_the_rule_and_the_first_lawful_date() -> None:
    faults, earliest, rule = _refusal(load_policy("cn"), "2026-12-01 09:00", "2026-12-05 08:00", {"all"})
    assert faults == ["cn.national.planned", "cn.house.announcement"]
    assert earliest == _local("Asia/Shanghai", "2026-12-09 08:00"), "at nine the eighth has gone"
    assert rule == "cn.national.planned"


def test_an_earlier_clock_time_leaves_the_same_date_open() -> None:
    _, earliest, _ = _refusal(load_policy("cn"), "2026-12-01 08:00", "2026-12-05 08:00", {"all"})
    assert earliest == _local("Asia/Shanghai", "2026-12-08 08:00")


def test_easter_pushes_the_first_lawful_date_in_italy() -> None:
    # For Thursday the 9th the three are Wednesday, Tuesday and, over Easter Monday, Friday the 3rd.
    faults, earliest, rule = _refusal(
        load_policy("it"), "2026-04-02 12:00", "2026-04-08 08:00", {"all", "key"}
    )
    assert faults == [rule] == ["it.arera"]
    assert earliest == _local("Europe/Rome", "2026-04-09 08:00")


def test_what_the_law_does_not_ask_for_is_no_fault() -> None:
    cn, tz = load_policy("cn"), ZoneInfo("Asia/Shanghai")
    now, start = _local("Asia/Shanghai", "2026-12-01 09:00"), _local("Asia/Shanghai", "2026-12-01 10:00")
    assert cn.check_lead(OutageKind.TEMPORARY, now, start, tz, {"all"}) == []
    assert cn.earliest_lawful_start(OutageKind.TEMPORARY, now, start, tz, {"all"}) == (now, None)
    earliest, rule = cn.earliest_lawful_start(OutageKind.TEMPORARY, now, start, tz, {"key"})
    assert earliest == _local("Asia/Shanghai", "2026-12-02 09:00"), "hours give an exact instant"
    assert rule is not None and rule.id == "cn.national.temporary.key"
