"""A wave ends before its deadline, or the arithmetic says why it can't."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from channels.model import Channel
from outage_notify.domain.quiet_hours import QuietHours
from outage_notify.services.time_waves import LateWave, earliest_end, latest_begin

NIGHT = QuietHours(time(21), time(8), timedelta(minutes=30))
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 4, 17, 12, tzinfo=SHANGHAI)


def test_a_short_wave_begins_as_much_earlier_as_it_takes() -> None:
    assert latest_begin(NOON, timedelta(minutes=30), NIGHT, SHANGHAI) == NOON - timedelta(minutes=30)


def test_the_night_does_not_count() -> None:
    # Four hours this morning, two more the evening before.
    assert latest_begin(NOON, timedelta(hours=6), NIGHT, SHANGHAI) == NOON.replace(day=16, hour=19)


def test_mail_goes_on_at_night() -> None:
    assert latest_begin(NOON, timedelta(hours=6), None, SHANGHAI) == NOON - timedelta(hours=6)


def test_a_tiny_wave_asked_about_at_night_ends_in_the_morning_and_is_reckoned_at_once() -> None:
    asked = 0

    class Counted(QuietHours):
        def is_quiet(self, instant: datetime, tz: ZoneInfo) -> bool:
            nonlocal asked
            asked += 1
            return super().is_quiet(instant, tz)

    night, takes = Counted(time(21), time(8), timedelta(minutes=30)), timedelta(milliseconds=40)
    end = earliest_end(NOON.replace(hour=22), takes, night, SHANGHAI)
    assert end == NOON.replace(day=18, hour=8) + takes
    assert asked < 20
    # Ten hours from six in the evening: three today, seven tomorrow.
    assert earliest_end(NOON.replace(hour=18), timedelta(hours=10), night, SHANGHAI) == NOON.replace(
        day=18, hour=15
    )


@given(st.integers(1, 200_000), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"]))
def test_there_is_always_enough_time_between_begin_and_deadline(seconds: int, name: str) -> None:
    """Also over the hour that the clocks skip or repeat: 2026-03-29 in Berlin."""
    zone, takes = ZoneInfo(name), timedelta(seconds=seconds)
    deadline = datetime(2026, 3, 30, 12, tzinfo=UTC)
    begin = latest_begin(deadline, takes, NIGHT, zone)
    minutes = int((deadline - begin).total_seconds() // 60)
    awake = sum(
        not NIGHT.is_quiet(begin + timedelta(minutes=one, seconds=30), zone) for one in range(minutes)
    )
    assert timedelta(minutes=awake + 21) >= takes  # the steps are of ten minutes, at both ends


def test_the_arithmetic_is_said_in_plain_words() -> None:
    takes, left = timedelta(seconds=50_000), timedelta(hours=9)
    wave = LateWave(Channel.SMS, 50_000, 1.0, takes, left, NOON, NOON)
    assert wave.sentence == (
        "50,000 messages by sms at 1 per second take 13.9 h, the deadline is in 9.0 h. "
        f"At least 1.5 per second are needed, or a start of the work at {NOON:%Y-%m-%d} 12:00 or later."
    )
