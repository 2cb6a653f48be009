"""Business days: which dates count, and how to walk over them.

A business day is Monday to Friday and not in `holidays`, or a weekend that is worked on all the same (调休) where
the set is a `DaysOff` that says so. The set of holidays is an
argument: this module knows no country. Walking is by whole dates; clock time is
the matter of `deadlines`.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import date, timedelta

_DAY = timedelta(days=1)


class DaysOff(frozenset[date]):
    """Days off, and beside them the weekends that are workdays: `workdays`. A day is never both."""

    workdays: frozenset[date] = frozenset()

    @classmethod
    def of(cls, days: Iterable[date], workdays: Iterable[date] = ()) -> DaysOff:
        made = frozenset(workdays)
        found = cls(one for one in days if one not in made)
        found.workdays = made
        return found


def is_business_day(day: date, holidays: AbstractSet[date]) -> bool:
    if isinstance(holidays, DaysOff) and day in holidays.workdays:
        return True
    return day.weekday() < 5 and day not in holidays


def business_day_from(day: date, holidays: AbstractSet[date]) -> date:
    """`day` itself if it is a business day, else the next one after it."""
    while not is_business_day(day, holidays):
        day += _DAY
    return day


def business_days_before(day: date, count: int, holidays: AbstractSet[date]) -> date:
    """The `count`-th business day before `day`; `day` itself is never counted."""
    while count > 0:
        day -= _DAY
        if is_business_day(day, holidays):
            count -= 1
    return day
