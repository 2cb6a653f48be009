"""Long work on an outage as machines see it: how far the worker is, and what came of it.

Leaves imports out: their reports name rows of files of customers, and they are a matter of pages and commands.
"""

from __future__ import annotations

from flask import url_for

from outage_notify.domain.errors import NotFound
from outage_notify.services import long_work
from outage_notify.services.runtime import Runtime
from outage_notify.store.job_tables import IMPORTS, JobState


def shown(rt: Runtime, number: int) -> tuple[dict[str, object], str]:
    """(the job, its address). NotFound for one that is none of an outage."""
    job = long_work.one(rt, number)
    if job.kind in IMPORTS:
        raise NotFound(
            "There is no such work on an outage.", "Take the number from the answer that asked for it."
        )
    said = {
        "id": job.id,
        "kind": job.kind.value,
        "state": job.state.value,
        "outage": job.file_name,
        "phase": job.phase,
        "fraction": 1.0 if job.state is JobState.DONE else job.fraction,
        "asked_by": job.asked_by,
        "asked_at": job.asked_at.isoformat(),
        "ended_at": job.ended_at.isoformat() if job.ended_at else None,
        "messages": job.result.get("messages"),
        "problem": _problem(job.state, job.result),
    }
    return said, url_for("api.job", number=job.id)


def _problem(state: JobState, result: dict[str, object]) -> dict[str, object] | None:
    if state is JobState.LOST:
        return {
            "message": "The worker fell silent.",
            "remedy": "Ask for it again under a new Idempotency-Key.",
        }
    if state is not JobState.FAILED:
        return None
    return {"message": result.get("message", ""), "remedy": result.get("remedy", "")}
