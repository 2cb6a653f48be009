"""What the dispatcher's pages show: the board, one outage with everything around it, tasks.

Reads only. Each view is one consistent look at the database at one moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.acknowledgement import OPEN, UNSIGNED, AckState, ack_predecessors
from outage_notify.domain.announcement import AnnouncementDuty
from outage_notify.domain.audience import TIER_ORDER, Tier
from outage_notify.domain.outage import OutageState
from outage_notify.services import announce, outage_watch, start_gate
from outage_notify.services.acknowledge import wished_start
from outage_notify.services.outage_watch import Due, Effects
from outage_notify.services.runtime import Runtime
from outage_notify.store import (
    acknowledgement_queries,
    board_attention,
    desk_queries,
    outage_queries,
    view_queries,
    watch_queries,
    work_queries,
)
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import LetterBatch, Notice
from outage_notify.store.desk_queries import BoardFilter
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.people_tables import Customer
from outage_notify.store.watch_queries import Telling
from outage_notify.store.work_tables import Event, Task, TaskKind

PAGE = 50
EVENTS_SHOWN = 200
TASKS_SHOWN = 300


@dataclass(frozen=True)
class BoardRow:
    outage: Outage
    customers: int
    unsigned: int
    tasks: int
    needs: Sequence[str] = ()  # what somebody has to do about it


@dataclass(frozen=True)
class Board:
    """One page of outages. `counts`: how many there are in each state, whatever is filtered."""

    now: datetime
    rows: Sequence[BoardRow]
    total: int
    page: int
    counts: Mapping[OutageState, int]
    awaiting: int
    red: int = 0  # how many need somebody, whatever is filtered

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class KeyCustomer:
    """A key customer of the revision that is looked at, and the answer to it."""

    customer: Customer
    tier: Tier
    life_support: bool
    places: tuple[tuple[str, str], ...]  # (place, impact)
    ack: Acknowledgement | None

    @property
    def waits(self) -> bool:
        return self.ack is not None and self.ack.state in OPEN

    @property
    def may_answer(self) -> bool:
        return self.ack is not None and self.ack.state in ack_predecessors(AckState.ACKNOWLEDGED)


@dataclass(frozen=True)
class NoticeRow:
    """Deliveries of one notice by one channel, counted by state."""

    notice: Notice
    channel: str
    states: Mapping[str, int]

    def count(self, *states: str) -> int:
        return sum(self.states.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True)
class TaskRow:
    """An open task; `ack` is the answer that its customer still owes, if any; `wished`: the start that an
    objection asks for, as a browser writes it."""

    task: Task
    reference: str
    ack: int | None
    late: bool
    wished: str = ""


@dataclass(frozen=True)
class OutageView:
    """Everything about one outage. `shown` is the revision planners work on, `outage.standing` what counts."""

    now: datetime
    outage: Outage
    tiers: Sequence[tuple[str, Mapping[str, int]]]
    keys: Sequence[KeyCustomer]
    notices: Sequence[NoticeRow]
    failures: Sequence[tuple[str, str, str, int]]
    tasks: Sequence[Task]
    events: Sequence[Event]
    paused: int
    totals: Mapping[str, int]
    announcements: Sequence[AnnouncementDuty] = ()
    telling: Mapping[str, Mapping[str, Mapping[str, int]]] = field(
        default_factory=dict
    )  # tier > channel > state
    tellings: Sequence[Telling] = ()
    due_next: Sequence[Due] = ()
    effects: Effects | None = None
    steps: Sequence[str] = ()  # actions of the escalation, in order

    def next_step(self, ack: Acknowledgement) -> str:
        """What is done next while this one has not answered; empty where nothing is left to do."""
        return self.steps[ack.step] if ack.state in OPEN and ack.step < len(self.steps) else ""

    @property
    def told_channels(self) -> list[str]:
        """Channels that any message of this revision goes by."""
        used = {channel for channels in self.telling.values() for channel in channels}
        return [one.value for one in Channel if one.value in used]

    @property
    def unannounced(self) -> list[AnnouncementDuty]:
        """What the standing revision should have been announced by, and has no record in time."""
        return announce.unmet(self.announcements)

    @property
    def shown(self) -> OutageRevision:
        return self.outage.newest

    @property
    def unsigned(self) -> list[KeyCustomer]:
        """Who is asked and has not answered; named again before the work starts."""
        return [one for one in self.keys if one.ack is not None and one.ack.state in UNSIGNED]

    def may_start(self, by: str) -> bool:
        """Whether signatures stand in nobody's way, or a person other than `by` has decided."""
        return start_gate.may_start(self.outage, len(self.unsigned), by)

    @property
    def go_decided(self) -> bool:
        return self.outage.go_revision == self.outage.revision


def board(rt: Runtime, wanted: BoardFilter, page: int = 1) -> Board:
    """One page of the board."""
    with rt.database.read() as session:
        rows, total = desk_queries.board(session, wanted, PAGE, (page - 1) * PAGE)
        ids = [one.id for one in rows]
        customers = view_queries.customers_in(session, [one.newest.id for one in rows])
        unsigned = desk_queries.unsigned_by_outage(session, ids)
        tasks = desk_queries.tasks_by_outage(session, ids)
        now = rt.now(session)
        needs = board_attention.reasons_of(session, ids, now)
        found = [
            BoardRow(
                one,
                customers.get(one.newest.id, (0, 0))[0],
                unsigned.get(one.id, 0),
                tasks.get(one.id, 0),
                needs.get(one.id, ()),
            )
            for one in rows
        ]
        counts = desk_queries.count_by_state(session)
        awaiting = desk_queries.awaiting_approval(session)
        return Board(now, found, total, page, counts, awaiting, board_attention.count(session, now))


def outage(rt: Runtime, reference: str) -> OutageView:
    """One outage. NotFound if there is none of this reference."""
    with rt.database.read() as session:
        row, now = outage_queries.outage_by_reference(session, reference), rt.now(session)
        tiers = list(view_queries.by_tier(session, row.newest).items())
        acks = acknowledgement_queries.of_revision(session, row.id, row.revision)
        duties = announce.of_revision(session, rt, row, row.newest, now)
        tellings = watch_queries.tellings(session, row.id)
        steps = [one.action.value for one in rt.policy.escalation.steps]
        return OutageView(
            now=now,
            outage=row,
            tiers=tiers,
            keys=_keys(session, row),
            notices=_notices(session, row),
            failures=desk_queries.failures(session, row.id),
            tasks=[task for task, _ in desk_queries.open_tasks(session, TASKS_SHOWN, outage=row.id)],
            events=work_queries.events_of(session, row.id, EVENTS_SHOWN),
            paused=view_queries.paused_count(session, row.id),
            totals={
                name: sum(counts[name] for _, counts in tiers)
                for name in ("outage", "reduced", "momentary", "customers")
            },
            announcements=duties,
            telling=watch_queries.by_tier_and_channel(session, row.id, row.revision),
            tellings=tellings,
            due_next=outage_watch.due_next(row, tellings, acks, steps, duties, now),
            effects=outage_watch.effects(session, rt, row, acks),
            steps=steps,
        )


def version_of(rt: Runtime, reference: str) -> Outage:
    """The outage alone, with its revisions: for forms that are filled from it."""
    with rt.database.read() as session:
        return outage_queries.outage_by_reference(session, reference)


def tasks(rt: Runtime, kind: str | None = None) -> list[TaskRow]:
    """Open tasks, the most urgent first."""
    with rt.database.read() as session:
        now = rt.now(session)
        rows = desk_queries.open_tasks(session, TASKS_SHOWN, kind)
        outages = {task.outage_ref for task, _ in rows if task.outage_ref is not None}
        waiting = desk_queries.waiting_answers(session, outages)
        return [
            TaskRow(
                task,
                reference or "",
                waiting.get((task.outage_ref or 0, task.customer_ref or 0)),
                task.due_at is not None and task.due_at < now,
                wished_start(task.note) if task.kind is TaskKind.OBJECTION else "",
            )
            for task, reference in rows
        ]


def letter_batches(rt: Runtime) -> list[tuple[LetterBatch, str, int]]:
    """Printed batches with the outage's reference and how many letters they hold."""
    with rt.database.read() as session:
        return desk_queries.letter_batches(session, TASKS_SHOWN)


def elements(rt: Runtime, text: str, limit: int = 20) -> list[dict[str, str]]:
    """Elements of the network in force that a planner may mean: `{"element": "line:12", "label": ...}`."""
    with rt.database.read() as session:
        rows = desk_queries.elements_like(session, text, limit)
        return [
            {
                "element": f"{row.kind}:{row.source_id}",
                "label": " · ".join(part for part in (row.name, row.feeder) if part),
            }
            for row in rows
        ]


def _keys(session: Session, row: Outage) -> list[KeyCustomer]:
    asked = {
        one.customer_ref: one
        for one in acknowledgement_queries.of_revision(session, row.id, row.newest.number)
    }
    members = defaultdict(list)
    for member in desk_queries.key_members(session, row.newest.id):
        members[member.customer_ref].append(member)
    found = [
        KeyCustomer(
            customer=mine[0].customer,
            tier=min((one.tier for one in mine), key=TIER_ORDER.__getitem__),
            life_support=any(one.life_support for one in mine),
            places=tuple((one.service_point.place, one.impact.value) for one in mine),
            ack=asked.get(customer),
        )
        for customer, mine in members.items()
    ]
    return sorted(found, key=lambda one: (not one.waits, TIER_ORDER[one.tier], one.customer.name))


def _notices(session: Session, row: Outage) -> list[NoticeRow]:
    notices = view_queries.notices_of_outage(session, row.id)
    counts = view_queries.delivery_counts(session, [one.id for one in notices])
    return [
        NoticeRow(notice, channel, states)
        for notice in notices
        for channel, states in sorted(counts.get(notice.id, {}).items())
    ]
