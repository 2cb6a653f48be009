"""A planner's part: plan, edit, submit, take back, revise. Who approves is somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput, TooLate
from outage_notify.domain.outage import REVISION_MOVES, OutageKind, OutageState, RevisionState, require_move
from outage_notify.domain.policy import LeadFault, classes_of
from outage_notify.domain.window import check_window
from outage_notify.services import check_plan
from outage_notify.services.check_plan import Checked
from outage_notify.services.crowd import Crowd
from outage_notify.services.resolve_audience import Foreseen, Switching, foresee, freeze
from outage_notify.services.runtime import Runtime
from outage_notify.store import claims, outage_queries, user_lookup
from outage_notify.store.database import Database
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

TRIES = 5


@dataclass(frozen=True)
class PlanRequest:
    """What a planner enters. `reason` maps a language to words; at least one is given."""

    kind: OutageKind
    start: datetime
    end: datetime
    reason: dict[str, str]
    area: str = ""
    line: str = ""
    work: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    close_ties: bool = False

    @property
    def switching(self) -> Switching:
        return Switching(self.work, self.out, self.close, self.close_ties)


@dataclass(frozen=True)
class Preview:
    """Who is hit and what stands in the way, before anything is stored."""

    resolved: Foreseen
    lead_faults: list[LeadFault]
    _database: Database

    @property
    def by_tier(self) -> dict[str, dict[str, int]]:
        return self.resolved.by_tier

    @cached_property
    def missing_contacts(self) -> int:
        """How many customers have no usable address at all. Asks the database when it is asked."""
        with self._database.read() as session:
            return user_lookup.without_contact(session, self.resolved.hit.customers())


def preview(rt: Runtime, request: PlanRequest, foreseen: Foreseen | None = None) -> Preview:
    """Trace (unless it is `foreseen` already) and check, store nothing."""
    with rt.database.read() as session:
        now = rt.now(session)
        check_window(request.start, request.end, now)
        found = foreseen or foresee(session, rt, request.switching)
        return Preview(
            found, lead_faults(session, rt, request.kind, request.start, rt.zone, found.hit, now), rt.database
        )


# Something that is done in the same transaction as the storing of a plan, or not at all.
Also = Callable[[Session, Outage, datetime], None]


def plan(rt: Runtime, by: str, request: PlanRequest, also: Also | None = None) -> str:
    """Store a draft and return its reference. A second call makes a second draft."""
    for _ in range(TRIES - 1):
        try:
            return _plan(rt, by, request, also)
        except IntegrityError:
            # Another planner took the same number at the same moment.
            continue
    return _plan(rt, by, request, also)


def _plan(rt: Runtime, by: str, request: PlanRequest, also: Also | None) -> str:
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.PLANNER)
        _check_request(request, now)
        outage = Outage(
            reference=outage_queries.next_reference(session, now.astimezone(rt.zone).year),
            kind=request.kind,
            timezone=rt.zone.key,
            created_at=now,
            created_by=by,
            changed_at=now,
            state=OutageState.DRAFT,
            revision=1,
        )
        outage.revisions.append(_revision(request, 1, by))
        session.add(outage)
        session.flush()
        found = freeze(session, rt, outage.standing)
        record(session, now, by, "planned", outage=outage.id, customers=len(found.crowd.customers()))
        if also is not None:
            also(session, outage, now)
        return outage.reference


def edit(
    rt: Runtime,
    by: str,
    reference: str,
    request: PlanRequest,
    version: int | None = None,
    also: Also | None = None,
) -> None:
    """Change a draft. `version`: the one that was read; Conflict if somebody wrote meanwhile."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        _check_request(request, now)
        revision = outage.newest
        if revision.state is not RevisionState.DRAFT:
            raise IllegalMove(f"{reference} revision {revision.number} is {revision.state}, not a draft.")
        _fill(revision, request)
        if revision.number == 1:
            outage.kind = request.kind
        freeze(session, rt, revision)
        record(session, now, by, "edited", outage=outage.id, revision=revision.number)
        if also is not None:
            also(session, outage, now)


def revise(rt: Runtime, by: str, reference: str, request: PlanRequest, version: int | None = None) -> int:
    """Draft revision n+1 beside the standing one, whose unsent deliveries pause. Returns n+1."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        _check_request(request, now)
        if outage.state is not OutageState.APPROVED:
            raise IllegalMove(f"{reference} is {outage.state}.", "Only an approved outage is revised.")
        if outage.pending is not None:
            raise IllegalMove(
                f"{reference} has revision {outage.pending.number} under way already.",
                "Edit or drop that one.",
            )
        number = outage.revisions[-1].number + 1
        outage.revisions.append(_revision(request, number, by))
        session.flush()
        freeze(session, rt, outage.revisions[-1])
        paused = claims.pause(session, outage.id, True)
        record(session, now, by, "revision_drafted", outage=outage.id, revision=number, paused=paused)
        return number


def submit(
    rt: Runtime, by: str, reference: str, exception_reason: str = "", version: int | None = None
) -> None:
    """Hand a draft to an approver. Too late for the law: refused with article and earliest
    lawful start, unless the policy permits an exception and a reason is given. The same reason stands
    for checks that a second person may let through; others are refused (Blocked)."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        revision = outage.newest
        _move_revision(outage, revision, RevisionState.SUBMITTED)
        if revision.number == 1:
            require_move(reference, outage.state, OutageState.SUBMITTED)
            outage.state = OutageState.SUBMITTED
        check_window(revision.start, revision.end, now)
        found = freeze(session, rt, revision)
        revision.exception_reason = exception_reason.strip()
        revision.exception_rule = check_lead(session, rt, outage, revision, found.crowd, now)
        checked = Checked.of(outage, revision, found.resolution.dark, found.crowd)
        standing_in_the_way = check_plan.findings(session, rt, checked)
        check_plan.require_reasons(outage, revision, standing_in_the_way, by, exception_reason)
        revision.submitted_by, revision.submitted_at = by, now
        record(session, now, by, "submitted", outage=outage.id, revision=revision.number)


def send_back(rt: Runtime, by: str, reference: str, reason: str = "", version: int | None = None) -> None:
    """An approver returns what was submitted; it is a draft again."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.APPROVER)
        revision = outage.newest
        _move_revision(outage, revision, RevisionState.DRAFT)
        if revision.number == 1:
            require_move(reference, outage.state, OutageState.DRAFT)
            outage.state = OutageState.DRAFT
        record(session, now, by, "sent_back", outage=outage.id, revision=revision.number, reason=reason[:500])


def drop_revision(rt: Runtime, by: str, reference: str, version: int | None = None) -> None:
    """Give up a pending revision: the standing one goes on, its deliveries are let go again."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        if outage.pending is None:
            raise IllegalMove(f"{reference} has no revision under way.")
        drop_pending(session, outage, by, now)


def drop_pending(session: Session, outage: Outage, by: str, now: datetime) -> None:
    """The same inside a transaction; nothing happens where no revision is pending."""
    revision = outage.pending
    if revision is None:
        return
    revision.state = RevisionState.DROPPED
    claims.pause(session, outage.id, False)
    record(session, now, by, "revision_dropped", outage=outage.id, revision=revision.number)


def lead_faults(
    session: Session,
    rt: Runtime,
    kind: OutageKind,
    start: datetime,
    zone: ZoneInfo,
    crowd: Crowd,
    now: datetime,
) -> list[LeadFault]:
    """Duties towards those who are told that can't be kept any more."""
    classes: set[str] = set()
    for tier, life_support in crowd.classes(rt.policy):
        classes |= classes_of(tier, life_support)
    if not classes:
        return []
    return rt.policy.check_lead(kind, now, start, zone, classes, rt.holidays(session, start))


def check_lead(
    session: Session, rt: Runtime, outage: Outage, revision: OutageRevision, crowd: Crowd, now: datetime
) -> str:
    """Empty if in time; the article excepted from if a permitted exception was reasoned; else TooLate."""
    zone = ZoneInfo(outage.timezone)
    faults = lead_faults(session, rt, outage.kind, revision.start, zone, crowd, now)
    if not faults:
        return ""
    worst = faults[0]
    earliest = worst.earliest_start.strftime("%Y-%m-%d %H:%M %z")
    if revision.exception_reason and rt.policy.exception_permitted:
        return worst.rule.article[:200]
    way_out = (
        " Or give a reason for an exception, which a second person has to accept."
        if rt.policy.exception_permitted
        else ""
    )
    unverified = "" if worst.rule.verified else " (article not verified)"
    raise TooLate(
        f"{outage.reference}: too late for {worst.rule.article}{unverified}; notice was due by "
        f"{worst.deadline.astimezone(zone).strftime('%Y-%m-%d %H:%M %z')}.",
        f"The earliest lawful start is {earliest}.{way_out}",
    )


@contextmanager
def changing(
    rt: Runtime, reference: str, version: int | None = None
) -> Iterator[tuple[Session, Outage, datetime]]:
    """A write transaction on one outage, which is locked, checked against `version` and stamped."""
    try:
        with rt.database.write() as session:
            now = rt.now(session)
            outage = outage_queries.outage_by_reference(session, reference, lock=True)
            require_version(outage, version)
            outage.changed_at = now
            # Raises the version even where the clock has not moved since the last change.
            flag_modified(outage, "changed_at")
            yield session, outage, now
    except StaleDataError as error:
        raise _changed_meanwhile(reference) from error


def require_version(outage: Outage, version: int | None) -> None:
    """Conflict if an outage is no longer as it was read; None: whatever it is now."""
    if version is not None and outage.version != version:
        raise _changed_meanwhile(outage.reference)


def _changed_meanwhile(reference: str) -> Conflict:
    return Conflict(
        f"{reference} was changed by somebody else meanwhile.",
        "Look at it again and repeat your change; nothing was overwritten.",
    )


def _check_request(request: PlanRequest, now: datetime) -> None:
    check_window(request.start, request.end, now)
    if not any(words.strip() for words in request.reason.values()):
        raise InvalidInput("The reason is missing.", "Say in words why supply is interrupted.")


def _revision(request: PlanRequest, number: int, by: str) -> OutageRevision:
    revision = OutageRevision(
        number=number, state=RevisionState.DRAFT, planned_by=by, lost=[], isolation={}, overrides=[]
    )
    _fill(revision, request)
    return revision


def _fill(revision: OutageRevision, request: PlanRequest) -> None:
    revision.start, revision.end = request.start, request.end
    revision.reason = {lang: words.strip() for lang, words in request.reason.items() if words.strip()}
    revision.area, revision.line = request.area.strip(), request.line.strip()
    revision.switching = request.switching.as_dict()


def _move_revision(outage: Outage, revision: OutageRevision, to: RevisionState) -> None:
    if to not in REVISION_MOVES[revision.state]:
        raise IllegalMove(
            f"{outage.reference} revision {revision.number} is {revision.state}; it cannot become {to}."
        )
    revision.state = to
