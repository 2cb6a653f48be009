"""Who gets which notice when: approved facts become rows of the outbox.

`announce` compares what should stand in the outbox with what does and inserts the
difference, so it may be called again at any time: at approval, and by every reconcile while
somebody's earlier message is in doubt. Whoever is in doubt is left out until that is
settled, because only then is it known whether "planned" or "changed" is the right word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain import ladder
from outage_notify.domain.delivery import TOLD
from outage_notify.domain.ladder import Target
from outage_notify.domain.notice import ANNOUNCEMENTS, NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services import acknowledge, own_steps, send_invitations
from outage_notify.services.notice_spacing import Due, day_ahead_redundant, due_times, steps_told
from outage_notify.services.runtime import Runtime
from outage_notify.services.tell_news import by_customer, tell_reached
from outage_notify.services.whom_to_tell import Person, people_in_chunks, priority_of
from outage_notify.store import delivery_queries, people_lookup
from outage_notify.store.delivery_queries import Planned, Reached
from outage_notify.store.delivery_tables import Notice
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import TaskKind

FIRST = (NoticeKind.SEVEN_DAY, NoticeKind.CHANGED)
# Where a new notice to a person goes first.
Reach = Callable[[Person], list[Target]]
PLANNED_KINDS = ANNOUNCEMENTS


def announce(
    session: Session,
    rt: Runtime,
    outage: Outage,
    now: datetime,
    said: Callable[[int], object] = lambda customers: None,
) -> int:
    """Bring the outbox in line with the standing revision; returns how many deliveries are new.

    First notices to those never told, CHANGED to those told of an earlier revision,
    CANCELLED to those told and no longer affected, day-ahead notices to everybody affected; calendar entries
    beside them, which are not counted. `said` hears of how many customers were gone through.
    Idempotent. Runs inside the caller's transaction.
    """
    if outage.state is not OutageState.APPROVED or outage.pending is not None:
        return 0
    revision = outage.standing
    before = delivery_queries.reached_by_announcements(session, outage.id, below_revision=revision.number)
    spared = delivery_queries.retracted(session, outage.id)
    told = by_customer(one for one in before if one.state in TOLD and one.customer not in spared)
    doubtful = {one.customer for one in before if one.state not in TOLD}
    done = delivery_queries.customers_with(session, outage.id, revision.number, FIRST)
    reminded = delivery_queries.customers_with(session, outage.id, revision.number, (NoticeKind.DAY_AHEAD,))
    steps = own_steps.numbers(session, revision)
    affected: set[int] = set()
    keys: list[int] = []
    due = due_times(rt, now, ZoneInfo(outage.timezone))
    new = 0
    for chunk in people_in_chunks(session, rt, outage, revision.number):
        affected.update(chunk)
        keys += [ref for ref, one in chunk.items() if one.key]
        reach = _reach(session, outage, now)
        still = {ref: one for ref, one in chunk.items() if ref not in done and ref not in doubtful}
        new += _first_notices(
            session, outage, {r: p for r, p in still.items() if r not in told}, now, due, reach
        )
        new += _changes(session, rt, outage, {r: p for r, p in still.items() if r in told}, told, now, reach)
        later = {ref: one for ref, one in chunk.items() if ref not in reminded}
        new += _day_ahead(session, rt, outage, later, told, now, due, reach)
        for number in steps:
            new += _own_step(session, rt, outage, number, chunk, told, now, due, reach)
        said(len(affected))
    left = {ref: ways for ref, ways in told.items() if ref not in affected and ref not in doubtful}
    new += tell_reached(session, rt, outage, NoticeKind.CANCELLED, left, now, revision.end)
    # Beside the notices, and after them: whose mailbox gets the notice itself needs no second mail.
    send_invitations.invite(session, rt, outage, affected - doubtful, now)
    send_invitations.uninvite(session, rt, outage, affected, now)
    acknowledge.request_for(session, rt, outage, revision, keys, now)
    _mark_incomplete(session, outage, bool(doubtful), now)
    return new


def _first_notices(
    session: Session,
    outage: Outage,
    chosen: Mapping[int, Person],
    now: datetime,
    due: Due,
    reach: Reach,
) -> int:
    revision = outage.standing
    planned: list[Planned] = []
    deadlines: list[datetime] = []
    for person in chosen.values():
        # Where no law asks for a first notice (a lead of hours alone), the day-ahead notice is
        # the first one; it is sent even if little is left.
        duty = person.duties.get(NoticeKind.SEVEN_DAY)
        if duty is None and NoticeKind.DAY_AHEAD in person.duties:
            continue
        deadline = duty.deadline if duty else revision.start
        deadlines.append(deadline)
        planned += _rows(person, reach(person), NoticeKind.SEVEN_DAY, deadline, due)
    return _insert(session, outage, NoticeKind.SEVEN_DAY, planned, deadlines, now)


def _day_ahead(
    session: Session,
    rt: Runtime,
    outage: Outage,
    affected: Mapping[int, Person],
    changed: Collection[int],
    now: datetime,
    due: Due,
    reach: Reach,
) -> int:
    planned: list[Planned] = []
    deadlines: list[datetime] = []
    for ref, person in affected.items():
        duty = person.duties.get(NoticeKind.DAY_AHEAD)
        if duty is None:
            continue
        # The first notice (or, where no law asks for one, the change) goes out so late that it does for both.
        if day_ahead_redundant(rt, person, due) or (
            ref in changed
            and NoticeKind.SEVEN_DAY not in person.duties
            and rt.policy.redundant(now, due(NoticeKind.DAY_AHEAD, duty.deadline))
        ):
            continue
        deadlines.append(duty.deadline)
        planned += _rows(person, reach(person), NoticeKind.DAY_AHEAD, duty.deadline, due)
    return _insert(session, outage, NoticeKind.DAY_AHEAD, planned, deadlines, now)


def _own_step(
    session: Session,
    rt: Runtime,
    outage: Outage,
    number: int,
    affected: Mapping[int, Person],
    changed: Collection[int],
    now: datetime,
    due: Due,
    reach: Reach,
) -> int:
    """One step of the utility's own, to those whom it tells anything."""
    planned: list[Planned] = []
    deadlines: list[datetime] = []
    kind = (NoticeKind.AGAIN,)
    done = delivery_queries.customers_with(session, outage.id, outage.revision, kind, serial=number)
    for ref, person in affected.items():
        if ref in done:
            continue
        told = steps_told(rt, person, due, now, ref in changed)
        step = next((one for one in told if one.step.number == number), None)
        if step is None:
            continue
        deadlines.append(step.deadline)
        planned += _rows(person, reach(person), NoticeKind.AGAIN, step.deadline, due)
    return _insert(session, outage, NoticeKind.AGAIN, planned, deadlines, now, serial=number)


def _changes(
    session: Session,
    rt: Runtime,
    outage: Outage,
    chosen: Mapping[int, Person],
    told: Mapping[int, Sequence[Reached]],
    now: datetime,
    reach: Reach,
) -> int:
    """CHANGED through every channel that had reached them; by the ladder where none is usable any more."""
    if not chosen:
        return 0
    zone, revision = ZoneInfo(outage.timezone), outage.standing
    old = _before(outage)
    planned: list[Planned] = []
    deadlines: list[datetime] = []
    for ref, person in chosen.items():
        duty = person.duties.get(NoticeKind.SEVEN_DAY) or person.duties.get(NoticeKind.DAY_AHEAD)
        deadline = duty.deadline if duty else revision.start
        ways = {(one.channel, one.address) for one in told[ref]}
        targets = [
            Target(one.channel, one)
            for one in person.contacts
            if (one.channel, one.address) in ways and one.usable
        ] or reach(person)
        deadlines.append(deadline)
        for target in targets:
            due = rt.policy.change_due(
                target.channel,
                person.key,
                now,
                zone,
                old_start=old.start,
                new_start=revision.start,
                deadline=deadline,
            )
            planned.append(_row(person, target, due, urgent=True))
    return _insert(session, outage, NoticeKind.CHANGED, planned, deadlines, now, _old_window(old))


def _before(outage: Outage) -> OutageRevision:
    """The revision that stood before the standing one."""
    return next(one for one in reversed(outage.revisions) if one.number < outage.revision and one.approved_at)


def _old_window(old: OutageRevision) -> dict[str, str]:
    return {"old_start": old.start.isoformat(), "old_end": old.end.isoformat()}


def remind(
    session: Session,
    rt: Runtime,
    outage: Outage,
    customer: Customer,
    targets: Sequence[Target],
    step: int,
    now: datetime,
) -> int:
    """The reminder of one step of the escalation to one key customer: one notice per step."""
    zone, revision = ZoneInfo(outage.timezone), outage.standing
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        revision.number,
        NoticeKind.REMINDER,
        now=now,
        deadline=revision.start,
        due_at=now,
        not_after=revision.start,
        serial=step + 1,
    )
    due = rt.policy.quiet_hours.quiet_end(now, zone)
    rows = [
        Planned(
            customer.id,
            one.channel,
            one.contact.address,
            one.contact.id or None,
            customer.language,
            priority_of(customer),
            due if due < revision.start else now,
            urgent=True,
        )
        for one in targets
    ]
    return delivery_queries.insert_deliveries(session, notice, rows)


def _reach(session: Session, outage: Outage, now: datetime) -> Reach:
    """`_targets` of some people, whom several notices are planned for: worked out once for each."""
    known: dict[int, list[Target]] = {}

    def targets(person: Person) -> list[Target]:
        ref = person.customer.id
        if ref not in known:
            known[ref] = _targets(session, outage, person, now)
        return known[ref]

    return targets


def _targets(session: Session, outage: Outage, person: Person, now: datetime) -> list[Target]:
    """Where a new notice to a person goes first; a person without any address becomes a task."""
    targets = ladder.first(person.ladder, person.contacts)
    if not any(one.channel is not Channel.LETTER for one in targets):
        kind = TaskKind.VISIT if person.ladder.visit and not targets else TaskKind.CONTACT_MISSING
        open_task(
            session,
            kind,
            f"{kind.value}:{outage.id}:{outage.revision}:{person.customer.id}",
            now,
            outage=outage.id,
            customer=person.customer.id,
            grid_manager=people_lookup.grid_manager_of(session, person.customer.id),
            due_at=outage.standing.start,
            note="no usable address",
        )
    return targets


def _rows(
    person: Person, targets: Iterable[Target], kind: NoticeKind, deadline: datetime, due: Due
) -> list[Planned]:
    return [_row(person, one, due(kind, deadline, one.channel)) for one in targets]


def _row(person: Person, target: Target, due_at: datetime, urgent: bool = False) -> Planned:
    return Planned(
        person.customer.id,
        target.channel,
        target.contact.address,
        target.contact.id or None,
        person.customer.language,
        person.priority,
        due_at,
        rung=0,
        urgent=urgent,
    )


def _insert(
    session: Session,
    outage: Outage,
    kind: NoticeKind,
    planned: Sequence[Planned],
    deadlines: Sequence[datetime],
    now: datetime,
    facts: Mapping[str, str] | None = None,
    serial: int = 1,
) -> int:
    if not planned:
        return 0
    deadline, due_at = min(deadlines), min(one.due_at for one in planned)
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        outage.revision,
        kind,
        now=now,
        deadline=deadline,
        due_at=due_at,
        not_after=outage.standing.start,
        serial=serial,
        facts=facts,
    )
    # The notice was made for the first few thousand; the strictest deadline of all holds.
    notice.deadline, notice.due_at = min(notice.deadline, deadline), min(notice.due_at, due_at)
    return delivery_queries.insert_deliveries(session, notice, planned)


def _mark_incomplete(session: Session, outage: Outage, incomplete: bool, now: datetime) -> None:
    """Remember on one announcement of the revision that somebody is still in doubt."""
    announcements: list[Notice] = [
        one
        for one in delivery_queries.notices_of(session, outage.id, outage.revision)
        if one.kind in PLANNED_KINDS
    ]
    if incomplete and not announcements:
        # Everybody is in doubt, so that there is none yet to remember it on.
        start = outage.standing.start
        announcements.append(
            delivery_queries.ensure_notice(
                session,
                outage.id,
                outage.revision,
                NoticeKind.CHANGED,
                now=now,
                deadline=start,
                due_at=now,
                not_after=start,
                facts=_old_window(_before(outage)),
            )
        )
    for notice in announcements:
        notice.incomplete = incomplete and notice is announcements[0]
