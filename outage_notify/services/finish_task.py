"""Ticks off a task by hand. Tasks that a fact settles (a signature, a delivery) are closed by that fact."""

from __future__ import annotations

from outage_notify.domain.errors import NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store.work_queries import record
from outage_notify.store.work_tables import Task


def finish(rt: Runtime, by: str, task_id: int) -> None:
    """Mark a task as done by somebody. Called twice, the first time stands. NotFound if there is none."""
    with rt.database.write() as session:
        task = session.get(Task, task_id, with_for_update=True)
        if task is None:
            raise NotFound("There is no such task.", "Look at the list of tasks again.")
        if task.done_at is not None:
            return
        task.done_at, task.done_by = rt.now(session), by
        record(
            session,
            task.done_at,
            by,
            "task_done",
            outage=task.outage_ref,
            customer=task.customer_ref,
            kind=task.kind.value,
        )
