"""Leads under arbitrary starts, holidays and zones."""

# Hypothesis wants naive bounds, and a wall clock has no zone.
# ruff: noqa: DTZ001

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outage_notify.domain.calendar import business_day_from, business_days_before, is_business_day
from outage_notify.domain.deadlines import Lead, LeadUnit, deadline, earliest_start, kept
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.policy import Policy
from outage_notify.policies import available, load_policy

ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Chatham",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
holidays = st.frozensets(st.dates(date(2024, 12, 1), date(2029, 3, 1)), max_size=60)
day_leads = st.builds(
    Lead,
    st.integers(1, 15),
    st.sampled_from([LeadUnit.CALENDAR_DAY, LeadUnit.BUSINESS_DAY]),
    st.sampled_from(["sent", "received"]),
    st.booleans(),
    st.booleans(),
)
hour_leads = st.builds(Lead, st.integers(1, 200), st.just(LeadUnit.HOUR))
leads = st.one_of(day_leads, hour_leads)


@settings(deadline=None)
@given(leads, instants, st.timedeltas(timedelta(0), timedelta(days=40)), holidays)
def test_a_later_start_never_has_an_earlier_deadline(
    lead: Lead, start: datetime, more: timedelta, off: frozenset[date]
) -> None:
    tz = ZoneInfo("Asia/Shanghai")
    assert deadline(lead, start, tz, off) <= deadline(lead, start + more, tz, off)


@settings(deadline=None)
@given(leads, instants, st.timedeltas(timedelta(0), timedelta(days=40)), holidays, zones)
def test_nor_where_clocks_change_by_more_than_their_hour(
    lead: Lead, start: datetime, more: timedelta, off: frozenset[date], tz: ZoneInfo
) -> None:
    one, other = deadline(lead, start, tz, off), deadline(lead, start + more, tz, off)
    assert one <= other + timedelta(hours=1)


@settings(deadline=None)
@given(leads, instants, holidays, zones)
def test_a_deadline_lies_before_the_start_by_about_its_lead(
    lead: Lead, start: datetime, off: frozenset[date], tz: ZoneInfo
) -> None:
    found = deadline(lead, start, tz, off)
    assert found.tzinfo is UTC
    if lead.unit is LeadUnit.HOUR:
        assert start - found == timedelta(hours=lead.value)
    elif lead.unit is LeadUnit.CALENDAR_DAY:
        assert abs(start - found - timedelta(days=lead.days)) <= timedelta(hours=1)
    else:
        assert start - found >= timedelta(days=lead.days, hours=-1) - timedelta(days=1)
        between = (found.astimezone(tz).date() + timedelta(days=n) for n in range((start - found).days + 2))
        last = start.astimezone(tz).date()
        assert sum(is_business_day(day, off) for day in between if day < last) >= lead.days


@settings(deadline=None)
@given(day_leads, instants, zones, st.booleans())
def test_each_exclusion_adds_a_day(lead: Lead, start: datetime, tz: ZoneInfo, notice_day: bool) -> None:
    assume(lead.unit is LeadUnit.CALENDAR_DAY)
    plain = Lead(lead.value, lead.unit)
    excluded = Lead(lead.value, lead.unit, "sent", notice_day, not notice_day)
    longer = Lead(lead.value + 1, lead.unit)
    assert deadline(excluded, start, tz) == deadline(longer, start, tz) < deadline(plain, start, tz)


@settings(deadline=None)
@given(leads, instants, instants, holidays, zones)
def test_the_earliest_start_keeps_the_lead_and_one_step_earlier_does_not(
    lead: Lead, now: datetime, start: datetime, off: frozenset[date], tz: ZoneInfo
) -> None:
    found = earliest_start(lead, now, start, tz, off)
    assert kept(lead, now, found, tz, off)
    step = timedelta(minutes=1) if lead.unit is LeadUnit.HOUR else timedelta(hours=25)
    assert not kept(lead, now, found - step, tz, off) or found - step < now


@settings(deadline=None)
@given(
    st.sampled_from(available()).map(load_policy),
    st.sampled_from([OutageKind.PLANNED, OutageKind.TEMPORARY]),
    instants,
    instants,
    st.sets(st.sampled_from(["all", "key", "life_support"])),
    holidays,
    zones,
)
def test_the_earliest_lawful_start_is_lawful_and_the_first(
    policy: Policy,
    kind: OutageKind,
    now: datetime,
    start: datetime,
    classes: set[str],
    off: frozenset[date],
    tz: ZoneInfo,
) -> None:
    found, rule = policy.earliest_lawful_start(kind, now, start, tz, classes, off)
    assert policy.check_lead(kind, now, found, tz, classes, off) == []
    if rule is None:
        assert found == now
        return
    step = timedelta(minutes=1) if rule.lead.unit is LeadUnit.HOUR else timedelta(hours=25)
    faults = policy.check_lead(kind, now, found.astimezone(UTC) - step, tz, classes, off)
    assert rule in [fault.rule for fault in faults]
    assert max(fault.earliest_start.astimezone(UTC) for fault in faults) >= found.astimezone(UTC) - step
    if rule.lead.unit is not LeadUnit.HOUR:
        wanted, got = (one.astimezone(tz).time() for one in (start, found))
        shift = abs(datetime.combine(date.min, wanted) - datetime.combine(date.min, got))
        assert min(shift, timedelta(days=1) - shift) <= timedelta(hours=1), "same clock time, but for a gap"


@settings(deadline=None)
@given(st.dates(date(2025, 1, 1), date(2028, 1, 1)), st.integers(0, 20), holidays)
def test_walking_back_over_business_days(day: date, count: int, off: frozenset[date]) -> None:
    found = business_days_before(day, count, off)
    passed = [found + timedelta(days=n) for n in range((day - found).days)]
    assert sum(is_business_day(one, off) for one in passed) == count
    assert is_business_day(business_day_from(day, off), off)


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        (Lead(7, LeadUnit.CALENDAR_DAY), "7 calendar days"),
        (Lead(1, LeadUnit.HOUR), "1 hour"),
        (
            Lead(4, LeadUnit.BUSINESS_DAY, "received", exclude_notice_day=True),
            "4 business days, the day of receipt not counted, counted from receipt",
        ),
    ],
)
def test_a_lead_in_words(lead: Lead, words: str) -> None:
    assert str(lead) == words


def test_impossible_leads_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Lead(0, LeadUnit.HOUR)
    with pytest.raises(ValueError, match="excluded"):
        Lead(24, LeadUnit.HOUR, exclude_notice_day=True)
