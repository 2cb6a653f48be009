"""Tasks as machines read them: JSON-able, with the answer that the customer still owes."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from outage_notify.domain.errors import NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import desk_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_tables import Task


def open_tasks(rt: Runtime, kind: str | None, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Open tasks, the most urgent first."""
    with rt.database.read() as session:
        rows = desk_queries.open_tasks(session, limit, kind, offset=offset)
        return _shown(session, rows)


def task(rt: Runtime, number: int) -> dict[str, Any]:
    """One task, done or not. NotFound if there is none."""
    with rt.database.read() as session:
        row = session.get(Task, number)
        if row is None:
            raise NotFound("There is no such task.", "Look at the list of tasks again.")
        outage = session.get(Outage, row.outage_ref) if row.outage_ref is not None else None
        return _shown(session, [(row, outage.reference if outage else None)])[0]


def outage_of_answer(rt: Runtime, acknowledgement: int) -> str:
    """The reference of the outage that an acknowledgement belongs to."""
    with rt.database.read() as session:
        return session.get_one(Outage, session.get_one(Acknowledgement, acknowledgement).outage_ref).reference


def _shown(session: Session, rows: list[tuple[Task, str | None]]) -> list[dict[str, Any]]:
    outages = {one.outage_ref for one, _ in rows if one.outage_ref is not None}
    waiting = desk_queries.waiting_answers(session, outages)
    return [
        {
            "id": one.id,
            "kind": one.kind.value,
            "outage": reference,
            "customer": one.customer.customer_id if one.customer else None,
            "grid_manager": one.grid_manager.name if one.grid_manager else None,
            "note": one.note,
            "created_at": one.created_at,
            "due_at": one.due_at,
            "done_at": one.done_at,
            "done_by": one.done_by,
            "acknowledgement": waiting.get((one.outage_ref or 0, one.customer_ref or 0)),
        }
        for one, reference in rows
    ]
