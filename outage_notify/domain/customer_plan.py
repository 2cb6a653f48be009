"""One customer, one plan (一户一策): what a key customer needs kept in mind before its supply is touched.

Pure: reads and checks what people type, and says what of it a window would hurt. Leaves to
`services.customer_plans` who may write it, and to `checks` how much a finding weighs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from outage_notify.domain.errors import InvalidInput

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CHINESE = {f"周{sign}": day for sign, day in zip("一二三四五六日", DAYS, strict=True)} | {"周天": "sun"}
_LINE = re.compile(r"(\S+)\s+(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})(?:\s+(.*))?")
_MOST_LINES, _LONGEST = 40, 300
# How long the test of a backup supply says that it would start.
TEST_HOLDS = timedelta(days=365)


class Backup(StrEnum):
    """What a customer can run on by itself."""

    NONE = "none"
    GENERATOR = "generator"
    BATTERY = "battery"
    UPS = "ups"
    SECOND_FEED = "second_feed"
    OTHER = "other"


@dataclass(frozen=True)
class CustomerPlan:
    """`critical`: a line for each time at which supply must not be cut, such as "mon-fri 08:00-18:00 surgery";
    `contacts`: a line for each person in the order in which they are called, with hours and language."""

    backup: Backup = Backup.NONE
    backup_kw: float = 0.0
    backup_hours: float = 0.0
    backup_tested: date | None = None
    minimum_notice_hours: int = 0
    account_manager: str = ""
    critical: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not 0 <= self.backup_kw <= 1e6 or not 0 <= self.backup_hours <= 10_000:
            raise InvalidInput("The backup supply cannot be that large.", "Enter kW and hours, 0 if unknown.")
        if not 0 <= self.minimum_notice_hours <= 24 * 365:
            raise InvalidInput("The minimum notice is out of range.", "Enter hours, at most a year.")
        for lines in (self.critical, self.contacts, self.notes, (self.account_manager,)):
            if len(lines) > _MOST_LINES or any(len(one) > _LONGEST or not one.isprintable() for one in lines):
                raise InvalidInput(
                    "A text is too long.", f"At most {_MOST_LINES} lines of {_LONGEST} characters."
                )
        for line in self.critical:
            _days_and_times(line)

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)
        data["backup"] = self.backup.value
        data["backup_tested"] = self.backup_tested.isoformat() if self.backup_tested else ""
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CustomerPlan:
        tested = data.get("backup_tested") or ""
        lines = {name: tuple(data.get(name, ())) for name in ("critical", "contacts", "notes")}
        return cls(
            Backup(data.get("backup", "none")),
            float(data.get("backup_kw", 0)),
            float(data.get("backup_hours", 0)),
            date.fromisoformat(tested) if tested else None,
            int(data.get("minimum_notice_hours", 0)),
            str(data.get("account_manager", "")),
            **lines,
        )

    def hurt(self, start: datetime, end: datetime, zone: ZoneInfo) -> tuple[str, ...]:
        """The critical times that a window touches, as they were written."""
        begin, finish = start.astimezone(zone), end.astimezone(zone)
        dates = [
            begin.date() + timedelta(days=number)
            for number in range(-1, min(366, (finish.date() - begin.date()).days + 1))
        ]
        return tuple(
            line for line in self.critical if any(_touches(line, day, start, end, zone) for day in dates)
        )

    def too_short(self, start: datetime, now: datetime) -> bool:
        """Whether less notice is left than the contract asks for."""
        return start - now < timedelta(hours=self.minimum_notice_hours)

    def outlasts(self, start: datetime, end: datetime) -> bool:
        """Whether the backup runs as long as the window; one of unknown hours is taken to."""
        if self.backup is Backup.NONE or not self.backup_hours:
            return True
        return timedelta(hours=self.backup_hours) >= end.astimezone(UTC) - start.astimezone(UTC)

    def untested(self, start: datetime, zone: ZoneInfo) -> bool:
        """Whether a backup of the customer's own has had no test in the year before a window. The second feed is
        the utility's, and tested every day."""
        if self.backup in {Backup.NONE, Backup.SECOND_FEED}:
            return False
        day = start.astimezone(zone).date()
        return self.backup_tested is None or day - self.backup_tested > TEST_HOLDS


def _touches(line: str, day: date, start: datetime, end: datetime, zone: ZoneInfo) -> bool:
    days, single, since, until = _days_and_times(line)
    if day != single and day.weekday() not in days:
        return False
    begins = datetime.combine(day, since, zone)
    ends = datetime.combine(day if until > since else day + timedelta(days=1), until, zone)
    return begins < end and start < ends


def _days_and_times(line: str) -> tuple[frozenset[int], date | None, time, time]:
    """(weekdays, or the one date, from, until) of a critical time. Until at or before from is the day after."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        raise _unread(line)
    when, since, until, _ = found.groups()
    try:
        times = (time.fromisoformat(since.zfill(5)), time.fromisoformat(until.zfill(5)))
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", when):
            return frozenset(), date.fromisoformat(when), *times
        return _weekdays(when), None, *times
    except ValueError:
        raise _unread(line) from None


def _weekdays(text: str) -> frozenset[int]:
    text = text.lower()
    if text in {"daily", "每天", "每日"}:
        return frozenset(range(7))
    for name, day in _CHINESE.items():
        text = text.replace(name, day)
    days: set[int] = set()
    for part in re.split("[,，、]", text.replace("至", "-").replace("到", "-")):
        first, mark, last = part.partition("-")
        begin = DAYS.index(first[:3])
        finish = DAYS.index(last[:3]) if mark else begin
        days |= {(begin + number) % 7 for number in range((finish - begin) % 7 + 1)}
    return frozenset(days)


def _unread(line: str) -> InvalidInput:
    return InvalidInput(
        f"This critical time cannot be read: {line[:60]}",
        "Write a line such as: mon-fri 08:00-18:00 surgery, or: 2026-06-07 08:00-18:00 examination.",
    )
