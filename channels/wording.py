"""Words for times, places and numbers, in one language: what every text has in common.

Dates are put together here from the catalogue's own patterns and not from a locale
library's, because the notice that a customer signs must read the same, byte by byte,
after an upgrade.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from channels.catalogues import N_, translations
from channels.model import Language

_WEEKDAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
_SHORT_WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
_MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)
_SHORT_MONTHS = (
    N_("Jan"),
    N_("Feb"),
    N_("Mar"),
    N_("Apr"),
    N_("May"),
    N_("Jun"),
    N_("Jul"),
    N_("Aug"),
    N_("Sep"),
    N_("Oct"),
    N_("Nov"),
    N_("Dec"),
)
# One time for the whole country, without daylight saving: its name says all.
_BEIJING = frozenset({"Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "PRC"})
# Digits as Chinese speakers read a number aloud; 幺 for one cannot be misheard as 七.
_SPOKEN_DIGITS = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))


class Words:
    """The vocabulary of one language. Times given to it are aware and already local."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._ = translations(language).gettext

    # Written

    def date_short(self, day: datetime) -> str:
        return self._("%(weekday)s %(day)d %(month_name)s") % self._date_parts(
            day, _SHORT_WEEKDAYS, _SHORT_MONTHS
        )

    def date_long(self, day: datetime) -> str:
        return self._("%(weekday)s %(day)d %(month_name)s %(year)d") % self._date_parts(
            day, _WEEKDAYS, _MONTHS
        )

    def instant_short(self, at: datetime) -> str:
        """A point in time in a few characters, for SMS and subjects."""
        return self._("%(date)s %(time)s") % {"date": self.date_short(at), "time": _clock(at, _doubtful(at))}

    def instant_long(self, at: datetime) -> str:
        return self._("%(date)s, %(time)s") % {"date": self.date_long(at), "time": _clock(at, _doubtful(at))}

    def window_short(self, start: datetime, end: datetime) -> str:
        """From-to for an SMS; the date only once if it is the same. The year stands there only when it changes."""
        if start.year != end.year:
            return self.window_long(start, end)
        offset = start.utcoffset() != end.utcoffset() or _doubtful(start) or _doubtful(end)
        parts = {"date": self.date_short(start), "from": _clock(start, offset), "to": _clock(end, offset)}
        if start.date() == end.date():
            return self._("%(date)s %(from)s-%(to)s") % parts
        return self._("%(date)s %(from)s - %(end_date)s %(to)s") % {**parts, "end_date": self.date_short(end)}

    def window_long(self, start: datetime, end: datetime) -> str:
        """From-to with weekday and year."""
        offset = start.utcoffset() != end.utcoffset() or _doubtful(start) or _doubtful(end)
        parts = {"date": self.date_long(start), "from": _clock(start, offset), "to": _clock(end, offset)}
        if start.date() == end.date():
            return self._("%(date)s, %(from)s to %(to)s") % parts
        return self._("%(date)s, %(from)s to %(end_date)s, %(to)s") % {
            **parts,
            "end_date": self.date_long(end),
        }

    def zone(self, start: datetime) -> str:
        """In which time the times are: the name of the zone and its offset at the start."""
        name, offset = getattr(start.tzinfo, "key", "") or "", offset_name(start.utcoffset())
        if name in _BEIJING:
            return self._("Beijing time")
        if name and name != "UTC":
            return self._("local time, %(name)s, %(offset)s") % {"name": name, "offset": offset}
        return offset

    def names(self, names: Sequence[str], limit: int = 0) -> str:
        """An enumeration; beyond `limit` names (0: none) the rest is counted."""
        shown = list(names) if not limit or len(names) <= limit else list(names[:limit])
        if len(shown) < len(names):
            parts = {"names": self._(", ").join(shown), "more": len(names) - len(shown), "total": len(names)}
            return self._("%(names)s and %(more)d more") % parts
        if len(shown) < 2:
            return "".join(shown)
        return self._("%(names)s and %(last)s") % {"names": self._(", ").join(shown[:-1]), "last": shown[-1]}

    # Spoken

    def date_spoken(self, day: datetime) -> str:
        parts = {**self._date_parts(day, _WEEKDAYS, _MONTHS), "ordinal": _ordinal(day.day)}
        return self._("%(weekday)s the %(ordinal)s of %(month_name)s") % parts

    def clock_spoken(self, at: datetime) -> str:
        if self.language is Language.ZH:
            return _clock_spoken_zh(at)
        if (at.hour, at.minute) in ((0, 0), (12, 0)):
            return "noon" if at.hour else "midnight"
        half = "a.m." if at.hour < 12 else "p.m."
        minutes = f":{at.minute:02d}" if at.minute else ""
        return f"{(at.hour - 1) % 12 + 1}{minutes} {half}"

    def instant_spoken(self, at: datetime) -> str:
        return self._("%(date)s at %(time)s") % {"date": self.date_spoken(at), "time": self.clock_spoken(at)}

    def window_spoken(self, start: datetime, end: datetime) -> str:
        parts = {
            "date": self.date_spoken(start),
            "from": self.clock_spoken(start),
            "to": self.clock_spoken(end),
        }
        if start.date() == end.date():
            return self._("%(date)s, from %(from)s to %(to)s") % parts
        return self._("%(date)s at %(from)s, until %(end_date)s at %(to)s") % {
            **parts,
            "end_date": self.date_spoken(end),
        }

    def spelled(self, code: str) -> str:
        """A reference or a telephone number, character by character, with pauses where it has hyphens or blanks."""
        groups = "".join(char if char.isalnum() else " " for char in code).split()
        if self.language is Language.ZH:
            return "，".join(
                "".join(_SPOKEN_DIGITS.get(char, char.upper()) for char in group) for group in groups
            )
        return ", ".join(" ".join(group.upper()) for group in groups)

    def _date_parts(
        self, day: datetime, weekdays: Sequence[str], months: Sequence[str]
    ) -> dict[str, str | int]:
        return {
            "weekday": self._(weekdays[day.weekday()]),
            "day": day.day,
            "month": day.month,
            "month_name": self._(months[day.month - 1]),
            "year": day.year,
        }


def offset_name(offset: timedelta | None) -> str:
    """UTC+2, UTC-3:30."""
    if offset is None:
        return ""
    minutes = int(offset.total_seconds() // 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"UTC{sign}{minutes // 60}" + (f":{minutes % 60:02d}" if minutes % 60 else "")


def _doubtful(at: datetime) -> bool:
    """Whether this wall clock reading comes twice (or never) on its day."""
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def _clock(at: datetime, with_offset: bool) -> str:
    return f"{at:%H:%M}" + (f" ({offset_name(at.utcoffset())})" if with_offset else "")


def _ordinal(number: int) -> str:
    if 11 <= number % 100 <= 13:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _clock_spoken_zh(at: datetime) -> str:
    parts = ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
    part = next(name for limit, name in parts if at.hour < limit)
    hour = at.hour if at.hour <= 12 else at.hour - 12
    minutes = f"{at.minute}分" if at.minute >= 10 else (f"零{at.minute}分" if at.minute else "")
    return f"{part}{hour}点{minutes}"
