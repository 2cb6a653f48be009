"""From what a person types on a wall clock to instants, and whether the two make a window.

Promises: a local time that does not exist, or exists twice, is never guessed; the error
says why and what to write instead. `wall_instants` and `earlier_instant` are the one place
where a wall clock becomes an instant; deadlines and quiet hours use them too.

Two aware datetimes of the same zone compare by wall clock in Python, which is wrong around
a fold. Everything here therefore compares in UTC.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from outage_notify.domain.errors import InvalidInput

LONGEST_WINDOW = timedelta(days=31)
FURTHEST_START = timedelta(days=731)

_SHAPE = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:\s+|T)(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_HOW = "Write it as 2026-12-01 08:00, or with an offset as 2026-12-01T08:00+08:00."


def wall_instants(wall: datetime, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Both readings of a naive wall-clock time as UTC: by the offset before a change of
    clocks, and by the offset after it. Equal on all but a few hours of the year; in a fold
    the first is the earlier, in a gap the first is the later."""
    before = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    after = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    return before, after


def earlier_instant(wall: datetime, tz: ZoneInfo) -> datetime:
    """The earlier reading, in UTC: the safe one for a deadline."""
    return min(wall_instants(wall, tz))


def local_instant(
    text: str, tz: ZoneInfo, fold: Literal["first", "second"] | None = None, field: str = "time"
) -> datetime:
    """The instant that `text` means, as an aware datetime in `tz`.

    `text` is a local date and time, or one with an offset, which then decides. `fold` says
    which of two is meant when the clocks are set back; it is ignored elsewhere. InvalidInput
    names `field` and the remedy for a text that cannot be read, a gap, and an open fold.
    """
    wall, offset = _read(text, field)
    try:
        if offset is not None:
            return (wall.replace(tzinfo=UTC) - offset).astimezone(tz)
        before, after = wall_instants(wall, tz)
    except OverflowError:
        raise InvalidInput(f"{field}: {text!r} is outside the calendar.", _HOW) from None
    if before == after:
        return before.astimezone(tz)
    clock, day = f"{wall:%H:%M}", wall.date().isoformat()
    if before > after:
        jump = _change_between(after, before, tz)
        old = (jump - timedelta(seconds=1)).astimezone(tz).replace(tzinfo=None) + timedelta(seconds=1)
        new = jump.astimezone(tz)
        raise InvalidInput(
            f"{field}: {clock} does not exist on {day} in {tz.key}: clocks jump {old:%H:%M} -> {new:%H:%M}.",
            f"Write {before.astimezone(tz):%H:%M} or give an offset.",
        )
    if fold is None:
        raise InvalidInput(
            f"{field}: {clock} happens twice on {day} in {tz.key}.",
            f"Add {_offset(before, tz)} for the first or {_offset(after, tz)} for the second.",
        )
    return (before if fold == "first" else after).astimezone(tz)


def check_window(
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    longest: timedelta = LONGEST_WINDOW,
    furthest: timedelta = FURTHEST_START,
) -> None:
    """Raise InvalidInput unless start..end is a window that can be planned at `now`.

    All three are aware. Whether the law's notice is kept is `Policy.check_lead`'s question.
    """
    for name, instant in (("start", start), ("end", end), ("now", now)):
        if instant.utcoffset() is None:
            raise ValueError(f"{name} must be aware")
    begin, finish, today = start.astimezone(UTC), end.astimezone(UTC), now.astimezone(UTC)
    if finish <= begin:
        raise InvalidInput(
            f"end: the window ends ({end:%Y-%m-%d %H:%M}) before or when it starts ({start:%Y-%m-%d %H:%M}).",
            "Give an end after the start; work past midnight ends on the next date.",
        )
    if begin <= today:
        raise InvalidInput(
            f"start: the window starts in the past ({start:%Y-%m-%d %H:%M}).", "Give a start that lies ahead."
        )
    if finish - begin > longest:
        raise InvalidInput(
            f"end: the window is longer than {longest.days} days.",
            "Check the dates; plan longer work as several outages.",
        )
    if begin - today > furthest:
        raise InvalidInput(
            f"start: {start:%Y-%m-%d} is more than {furthest.days} days ahead.", "Check the year."
        )


def _read(text: str, field: str) -> tuple[datetime, timedelta | None]:
    """The wall clock and the offset that were typed. Full-width digits and colons are taken too."""
    match = _SHAPE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        raise InvalidInput(f"{field}: {text!r} is not a date and time.", _HOW)
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        # A wall clock is naive until the zone has had its say.
        wall = datetime.combine(
            date(int(year), int(month), int(day)), time(int(hour), int(minute), int(second or 0))
        )
    except ValueError as error:
        raise InvalidInput(f"{field}: {text!r} is not a date and time ({error}).", _HOW) from None
    if offset is None:
        return wall, None
    if offset in "Zz":
        return wall, timedelta()
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 14 or minutes > 59:
        raise InvalidInput(f"{field}: the offset {offset} does not exist.", _HOW)
    size = timedelta(hours=hours, minutes=minutes)
    return wall, -size if offset[0] == "-" else size


def _change_between(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """The first second (UTC) at which the offset of `high` holds; low < change <= high."""
    offset = high.astimezone(tz).utcoffset()
    first, last = int(low.timestamp()), int(high.timestamp())
    while last - first > 1:
        middle = (first + last) // 2
        if datetime.fromtimestamp(middle, tz).utcoffset() == offset:
            last = middle
        else:
            first = middle
    return datetime.fromtimestamp(last, UTC)


def _offset(instant: datetime, tz: ZoneInfo) -> str:
    return instant.astimezone(tz).isoformat()[-6:]
