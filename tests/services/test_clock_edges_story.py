"""Waves planned over the edges of the calendar: clocks set forward and back, the leap day; and whose clock rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine

from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store import clock_queries
from tests.factories.world import World, world

SECOND = timedelta(seconds=1)


def set_clock(city: World, instant: datetime) -> None:
    """To any date, also one that is past when this runs: only a test may turn the clock back."""
    with city.rt.database.write() as session:
        clock_queries.set_offset(session, instant - clock_queries.database_instant(session))


# The first notice is sent a day before its seventh day, at the same clock time; the second 26 hours before the start;
# neither between nine in the evening and eight in the morning.
@pytest.mark.parametrize(
    ("zone", "start", "first", "second"),
    [
        # Clocks go forward in the night before the start: 26 hours before it are seven in the morning, so the
        # notice goes out the evening before.
        ("Europe/Berlin", "2027-03-28T10:00+02:00", "2027-03-20T10:00+01:00", "2027-03-26T20:00+01:00"),
        # The seventh day is that of the change; a whole day before it is an hour earlier by the clock on the wall.
        ("Europe/Berlin", "2027-04-04T10:00+02:00", "2027-03-27T09:00+01:00", "2027-04-03T08:00+02:00"),
        # Back, in the night before the start, and in the night before the seventh day.
        ("Europe/Berlin", "2027-10-31T10:00+01:00", "2027-10-23T10:00+02:00", "2027-10-30T09:00+02:00"),
        ("America/New_York", "2027-11-14T10:00-05:00", "2027-11-06T11:00-04:00", "2027-11-13T08:00-05:00"),
        # By half an hour.
        (
            "Australia/Lord_Howe",
            "2027-04-04T10:00+10:30",
            "2027-03-27T10:00+11:00",
            "2027-04-03T08:30+11:00",
        ),
        # The leap day is the seventh day, the day before that, the start, and the day before the start.
        ("Asia/Shanghai", "2028-03-07T10:00+08:00", "2028-02-28T10:00+08:00", "2028-03-06T08:00+08:00"),
        ("America/New_York", "2028-03-08T10:00-05:00", "2028-02-29T10:00-05:00", "2028-03-07T08:00-05:00"),
        ("Asia/Kathmandu", "2028-02-29T10:00+05:45", "2028-02-21T10:00+05:45", "2028-02-28T08:00+05:45"),
        ("Pacific/Auckland", "2028-03-01T10:00+13:00", "2028-02-22T10:00+13:00", "2028-02-29T08:00+13:00"),
        ("Pacific/Auckland", "2027-03-01T10:00+13:00", "2027-02-21T10:00+13:00", "2027-02-28T08:00+13:00"),
    ],
)
def test_each_wave_goes_out_at_its_time_and_not_before(
    migrated_sqlite_copy: str, tmp_path: Path, zone: str, start: str, first: str, second: str
) -> None:
    begin = datetime.fromisoformat(start).astimezone(ZoneInfo(zone))
    assert begin.isoformat(timespec="minutes") == start, "the case itself is right"
    with world(migrated_sqlite_copy, tmp_path, TIMEZONE=zone) as city:
        set_clock(city, begin - timedelta(days=14))
        city.monday = begin
        home = city.customer(voice=None, email=None)
        city.approved(days=0)
        due = {one.notice.kind: one.due_at for one in city.deliveries(home)}
        wanted = {NoticeKind.SEVEN_DAY: first, NoticeKind.DAY_AHEAD: second}
        found = {
            kind: one.astimezone(begin.tzinfo).isoformat(timespec="minutes") for kind, one in due.items()
        }
        assert found == wanted
        for number, instant in enumerate(wanted.values()):
            moment = datetime.fromisoformat(instant)
            city.turn_to(moment - timedelta(minutes=5))
            assert city.work() == 0
            city.turn_to(moment + SECOND)
            assert city.work() == 1
            # The text says the clock time of the day itself.
            assert "10:00" in city.ledger()[number]["text"]
        assert city.reconcile().holds


@pytest.mark.parametrize("hours", [-30, -1 / 12, 1 / 12, 30])
def test_the_database_s_clock_rules_and_not_this_machine_s(
    migrated_url: str, tmp_path: Path, hours: float
) -> None:
    with world(migrated_url, tmp_path) as city:
        home = city.customer(voice=None, email=None)
        city.approved()
        moment = city.monday + timedelta(days=2)
        wrong = datetime.now(UTC) + timedelta(hours=hours)
        city.turn_to(moment - timedelta(minutes=3))
        with time_machine.travel(wrong, tick=True):
            assert city.work() == 0
            city.turn_to(moment + SECOND)
            assert city.work() == 1
            assert city.reconcile().holds
        told = city.deliveries(home)[0]
        assert told.state is DeliveryState.DELIVERED
        for instant in (told.began_at, told.accepted_at, told.delivered_at):
            assert instant is not None and moment <= instant < moment + timedelta(minutes=3)
