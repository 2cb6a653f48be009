"""Real calendar programs subscribe to the running server: vdirsyncer fetches, khal shows."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.store.outage_tables import Outage
from tests.factories.people import NOW, START, add_customer, add_outage, add_revision
from tests.web.conftest import turn

DAY = timedelta(days=1)
ZONE = "Europe/Berlin"
LONG, SHORT = "%Y-%m-%d %H:%M", "%H:%M"


class Client:
    """A folder with the configuration of both programs, and what they show."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.environ = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TZ": ZONE}
        for name in list(self.environ):
            if name.lower().endswith("_proxy") or name.startswith("XDG_"):
                del self.environ[name]
        (folder / "vdirsyncer").write_text(
            f"""[general]
status_path = "{folder}/status/"
[pair outages]
a = "mine"
b = "feed"
collections = null
conflict_resolution = "b wins"
partial_sync = "revert"
[storage mine]
type = "filesystem"
path = "{folder}/calendar/"
fileext = ".ics"
[storage feed]
type = "http"
url = "{address}"
"""
        )
        (folder / "khal").write_text(
            f"""[calendars]
[[outages]]
path = {folder}/calendar/
[locale]
local_timezone = {ZONE}
default_timezone = {ZONE}
timeformat = {SHORT}
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = {LONG}
longdatetimeformat = {LONG}
[sqlite]
path = {folder}/khal.db
"""
        )
        (folder / "calendar").mkdir()
        self.run("vdirsyncer", "-c", str(folder / "vdirsyncer"), "discover")

    def run(self, program: str, *arguments: str) -> str:
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shown(self) -> list[str]:
        """Fetch anew; then a line per event: start, end, status, title."""
        self.run("vdirsyncer", "-c", str(self.folder / "vdirsyncer"), "sync", "--force-delete")
        form = "{start-long}|{end-long}|{status}|{title}"
        begin = (NOW - 90 * DAY).strftime("%Y-%m-%d")
        lines = self.run(
            "khal",
            "-c",
            str(self.folder / "khal"),
            "list",
            "--day-format",
            "",
            "--once",
            "-f",
            form,
            begin,
            "400d",
        )
        return [
            "|".join(" ".join(part.split()) for part in line.split("|"))
            for line in lines.splitlines()
            if line.strip()
        ]


def test_new_moved_cancelled_and_removed_events_reach_a_real_client(
    rt: Runtime, served: str, tmp_path: Path
) -> None:
    for program in ("vdirsyncer", "khal"):
        if not Path(sys.executable).with_name(program).exists():
            pytest.fail(f"{program} is not installed; it belongs to the test extra")
    with rt.database.write() as session:
        customer = add_customer(session)
    client = Client(tmp_path, f"{served}/feeds/{customer.feed_secret}.ics")
    assert client.shown() == []

    with rt.database.write() as session:
        outage = add_outage(session, [customer])
    title = "Power outage, 1 River Road"
    assert client.shown() == [line(START, "CONFIRMED", title)]

    with rt.database.write() as session:
        row = session.get_one(Outage, outage.id)
        # Over the night in which the clocks are put forward.
        add_revision(session, row, [customer], number=2, start=START + 17 * DAY)
        row.changed_at = NOW + timedelta(hours=1)
    assert client.shown() == [line(START + 17 * DAY, "CONFIRMED", title)]

    with rt.database.write() as session:
        row = session.get_one(Outage, outage.id)
        row.state, row.cancelled_at, row.changed_at = OutageState.CANCELLED, NOW, NOW + timedelta(hours=2)
    assert client.shown() == [line(START + 17 * DAY, "CANCELLED", f"CANCELLED: {title}")]

    turn(rt, NOW + 61 * DAY)
    assert client.shown() == []


def line(start: datetime, status: str, title: str) -> str:
    local = start.astimezone(ZoneInfo(ZONE))
    until = (start + timedelta(hours=4)).astimezone(ZoneInfo(ZONE))
    return f"{local:{LONG}}|{until:{LONG}}|{status}|{title}"
