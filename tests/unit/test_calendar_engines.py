"""Other engines read the instants that were meant, around clock changes in ten zones: vobject and two in JavaScript."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import vobject

from channels.calendar import FeedEvent, event_uid, render_feed
from channels.model import Language

ENGINES = Path(__file__).parent.parent / "fakes" / "calendar_engines"
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
    """What ical.js and node-ical read, on a machine in yet another zone."""
    folder = _installed()
    done = subprocess.run(
        ["node", "read.mjs"],
        cwd=folder,
        input=json.dumps(texts),
        env=os.environ | {"TZ": "America/St_Johns"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == len(texts)
    return {name: [one[name][0] for one in answers] for name in ("ical.js", "node-ical")}


def _installed() -> Path:
    """A folder with the engines as the lock file names them, kept between runs. Where they cannot be had the test is
    skipped with the reason; with CI=true that is a failure."""
    folder = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "outage-notify-tests" / "engines"
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "read.mjs"):
        shutil.copy(ENGINES / name, folder / name)
    why = "" if shutil.which("node") and shutil.which("npm") else "node and npm are not installed"
    kept = folder / "node_modules" / ".package-lock.json"
    if not why and not (
        kept.exists() and kept.stat().st_mtime >= (ENGINES / "package-lock.json").stat().st_mtime
    ):
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        why = "" if done.returncode == 0 else "npm could not fetch the engines"
    if why and os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(f"{why}. With CI=true the engines may not be left out.", pytrace=False)
    if why:
        pytest.skip(f"{why} (apt install npm)")
    return folder
