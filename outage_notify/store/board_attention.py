"""Where a person must act: the conditions that turn a row of the board red, as SQL.

One list of conditions serves the filter and the reasons shown, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from outage_notify.domain.acknowledgement import UNSIGNED
from outage_notify.domain.outage import OutageState, RevisionState
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.work_tables import Task

SIGN_BEFORE = timedelta(hours=48)


def reasons(now: datetime) -> dict[str, ColumnElement[bool]]:
    """Word > condition on an Outage joined to its standing revision."""
    pending = aliased(OutageRevision)
    submitted = select(pending.id).where(
        pending.outage_ref == Outage.id, pending.state == RevisionState.SUBMITTED
    )
    unsigned = select(Acknowledgement.id).where(
        Acknowledgement.outage_ref == Outage.id,
        Acknowledgement.revision == Outage.revision,
        Acknowledgement.state.in_(UNSIGNED),
    )
    late_task = select(Task.id).where(Task.outage_ref == Outage.id, Task.done_at.is_(None), Task.due_at < now)
    start = OutageRevision.start
    waiting = Outage.state.in_((OutageState.DRAFT, OutageState.SUBMITTED))
    return {
        "approve": and_(
            Outage.state.not_in((OutageState.CANCELLED, OutageState.COMPLETED)), submitted.exists()
        ),
        "never_approved": and_(waiting, start <= now),
        "not_started": and_(Outage.state == OutageState.APPROVED, start <= now),
        "overrun": and_(
            Outage.state == OutageState.ACTIVE,
            func.coalesce(Outage.expected_end, OutageRevision.end) <= now,
        ),
        "unsigned": and_(
            Outage.state == OutageState.APPROVED,
            start > now,
            start <= now + SIGN_BEFORE,
            unsigned.exists(),
        ),
        "task": late_task.exists(),
    }


def needs_somebody(now: datetime) -> ColumnElement[bool]:
    return or_(*reasons(now).values())


def reasons_of(session: Session, outages: Collection[int], now: datetime) -> dict[int, list[str]]:
    """Outage id > words of what somebody has to do about it; those without any are left out."""
    words = reasons(now)
    rows = session.execute(
        select(Outage.id, *(condition.label(word) for word, condition in words.items()))
        .join(
            OutageRevision,
            and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision),
        )
        .where(Outage.id.in_(list(outages)))
    )
    found = {row[0]: [word for word, true in zip(words, row[1:], strict=True) if true] for row in rows}
    return {outage: mine for outage, mine in found.items() if mine}


def count(session: Session, now: datetime) -> int:
    """How many outages need somebody."""
    statement = (
        select(func.count())
        .select_from(Outage)
        .join(
            OutageRevision,
            and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision),
        )
        .where(needs_somebody(now))
    )
    return session.scalar(statement) or 0
