"""What pages and commands show of outages: plain, JSON-able, times in the outage's own zone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outage_notify.domain.outage import OutageState
from outage_notify.services import announce
from outage_notify.services.runtime import Runtime
from outage_notify.store import outage_queries, view_queries, work_queries
from outage_notify.store.outage_tables import Outage, OutageRevision


def outage_list(
    rt: Runtime, states: Collection[OutageState] = (), limit: int = 200, offset: int = 0
) -> list[dict[str, Any]]:
    """The newest outages with the numbers that a list shows."""
    with rt.database.read() as session:
        outages = view_queries.newest_outages(session, states, limit, offset)
        counted = view_queries.customers_in(session, [one.newest.id for one in outages])
        return [_head(one) | _audience_size(counted.get(one.newest.id, (0, 0))) for one in outages]


def outage_view(rt: Runtime, reference: str) -> dict[str, Any]:
    """One outage, whole: revisions, audience by tier, notices, signatures, tasks, events."""
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        zone = ZoneInfo(outage.timezone)
        size = view_queries.customers_in(session, [outage.newest.id]).get(outage.newest.id, (0, 0))
        return {
            **_head(outage),
            **_audience_size(size),
            "version": outage.version,
            "created_by": outage.created_by,
            "started_at": _local(outage.started_at, zone),
            "expected_end": _local(outage.expected_end, zone),
            "completed_at": _local(outage.completed_at, zone),
            "cancelled_at": _local(outage.cancelled_at, zone),
            "cancel_reason": outage.cancel_reason,
            "go": _go(outage, zone),
            "revisions": [_revision(one, zone) for one in outage.revisions],
            "by_tier": view_queries.by_tier(session, outage.newest),
            "notices": _notices(session, outage, zone),
            "paused": view_queries.paused_count(session, outage.id),
            "acknowledgements": _acknowledgements(session, outage, zone),
            "announcements": {
                "duties": [
                    announce.duty_dict(one)
                    for one in announce.of_standing(session, rt, outage, rt.now(session))
                ],
                "records": announce.listed(session, outage),
            },
            "tasks": _tasks(session, outage, zone),
            "events": _events(session, outage, zone),
        }


def _head(outage: Outage) -> dict[str, Any]:
    zone, revision = ZoneInfo(outage.timezone), outage.newest
    return {
        "reference": outage.reference,
        "kind": outage.kind.value,
        "state": outage.state.value,
        "revision": outage.revision,
        "pending": outage.pending.number if outage.pending else None,
        "pending_state": outage.pending.state.value if outage.pending else None,
        "timezone": outage.timezone,
        "start": _local(revision.start, zone),
        "end": _local(revision.end, zone),
        "reason": revision.reason,
        "area": revision.area,
        "line": revision.line,
    }


def _go(outage: Outage, zone: ZoneInfo) -> dict[str, Any] | None:
    """The decision to start without all signatures, if it is about the standing revision."""
    if outage.go_revision != outage.revision:
        return None
    return {"by": outage.go_by, "reason": outage.go_reason, "at": _local(outage.go_at, zone)}


def _audience_size(size: tuple[int, int]) -> dict[str, int]:
    return {"customers": size[0], "key_customers": size[1]}


def _revision(revision: OutageRevision, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "number": revision.number,
        "state": revision.state.value,
        "start": _local(revision.start, zone),
        "end": _local(revision.end, zone),
        "reason": revision.reason,
        "area": revision.area,
        "line": revision.line,
        "switching": revision.switching,
        "isolation": {name: revision.isolation.get(name, []) for name in ("opened", "closed")},
        "lost": revision.lost,
        "planned_by": revision.planned_by,
        "submitted_by": revision.submitted_by,
        "submitted_at": _local(revision.submitted_at, zone),
        "approved_by": revision.approved_by,
        "approved_at": _local(revision.approved_at, zone),
        "exception_reason": revision.exception_reason,
        "exception_rule": revision.exception_rule,
        "overrides": revision.overrides,
    }


def _notices(session: Session, outage: Outage, zone: ZoneInfo) -> list[dict[str, Any]]:
    notices = view_queries.notices_of_outage(session, outage.id)
    counts = view_queries.delivery_counts(session, [one.id for one in notices])
    return [
        {
            "kind": one.kind.value,
            "revision": one.revision,
            "serial": one.serial,
            "due_at": _local(one.due_at, zone),
            "deadline": _local(one.deadline, zone),
            "channels": counts.get(one.id, {}),
        }
        for one in notices
    ]


def _acknowledgements(session: Session, outage: Outage, zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "customer_id": one.customer.customer_id,
            "name": one.customer.name,
            "tier": one.customer.tier.value,
            "life_support": one.customer.life_support,
            "state": one.state.value,
            "step": one.step,
            "next_step_at": _local(one.next_step_at, zone),
            "answered_at": _local(one.answered_at, zone),
            "way": one.way.value if one.way else None,
            "signer_name": one.signer_name,
            "reason": one.reason,
            "wished": one.wished,
        }
        for one in view_queries.acknowledgements_of(session, outage.id, outage.revision)
    ]


def _tasks(session: Session, outage: Outage, zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "kind": one.kind.value,
            "customer_id": one.customer.customer_id if one.customer else None,
            "name": one.customer.name if one.customer else None,
            "grid_manager": one.grid_manager.name if one.grid_manager else None,
            "due_at": _local(one.due_at, zone),
            "note": one.note,
        }
        for one in work_queries.open_tasks(session, outage.id)
    ]


def _events(session: Session, outage: Outage, zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {"at": _local(one.at, zone), "actor": one.actor, "what": one.what, "detail": one.detail}
        for one in work_queries.events_of(session, outage.id)
    ]


def _local(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """ISO 8601 with the offset of the outage's zone, to the second."""
    return None if instant is None else instant.astimezone(zone).isoformat(timespec="seconds")
