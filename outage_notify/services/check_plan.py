"""Checks before approval: collects the facts that `domain.checks` judges, and enforces the judgement.

Shown in the preview, on the outage's page and by `outage preflight`; enforced by `submit` (a
planner's reason) and `approve` (another person's). Stores nothing but the overrides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from geo.model import GeoError
from geo.resolve import resolve
from outage_notify.domain import checks
from outage_notify.domain.audience import Impact
from outage_notify.domain.checks import CheckKind, Finding, Limits, Other, Plan, ProtectedDate, Weight
from outage_notify.domain.errors import Blocked, NotPermitted
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.services import customer_plans, window_facts
from outage_notify.services.crowd import Crowd
from outage_notify.services.network_in_force import load_network
from outage_notify.services.resolve_audience import Switching
from outage_notify.services.runtime import Runtime
from outage_notify.store import check_queries, feed_lookup, user_lookup
from outage_notify.store.check_queries import OtherRow
from outage_notify.store.outage_tables import Outage, OutageRevision

# Outages that are switched at the same time as one plan: more than these are traced by sums alone.
MOST_TRACED_TOGETHER = 5
# What a yearly cap counts: work that the utility chose to do.
MAINTENANCE = (OutageKind.PLANNED, OutageKind.TEMPORARY)


@dataclass(frozen=True)
class Checked:
    """What is checked: a window, a switching and what the trace said. `reference` is the plan's own.

    `waves`: the first messages, where they are counted already.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    switching: Switching
    lost: frozenset[str]
    crowd: Crowd
    reference: str = ""
    kind: OutageKind = OutageKind.PLANNED
    waves: tuple[window_facts.Wave, ...] | None = None

    @classmethod
    def of(cls, outage: Outage, revision: OutageRevision, lost: Iterable[str], crowd: Crowd) -> Checked:
        return cls(
            revision.start,
            revision.end,
            ZoneInfo(outage.timezone),
            Switching.from_dict(revision.switching),
            frozenset(lost),
            crowd,
            outage.reference,
            outage.kind,
        )


def findings(session: Session, rt: Runtime, asked: Checked) -> list[Finding]:
    """Everything that stands in the way, the gravest first. Reads only."""
    limits = rt.policy.limits
    dark = frozenset(asked.crowd.customers((Impact.OUTAGE,)))
    # In UTC: the difference of two times of one zone is an hour wrong over a change of clocks.
    plan = Plan(asked.start.astimezone(UTC), asked.end.astimezone(UTC), asked.lost, dark)
    span = max(limits.within, limits.merge_within) + timedelta(days=1)
    rows = check_queries.others(session, asked.start - span, asked.end + span, asked.reference)
    others = {row.revision: _other(row) for row in rows}
    touching = {number: one for number, one in others.items() if one.lost & plan.lost}
    numbers = {number: people for number, people in _dark(session, touching).items() if people & plan.dark}
    by_reference: dict[str, set[int]] = {}
    for number, people in numbers.items():
        by_reference.setdefault(others[number].reference, set()).update(people)
    same = [touching[number] for number in numbers]
    close = [one for one in same if checks.near(plan, one, limits.merge_within)]
    clashing = [row for row in rows if checks.clash(plan, others[row.revision])]
    found = [
        *_feeds(session, rt, asked, plan, clashing, [others[row.revision] for row in clashing]),
        *_once_each(checks.overlaps(plan, close, by_reference)),
        *checks.repeated(plan, same, by_reference, limits),
        *checks.too_long(plan, limits),
        *_yearly(session, asked, limits, dark),
        *checks.protected(plan, _protected(session, asked), asked.zone),
        *checks.no_contact(_missing(session, rt, asked)),
        *checks.no_plan(check_queries.key_without_plan(session, dark), limits),
        *checks.late_wave(
            window_facts.too_many(
                session, rt, asked.kind, asked.start, asked.crowd, rt.now(session), asked.waves
            )
        ),
        *customer_plans.findings(
            session, asked.crowd.customers(), dark, asked.start, asked.end, asked.zone, rt.now(session)
        ),
    ]
    return checks.in_order(_named(session, one) for one in found)


def _yearly(session: Session, asked: Checked, limits: Limits, dark: Collection[int]) -> list[Finding]:
    if limits.yearly is None or asked.kind not in MAINTENANCE or not dark:
        return []
    year = asked.start.astimezone(asked.zone).year
    span = (
        datetime(year, 1, 1, tzinfo=asked.zone).astimezone(UTC),
        datetime(year + 1, 1, 1, tzinfo=asked.zone).astimezone(UTC),
    )
    found = check_queries.often(session, dark, span, asked.reference, MAINTENANCE, limits.yearly)
    return checks.yearly(found, limits, year)


def require_reasons(
    outage: Outage, revision: OutageRevision, found: Sequence[Finding], by: str, reason: str
) -> None:
    """At submission: a STOP is refused, an OVERRIDE needs a reason, which is kept with what it is for."""
    _refuse_stops(outage.reference, found)
    open_ones = checks.to_override(found)
    if open_ones and not reason.strip():
        raise Blocked(
            f"{outage.reference}: {' '.join(one.sentence for one in open_ones)}",
            "Change the plan, or give a reason that a second person has to accept.",
        )
    revision.overrides = [
        {"check": one.key, "finding": one.sentence, "reason": reason.strip(), "asked_by": by}
        for one in open_ones
    ]


def require_second_person(
    outage: Outage, revision: OutageRevision, found: Sequence[Finding], by: str, reason: str, now: datetime
) -> list[str]:
    """At approval: what the planner asked for is accepted with the approver's own reason.

    What has come up since goes back to the planner. Returns the keys of what was overridden.
    """
    _refuse_stops(outage.reference, found)
    asked = {one["check"] for one in revision.overrides}
    fresh = checks.to_override(found, asked)
    if fresh:
        raise Blocked(
            f"{outage.reference}: since it was submitted this came up: {' '.join(one.sentence for one in fresh)}",
            "Send it back, so that the planner changes it or gives a reason.",
        )
    still = {one.key for one in checks.to_override(found)}
    if still and not reason.strip():
        raise NotPermitted(
            f"{outage.reference} asks to be let through: "
            + " ".join(str(one["finding"]) for one in revision.overrides if one["check"] in still),
            "Approve with --override-reason if you answer for it.",
        )
    revision.overrides = [
        {**one, "accepted_by": by, "accepted_reason": reason.strip(), "accepted_at": now.isoformat()}
        if one["check"] in still
        else one
        for one in revision.overrides
    ]
    return sorted(still)


def _refuse_stops(reference: str, found: Sequence[Finding]) -> None:
    if hard := checks.stops(found):
        raise Blocked(
            f"{reference}: {' '.join(one.sentence for one in hard)}",
            "Nobody may let this through: choose another window or another switching.",
        )


def _other(row: OtherRow) -> Other:
    end = max(row.end, row.expected_end or row.end) if row.state is OutageState.ACTIVE else row.end
    return Other(
        row.reference,
        row.start,
        end,
        frozenset(row.lost),
        draft=row.state is OutageState.DRAFT,
        over=row.state is OutageState.COMPLETED,
    )


def _dark(session: Session, touching: dict[int, Other]) -> dict[int, set[int]]:
    return check_queries.dark_customers(session, list(touching))


def _once_each(found: Iterable[Finding]) -> list[Finding]:
    """One finding per other outage, though its standing and its next revision may both be near."""
    kept: dict[str, Finding] = {}
    for one in found:
        reference = one.references[0]
        if reference not in kept or kept[reference].kind is CheckKind.MERGE:
            kept[reference] = one
    return list(kept.values())


def _feeds(
    session: Session,
    rt: Runtime,
    asked: Checked,
    plan: Plan,
    rows: Sequence[OtherRow],
    others: Sequence[Other],
) -> list[Finding]:
    """The hard stop on both feeds, and switchings that exclude each other."""
    firm = [(row, one) for row, one in zip(rows, others, strict=True) if not (one.draft or one.over)]
    if not firm:
        return []
    _, loaded = load_network(session, rt)
    together: dict[frozenset[str], frozenset[str]] = {}
    found: list[Finding] = []
    for row, one in firm[:MOST_TRACED_TOGETHER]:
        theirs = Switching.from_dict(row.switching)
        try:
            both = resolve(
                loaded.grid,
                work=_joined(asked.switching.work, theirs.work),
                out=_joined(asked.switching.out, theirs.out),
                close=_joined(asked.switching.close, theirs.close),
                close_ties=asked.switching.close_ties or theirs.close_ties,
            )
        except GeoError as error:
            if plan.lost & one.lost or {*asked.switching.close} | {*theirs.close}:
                found.append(
                    Finding(
                        CheckKind.SWITCHING, Weight.OVERRIDE, (row.reference,), detail=error.message[:200]
                    )
                )
            continue
        together[frozenset((row.reference,))] = frozenset(both.dark)
    lost = plan.lost.union(*(one.lost for _, one in firm), *together.values())
    feeds = feed_lookup.feeds_of_sites_on(session, lost) if len(lost) > len(plan.lost) else []
    mine = checks.both_feeds(plan, [one for _, one in firm], feeds, together)
    return [*mine, *found]


def _joined(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *two)))


def _protected(session: Session, asked: Checked) -> list[ProtectedDate]:
    days = check_queries.protected_days(
        session, asked.start.astimezone(asked.zone).date(), asked.end.astimezone(asked.zone).date()
    )
    return [ProtectedDate(one.name, one.first, one.last) for one in days]


def _missing(session: Session, rt: Runtime, asked: Checked) -> int:
    return user_lookup.without_contact(session, asked.crowd.told(rt.policy))


def _named(session: Session, finding: Finding) -> Finding:
    """With the names of the key customers, for people who may see them."""
    if not finding.people:
        return finding
    return replace(finding, names=tuple(check_queries.names_of(session, finding.people)))
