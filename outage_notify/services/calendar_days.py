"""The calendar that business days are reckoned by: public holidays by name, and what the utility adds.

Public holidays and declared workdays come with a package, which learns of a year's make-up days (调休) some time after
they are declared; until then an administrator enters them. Promises: a day that is entered counts for every deadline
that is worked out from then on; those of notices in the outbox stay as they were. Entries are taken out, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from outage_notify import policies
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import calendar_queries, user_lookup
from outage_notify.store.calendar_tables import CalendarDay
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

LANGUAGES = ("zh-CN", "en")
_MADE_UP = {"zh-CN": "调休上班", "en": "Made-up workday"}


@dataclass(frozen=True)
class NamedDay:
    """One day that is not what its weekday says. `number`: of the utility's own entry; `names` by language."""

    day: date
    names: dict[str, str]
    workday: bool = False
    number: int | None = None
    added_by: str = ""


def add(rt: Runtime, by: str, day: date, workday: bool, name_zh: str, name_en: str) -> int:
    """Enter a day off, or a workday. InvalidInput for what it is already and without a name; Conflict for twice."""
    chinese, english = (" ".join(one.split())[:100] for one in (name_zh, name_en))
    if not (chinese or english):
        raise InvalidInput("The name is missing.", "Say what day it is, in one language at least.")
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        today = now.astimezone(rt.zone).date()
        if not -366 <= (day - today).days <= 3 * 366:
            raise InvalidInput(f"{day} is too far away.", "Enter days of last year to three years ahead.")
        if calendar_queries.on(session, day) is not None:
            raise Conflict(f"{day} is entered already.", "Take the entry out first.")
        free = day in policies.holiday_set(rt.policy, [day.year])
        made = day in policies.weekend_workdays(rt.policy, [day.year])
        if workday and (made or (day.weekday() < 5 and not free)):
            raise InvalidInput(
                f"{day} is a workday as it is.", "Enter weekends and holidays that are worked."
            )
        if not workday and not made and (day.weekday() > 4 or free):
            raise InvalidInput(f"{day} is no workday as it is.", "Enter days off that would be workdays.")
        entry = CalendarDay(
            day=day,
            workday=workday,
            name_zh=chinese or english,
            name_en=english or chinese,
            added_at=now,
            added_by=by,
        )
        session.add(entry)
        session.flush()
        record(session, now, by, "day_entered", day=day.isoformat(), workday=workday, name=entry.name_zh)
        return entry.id


def remove(rt: Runtime, by: str, number: int) -> None:
    """Take an entry out. Called twice, the first time stands."""
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        entry = session.get(CalendarDay, number, with_for_update=True)
        if entry is None:
            raise NotFound("There is no such day.", "Look at the calendar again.")
        if entry.removed_at is None:
            entry.removed_at, entry.removed_by = now, by
            record(session, now, by, "day_taken_out", day=entry.day.isoformat(), name=entry.name_zh)


def of_year(rt: Runtime, year: int) -> list[NamedDay]:
    """Every day of a year that is not what its weekday says."""
    with rt.database.read() as session:
        return list(between(session, rt, date(year, 1, 1), date(year, 12, 31)))


def between(session: Session, rt: Runtime, first: date, last: date) -> tuple[NamedDay, ...]:
    """The same from day to day, each once; the utility's own word counts."""
    years = range(first.year, last.year + 1)
    found: dict[date, NamedDay] = {}
    for day in policies.weekend_workdays(rt.policy, years):
        found[day] = NamedDay(day, _MADE_UP, workday=True)
    called = {language: policies.names(rt.policy, years, language) for language in LANGUAGES}
    for day in policies.holiday_set(rt.policy, years):
        if day not in found:
            found[day] = NamedDay(day, {language: called[language][day] for language in LANGUAGES})
    for one in calendar_queries.in_force(session, first):
        names = {"zh-CN": one.name_zh, "en": one.name_en}
        found[one.day] = NamedDay(one.day, names, one.workday, one.id, one.added_by)
    return tuple(_within(found.values(), first, last))


def _within(days: Iterable[NamedDay], first: date, last: date) -> list[NamedDay]:
    return sorted((one for one in days if first <= one.day <= last), key=lambda one: one.day)
