"""Deadlines and waves around the hours at which clocks change, in every zone there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from outage_notify.domain.deadlines import Lead, LeadUnit, deadline
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.window import wall_instants
from outage_notify.policies import load_policy
from outage_notify.services.time_waves import earliest_end, latest_begin

POLICY = load_policy("cn")
NIGHT = POLICY.quiet_hours
STEP, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
LEAP_DAY = datetime(2028, 2, 29, 12, tzinfo=UTC)


@cache
def edges(name: str) -> tuple[datetime, ...]:
    """The changes of clocks in a zone, to the hour, and the leap day, which every zone has."""
    zone, found, at = ZoneInfo(name), [LEAP_DAY], FROM
    while at < UNTIL:
        if at.astimezone(zone).utcoffset() != (at + DAY).astimezone(zone).utcoffset():
            hours = (at + number * HOUR for number in range(24))
            offset = at.astimezone(zone).utcoffset()
            found.append(
                next(one + HOUR for one in hours if (one + HOUR).astimezone(zone).utcoffset() != offset)
            )
        at += DAY
    return tuple(found)


zones = st.sampled_from(sorted(available_timezones()))
near = st.builds(
    lambda name, pick, shift: (ZoneInfo(name), edges(name)[pick % len(edges(name))] + shift),
    zones,
    st.integers(0, 99),
    st.timedeltas(-2 * DAY, 9 * DAY).map(lambda one: timedelta(minutes=one // timedelta(minutes=1))),
)
spans = st.integers(1, 48 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(deadline=None)
@given(near, spans)
def test_a_wave_has_the_time_that_it_takes_however_its_deadline_is_written(
    case: tuple[ZoneInfo, datetime], takes: timedelta
) -> None:
    zone, due = case
    begin = latest_begin(due, takes, NIGHT, zone)
    assert latest_begin(due.astimezone(zone), takes, NIGHT, zone) == begin
    minutes = (due - begin) // timedelta(minutes=1)
    awake = sum(not NIGHT.is_quiet(begin + timedelta(minutes=one), zone) for one in range(minutes))
    # Steps are of ten minutes: each night on the way may cost one.
    nights = (due - begin) // DAY + 2
    assert takes <= timedelta(minutes=awake + 1) <= takes + nights * STEP + timedelta(minutes=2)


@settings(deadline=None)
@given(near, spans)
def test_begun_at_the_latest_moment_it_ends_at_the_deadline(
    case: tuple[ZoneInfo, datetime], takes: timedelta
) -> None:
    zone, due = case
    begin = latest_begin(due, takes, NIGHT, zone)
    end = earliest_end(begin, takes, NIGHT, zone)
    assert earliest_end(begin.astimezone(zone), takes, NIGHT, zone) == end
    assert end <= due + STEP
    assert latest_begin(due, takes, None, zone) == due - takes


@settings(deadline=None)
@given(near, st.integers(1, 10))
def test_a_lead_in_days_ends_at_the_same_clock_time(case: tuple[ZoneInfo, datetime], days: int) -> None:
    zone, start = case
    found = deadline(Lead(days, LeadUnit.CALENDAR_DAY), start, zone)
    local = start.astimezone(zone).replace(tzinfo=None)
    wall = local - timedelta(days=days)
    readings = wall_instants(wall, zone)
    assert found == min(readings)
    if readings[0] == readings[1]:
        assert found.astimezone(zone).replace(tzinfo=None) == wall


@settings(deadline=None)
@given(near, st.sampled_from([NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD]))
def test_a_notice_is_due_its_margin_before_the_deadline_and_wakes_nobody(
    case: tuple[ZoneInfo, datetime], kind: NoticeKind
) -> None:
    zone, by = case
    latest = by - POLICY.margins[kind]
    due = POLICY.due_at(kind, by, by - 30 * DAY, zone)
    assert not NIGHT.is_quiet(due, zone)
    if not NIGHT.is_quiet(latest, zone):
        assert due == latest
    else:
        # The evening before: an hour before the night, and the night is of eleven hours, give or take the change.
        assert timedelta(0) < latest - due <= timedelta(hours=12) + 3 * HOUR
