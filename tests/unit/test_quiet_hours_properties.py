"""Quiet hours: earlier, never later, and always out of them."""

# Hypothesis wants naive bounds, and a wall clock has no zone.
# ruff: noqa: DTZ001

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outage_notify.domain.quiet_hours import NO_QUIET_HOURS, QuietHours

ZONES = ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"]
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
NIGHT = QuietHours(time(21), time(8))
BERLIN = ZoneInfo("Europe/Berlin")


def _waking(begin: time, end: time) -> timedelta:
    return (
        datetime(2026, 1, 2, begin.hour, begin.minute) - datetime(2026, 1, 1, end.hour, end.minute)
    ) % timedelta(1)


clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
quiets = (
    st.tuples(clocks, clocks)
    .filter(lambda two: _waking(*two) > timedelta(hours=2))
    .map(lambda two: QuietHours(*two))
)


@settings(deadline=None)
@given(quiets, instants, zones)
def test_a_move_is_never_later_and_ends_awake(quiet: QuietHours, due: datetime, tz: ZoneInfo) -> None:
    moved = quiet.move_earlier(due, tz)
    assert moved <= due
    assert not quiet.is_quiet(moved, tz)
    assert due - moved <= timedelta(days=1, hours=1)
    if not quiet.is_quiet(due, tz):
        assert moved == due


@settings(deadline=None)
@given(quiets, instants, zones)
def test_the_end_of_quiet_lies_ahead_and_is_awake(quiet: QuietHours, instant: datetime, tz: ZoneInfo) -> None:
    end = quiet.quiet_end(instant, tz)
    assert end >= instant
    assert not quiet.is_quiet(end, tz)
    assert (end == instant) is not quiet.is_quiet(instant, tz)


@settings(deadline=None)
@given(instants, zones)
def test_without_quiet_hours_nothing_moves(due: datetime, tz: ZoneInfo) -> None:
    assert not NO_QUIET_HOURS.is_quiet(due, tz)
    assert NO_QUIET_HOURS.move_earlier(due, tz) == NO_QUIET_HOURS.quiet_end(due, tz) == due


@pytest.mark.parametrize(
    ("due", "moved", "end"),
    [
        ("2026-05-05 23:30", "2026-05-05 20:00", "2026-05-06 08:00"),
        ("2026-05-06 03:00", "2026-05-05 20:00", "2026-05-06 08:00"),
        ("2026-05-05 21:00", "2026-05-05 20:00", "2026-05-06 08:00"),
        ("2026-05-06 08:00", "2026-05-06 08:00", "2026-05-06 08:00"),
        ("2026-05-05 20:59", "2026-05-05 20:59", "2026-05-05 20:59"),
    ],
)
def test_a_night_by_hand(due: str, moved: str, end: str) -> None:
    instant = datetime.fromisoformat(due).replace(tzinfo=BERLIN)
    assert NIGHT.move_earlier(instant, BERLIN) == datetime.fromisoformat(moved).replace(tzinfo=BERLIN)
    assert NIGHT.quiet_end(instant, BERLIN) == datetime.fromisoformat(end).replace(tzinfo=BERLIN)


def test_quiet_hours_within_one_day() -> None:
    siesta = QuietHours(time(13), time(15), timedelta(minutes=30))
    due = datetime(2026, 5, 5, 14, 10, tzinfo=BERLIN)
    assert siesta.move_earlier(due, BERLIN) == datetime(2026, 5, 5, 12, 30, tzinfo=BERLIN)
    assert siesta.quiet_end(due, BERLIN) == datetime(2026, 5, 5, 15, tzinfo=BERLIN)


def test_quiet_hours_that_end_in_the_hour_that_comes_twice() -> None:
    quiet = QuietHours(time(22), time(2, 30))
    second = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1)
    assert quiet.is_quiet(second, BERLIN)
    assert quiet.quiet_end(second, BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("slack", [timedelta(0), timedelta(hours=12)])
def test_a_slack_that_cannot_work_is_refused(slack: timedelta) -> None:
    with pytest.raises(ValueError, match="slack"):
        QuietHours(time(21), time(8), slack)
