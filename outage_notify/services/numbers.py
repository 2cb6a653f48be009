"""The numbers of a period: notice compliance, signatures, contact coverage, SAIDI and SAIFI, repeats,
overruns, cancellations; as a view for the page and as rows for CSV. Reads only.

Who can be reached is a count of all customers and all their numbers, a second of work at a million: the worker
counts ahead (`count_coverage`), and a count of the last minutes stands as long as nobody came or left. Without one,
the page counts.

SAIDI: minutes without supply by planned work, per customer served; SAIFI: planned interruptions per
customer served. Served are the customers of today. As planned: by the windows that were not cancelled; as it
was: by start and end of what is completed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.outage import OutageState
from outage_notify.domain.window import earlier_instant
from outage_notify.services.runtime import Runtime
from outage_notify.store import numbers_queries, people_columns
from outage_notify.store.numbers_queries import OutageRow

GOAL = 0.95  # of all customers can be reached
LONGEST = timedelta(days=3 * 366)
SHORT_NOTICE = timedelta(hours=24)
COVERAGE_STANDS = timedelta(minutes=15)
SIGNATURES = ("in_time", "late", "refused", "objected", "missing")


@dataclass(frozen=True)
class Class:
    """One tier: told in time, late, not told; reachable of all."""

    tier: Tier
    in_time: int
    late: int
    untold: int
    reachable: int
    customers: int

    @property
    def owed(self) -> int:
        return self.in_time + self.late + self.untold

    @property
    def share(self) -> float | None:
        return self.in_time / self.owed if self.owed else None

    @property
    def coverage(self) -> float | None:
        return self.reachable / self.customers if self.customers else None


@dataclass(frozen=True)
class Month:
    """One month (or the part of it in the period)."""

    first: date
    outages: int
    interruptions: int  # customers without supply by plan, each outage anew
    minutes: float  # the same times the length of the window


@dataclass(frozen=True)
class Numbers:
    """A period in the utility's own zone, `last` included."""

    first: date
    last: date
    now: datetime
    coverage_at: datetime
    classes: Sequence[Class]
    signatures: Mapping[str, int]
    months: Sequence[Month]
    served: int
    saidi_planned: float
    saifi_planned: float
    saidi_actual: float
    saifi_actual: float
    repeats: Mapping[int, int]
    outages: int
    completed: int
    overruns: int
    overrun_minutes: float
    cancelled: int
    cancelled_late: int

    @property
    def in_time(self) -> tuple[int, int]:
        """(told in time, owed) of all classes."""
        return sum(one.in_time for one in self.classes), sum(one.owed for one in self.classes)

    @property
    def coverage(self) -> tuple[int, int]:
        return sum(one.reachable for one in self.classes), sum(one.customers for one in self.classes)

    @property
    def asked(self) -> int:
        return sum(self.signatures.values())

    @property
    def repeated(self) -> int:
        """Customers who were without supply more than once."""
        return sum(count for times, count in self.repeats.items() if times > 1)


def numbers(rt: Runtime, first: date, last: date) -> Numbers:
    """The numbers of the days from `first` to `last`. InvalidInput for a period that is none or too long."""
    if last < first:
        raise InvalidInput("The last day lies before the first.", "Exchange the two.")
    if last - first > LONGEST:
        raise InvalidInput("That is more than three years.", "Choose a shorter period.")
    low, high = _midnight(first, rt.zone), _midnight(last + timedelta(days=1), rt.zone)
    with rt.database.read() as session:
        now = rt.now(session)
        owed = [(impact, key) for impact in Impact for key in (False, True) if rt.policy.told(impact, key)]
        rows = numbers_queries.outages(session, low, high)
        told = numbers_queries.compliance(session, low, high, now, owed)
        coverage, coverage_at = _coverage(session, now)
        signed = numbers_queries.signatures(session, low, high, now)
        repeats = numbers_queries.repeats(session, low, high)
    classes = [Class(tier, *told.get(tier, (0, 0, 0)), *coverage.get(tier, (0, 0))) for tier in Tier]
    served = sum(one.customers for one in classes)
    kept = [one for one in rows if one.state is not OutageState.CANCELLED]
    done = [one for one in kept if one.started_at and one.completed_at]
    late = [one for one in kept if _overrun(one, now) > timedelta(0)]
    gone = [one for one in rows if one.state is OutageState.CANCELLED]
    return Numbers(
        first=first,
        last=last,
        now=now,
        coverage_at=coverage_at,
        classes=classes,
        signatures={name: signed.get(name, 0) for name in SIGNATURES},
        months=list(_months(first, last, kept, rt.zone)),
        served=served,
        saidi_planned=_per(sum(one.customers * minutes(one.end - one.start) for one in kept), served),
        saifi_planned=_per(sum(one.customers for one in kept), served),
        saidi_actual=_per(sum(one.customers * minutes(_lasted(one)) for one in done), served),
        saifi_actual=_per(sum(one.customers for one in done), served),
        repeats=dict(sorted(repeats.items())),
        outages=len(rows),
        completed=len(done),
        overruns=len(late),
        overrun_minutes=_per(sum(minutes(_overrun(one, now)) for one in late), len(late)),
        cancelled=len(gone),
        cancelled_late=sum(
            1 for one in gone if one.cancelled_at and one.start - one.cancelled_at < SHORT_NOTICE
        ),
    )


def count_coverage(rt: Runtime) -> None:
    """Count who can be reached, for the pages of the next minutes. For the worker's bell; twice is harmless."""
    with rt.database.read() as session:
        people, counts = people_columns.mark(session), numbers_queries.coverage(session)
    with rt.database.write() as session:
        numbers_queries.keep_coverage(session, counts, people, rt.now(session))


def _coverage(session: Session, now: datetime) -> tuple[dict[Tier, tuple[int, int]], datetime]:
    """Tier > (can be reached, all), and as of when."""
    kept = numbers_queries.kept_coverage(session, people_columns.mark(session))
    if kept is not None and abs(now - kept[1]) <= COVERAGE_STANDS:
        return kept
    return numbers_queries.coverage(session), now


def as_csv(found: Numbers) -> str:
    """One row per number: section, what, value, unit. Nothing in it that a spreadsheet takes for a formula."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["section", "what", "value", "unit"])
    rows.writerows(_rows(found))
    return out.getvalue()


def minutes(span: timedelta) -> float:
    return span.total_seconds() / 60


def _rows(found: Numbers) -> Iterator[tuple[str, str, object, str]]:
    yield "period", "first", found.first.isoformat(), "day"
    yield "period", "last", found.last.isoformat(), "day"
    for one in found.classes:
        for name in ("in_time", "late", "untold"):
            yield "notice", f"{one.tier.value} {name}", getattr(one, name), "customers"
    for one in found.classes:
        yield "coverage", f"{one.tier.value} reachable", one.reachable, "customers"
        yield "coverage", f"{one.tier.value} all", one.customers, "customers"
    for word, count in found.signatures.items():
        yield "signatures", word, count, "answers"
    for month in found.months:
        label = f"{month.first:%Y-%m}"
        yield "months", f"{label} outages", month.outages, "outages"
        yield "months", f"{label} interruptions", month.interruptions, "customers"
        yield "months", f"{label} without supply", round(month.minutes, 1), "customer minutes"
    yield "index", "SAIDI as planned", round(found.saidi_planned, 4), "minutes per customer"
    yield "index", "SAIFI as planned", round(found.saifi_planned, 6), "interruptions per customer"
    yield "index", "SAIDI as it was", round(found.saidi_actual, 4), "minutes per customer"
    yield "index", "SAIFI as it was", round(found.saifi_actual, 6), "interruptions per customer"
    yield "index", "served", found.served, "customers"
    for times, count in found.repeats.items():
        yield "repeats", f"{times} times", count, "customers"
    yield "outages", "all", found.outages, "outages"
    yield "outages", "completed", found.completed, "outages"
    yield "outages", "overrun", found.overruns, "outages"
    yield "outages", "mean overrun", round(found.overrun_minutes, 1), "minutes"
    yield "outages", "cancelled", found.cancelled, "outages"
    yield "outages", "cancelled within a day of the start", found.cancelled_late, "outages"


def _months(first: date, last: date, kept: Sequence[OutageRow], zone: ZoneInfo) -> Iterator[Month]:
    found: dict[tuple[int, int], list[OutageRow]] = {}
    for one in kept:
        local = one.start.astimezone(zone)
        found.setdefault((local.year, local.month), []).append(one)
    month = first.replace(day=1)
    while month <= last:
        mine = found.get((month.year, month.month), [])
        yield Month(
            month,
            len(mine),
            sum(one.customers for one in mine),
            sum(one.customers * minutes(one.end - one.start) for one in mine),
        )
        month = (month + timedelta(days=32)).replace(day=1)


def _lasted(one: OutageRow) -> timedelta:
    if one.started_at is None or one.completed_at is None:
        return timedelta(0)
    return max(one.completed_at - one.started_at, timedelta(0))


def _overrun(one: OutageRow, now: datetime) -> timedelta:
    """How long it went on, or has been going on, after the end that was announced."""
    if one.started_at is None:
        return timedelta(0)
    return (one.completed_at or now) - one.end


def _per(total: float, count: int) -> float:
    return total / count if count else 0.0


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return earlier_instant(datetime.combine(day, time()), zone)
