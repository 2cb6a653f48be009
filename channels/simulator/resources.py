"""The provider's own records (messages and calls), as its API shows them; kept over a restart.

Each change is journaled before it is seen. `settled` says that nothing more will
happen to a record: whatever is unsettled after a restart is taken up again.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from channels.simulator.journal import Journal
from channels.simulator.script import Behaviour

API_VERSION = "2010-04-01"


@dataclass
class Record:
    """One message or call: the fields shown, and what only the simulator knows about it."""

    sid: str
    created: datetime
    shown: dict[str, Any]
    behaviour: Behaviour
    callback_url: str = ""
    callback_events: tuple[str, ...] = ()
    url: str = ""  # calls: where the script is fetched
    method: str = "POST"
    validity: int = 36_000  # messages: seconds after which they are not delivered any more
    detect: bool = False  # calls: machine detection was asked for
    settled: bool = False
    number: int = field(default=0, compare=False)

    @property
    def visible_from(self) -> datetime:
        return self.created + timedelta(seconds=self.behaviour.list_lag)


def rfc2822(moment: datetime | None) -> str | None:
    """Twilio's dates: RFC 2822 in UTC, to the second."""
    return None if moment is None else format_datetime(moment.astimezone(UTC).replace(microsecond=0))


def new_sid(prefix: str) -> str:
    """A SID of the right form."""
    return prefix + secrets.token_hex(16)


class Records:
    """All records of one kind, found by SID or by addressee, newest first."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._now = now
        self._journal = Journal(path)
        self._lock = threading.RLock()
        self._by_sid: dict[str, Record] = {}
        self._by_to: dict[str, list[Record]] = {}
        for line in self._journal.records():
            if "sid" in line:
                self._add(_revive(line))
            else:
                record = self._by_sid[line["of"]]
                record.shown.update(line["shown"])
                record.settled = line["settled"]

    def _add(self, record: Record) -> None:
        record.number = len(self._by_sid)
        self._by_sid[record.sid] = record
        self._by_to.setdefault(str(record.shown["to"]), []).append(record)

    def take(self, record: Record) -> None:
        """Keep a new record."""
        line = {**asdict(record), "created": record.created.isoformat()}
        with self._lock:
            self._journal.append(line)
            self._add(record)

    def change(self, record: Record, *, settled: bool = False, **shown: Any) -> None:
        """Change what is shown of a record; `date_updated` follows by itself."""
        shown["date_updated"] = rfc2822(self._now())
        with self._lock:
            record.settled = record.settled or settled
            self._journal.append({"of": record.sid, "shown": shown, "settled": record.settled})
            record.shown.update(shown)

    def get(self, sid: str) -> Record | None:
        """One record, or None."""
        with self._lock:
            return self._by_sid.get(sid)

    def show(self, record: Record) -> dict[str, Any]:
        """A copy of what the API shows."""
        with self._lock:
            return dict(record.shown)

    def listed(self, to: str = "") -> Iterator[dict[str, Any]]:
        """What the list shows, newest first; a lagging list does not show a record yet."""
        now = self._now()
        with self._lock:
            found = list(self._by_to.get(to, ()) if to else self._by_sid.values())
            shown = [dict(one.shown) for one in found if one.visible_from <= now]
        return reversed(shown)

    def unsettled(self) -> list[Record]:
        """Records to which something is still to happen."""
        with self._lock:
            return [one for one in self._by_sid.values() if not one.settled]

    def count(self) -> int:
        """How many there are."""
        with self._lock:
            return len(self._by_sid)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self._lock:
            self._journal.clear()
            self._by_sid.clear()
            self._by_to.clear()

    def close(self) -> None:
        """Close the file."""
        self._journal.close()


def _revive(line: dict[str, Any]) -> Record:
    behaviour = dict(line.pop("behaviour"))
    behaviour["keys"] = tuple(behaviour["keys"])
    line["created"] = datetime.fromisoformat(line["created"])
    line["callback_events"] = tuple(line["callback_events"])
    return Record(behaviour=Behaviour(**behaviour), **line)
