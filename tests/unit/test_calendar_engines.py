"""Other engines read the instants that were meant, around clock changes in ten zones: vobject and two in JavaScript."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import vobject

from channels.calendar import FeedEvent, event_uid, render_feed
from channels.model import Language
from tests.servers import foreign_readers

WINDOWS = 200
# Clocks change by an hour, by half of one, on the southern half of the year, at midnight, or never.
ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Asia/Shanghai",
)


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The hours of a year (UTC) in which the zone's offset changes; New Year's where it never does."""
    hour = datetime(year, 1, 1, tzinfo=UTC)
    found = []
    for _ in range(366 * 24):
        later = hour + timedelta(hours=1)
        if hour.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            found.append(hour)
        hour = later
    return found or [datetime(year, 1, 1, tzinfo=UTC)]


def windows() -> list[FeedEvent]:
    """Windows that begin or end within hours of a change, by whole minutes; always the same ones."""
    chance = random.Random(20260329)
    edges = {name: changes(ZoneInfo(name), 2026) + changes(ZoneInfo(name), 2027) for name in ZONES}
    made = []
    for number in range(WINDOWS):
        zone = ZONES[number % len(ZONES)]
        start = chance.choice(edges[zone]) + timedelta(minutes=chance.randint(-300, 300))
        end = start + timedelta(minutes=chance.randint(1, 600))
        local = ZoneInfo(zone)
        made.append(
            FeedEvent(
                f"PO-{number}",
                "S1",
                1,
                "CONFIRMED",
                start.astimezone(local),
                end.astimezone(local),
                start,
                "和平路 1 号" if number % 2 else "1 River Road",
                reason="更换电缆，" * (number % 40),
            )
        )
    return made


def test_two_engines_and_vobject_read_the_same_instants() -> None:
    events = windows()
    texts = [
        render_feed("Outages", [one], Language.ZH if number % 2 else Language.EN, events[0].start).decode()
        for number, one in enumerate(events)
    ]
    meant = [
        [event_uid(one.reference, one.site), _milliseconds(one.start), _milliseconds(one.end)]
        for one in events
    ]
    for text, (_, start, end) in zip(texts, meant, strict=True):
        (event,) = vobject.readOne(text).vevent_list
        assert (_milliseconds(event.dtstart.value), _milliseconds(event.dtend.value)) == (start, end)
    for engine, found in _read_by_node(texts).items():
        assert found == meant, engine


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _read_by_node(texts: list[str]) -> dict[str, list[list[object]]]:
    """What ical.js and node-ical read."""
    answers = foreign_readers.read("calendars.mjs", texts)
    assert len(answers) == len(texts)
    return {name: [one[name][0] for one in answers] for name in ("ical.js", "node-ical")}
