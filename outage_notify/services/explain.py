"""The story of one customer and one outage: why told or not told, when, how, and what came of it.

`explain` gives the entries in order of time, each with a constant word (`what`) and a
sentence (`why`). It reads facts only; nothing is recomputed that was frozen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outage_notify.domain.audience import gravest
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.services.runtime import Runtime
from outage_notify.store import explain_queries, outage_queries
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.people_tables import Customer

_ENDS = {
    DeliveryState.READY: "waits to be sent",
    DeliveryState.CLAIMED: "is being sent",
    DeliveryState.SUBMITTING: "is being sent",
    DeliveryState.IN_DOUBT: "in doubt: the provider will be asked",
    DeliveryState.ACCEPTED: "the provider took it",
    DeliveryState.DELIVERED: "it reached the person",
    DeliveryState.FAILED: "it failed",
    DeliveryState.WITHDRAWN: "it was withdrawn before it was sent",
}


def explain(rt: Runtime, reference: str, customer_id: str) -> list[dict[str, Any]]:
    """Entries {"at", "what", "why", ...}, oldest first. NotFound names what does not exist."""
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, reference)
        customer = explain_queries.customer_by_id(session, customer_id)
        if customer is None:
            raise NotFound(f"There is no customer {customer_id!r}.", "Use the id of the customer system.")
        entries = [_affected(session, rt, outage, one, customer) for one in outage.revisions]
        for delivery in explain_queries.deliveries(session, outage.id, customer.id):
            entries += _delivery(session, outage, delivery)
        entries += _signatures(session, outage, customer)
        entries += _events(session, outage, customer)
        zone = ZoneInfo(outage.timezone)
        entries.sort(key=lambda one: (one["at"] is None, one["at"] or datetime.max.replace(tzinfo=zone)))
        return [
            {**one, "at": one["at"].astimezone(zone).isoformat(timespec="seconds") if one["at"] else None}
            for one in entries
        ]


def _affected(
    session: Session, rt: Runtime, outage: Outage, revision: OutageRevision, customer: Customer
) -> dict[str, Any]:
    """Why this revision does or does not concern the customer."""
    at = revision.approved_at or revision.submitted_at
    head = {"at": at, "what": "traced", "revision": revision.number, "state": revision.state.value}
    members = outage_queries.audience_of_customer(session, revision, customer.id)
    if not members:
        elements = explain_queries.elements_of(session, customer.id)
        where = ", ".join(elements) or "no load of the network"
        return {
            **head,
            "told": False,
            "why": f"not affected: {where} keeps its supply while {_switched(revision)}",
        }
    impact = gravest(one.impact for one in members)
    key = any(one.is_key for one in members)
    told = rt.policy.told(impact, key)
    points = ", ".join(
        f"{one.service_point.service_point_id} on {one.service_point.element}: {one.impact}"
        for one in members
    )
    why = f"affected ({points}) while {_switched(revision)}"
    if not told:
        kind = "key" if key else "other"
        why += f"; policy {rt.policy.id} does not tell {kind} customers of {impact}"
    return {**head, "told": told, "impact": impact.value, "why": why}


def _switched(revision: OutageRevision) -> str:
    opened = ", ".join(revision.isolation.get("opened", [])) or "nothing"
    closed = ", ".join(revision.isolation.get("closed", []))
    return f"{opened} open" + (f" and {closed} closed" if closed else "")


def _delivery(session: Session, outage: Outage, delivery: Delivery) -> list[dict[str, Any]]:
    """A delivery's planning, each attempt, and its end."""
    notice = delivery.notice
    head = {
        "notice": notice.kind.value,
        "revision": delivery.revision,
        "channel": delivery.channel.value,
        "delivery": delivery.short_ref,
    }
    rung = (
        "first channel"
        if delivery.rung == 0
        else f"step {delivery.rung} of the ladder, the one before failed"
    )
    own = (
        f"own step {notice.serial} of the steps in force at approval; "
        if notice.kind is NoticeKind.AGAIN
        else ""
    )
    paused = "; paused until the pending revision is decided" if delivery.paused else ""
    entries: list[dict[str, Any]] = [
        {
            "at": notice.created_at,
            "what": "planned",
            **head,
            "due_at": delivery.due_at.astimezone(ZoneInfo(outage.timezone)).isoformat(timespec="seconds"),
            "why": f"{own}{rung}; {_ENDS[delivery.state]}{paused}",
        }
    ]
    for attempt in explain_queries.attempts(session, delivery.id):
        entries.append(
            {
                "at": attempt.began_at,
                "what": "attempt",
                **head,
                "why": f"{attempt.sender} answered {attempt.outcome or 'nothing'} {attempt.code}".strip(),
            }
        )
    for at, what in ((delivery.accepted_at, "accepted"), (delivery.delivered_at, "delivered")):
        if at:
            entries.append({"at": at, "what": what, **head, "why": _how(delivery, what)})
    if delivery.ended_at and delivery.state in {DeliveryState.FAILED, DeliveryState.WITHDRAWN}:
        why = " ".join(filter(None, [_ENDS[delivery.state], delivery.fault, delivery.code, delivery.detail]))
        entries.append({"at": delivery.ended_at, "what": delivery.state.value.lower(), **head, "why": why})
    return entries


def _how(delivery: Delivery, what: str) -> str:
    if what == "delivered" and delivery.digits:
        return f"key {delivery.digits} was pressed on the call"
    who = delivery.sender or "the provider"
    return {"accepted": f"{who} took it", "delivered": f"{who} says that it arrived"}[what]


def _signatures(session: Session, outage: Outage, customer: Customer) -> list[dict[str, Any]]:
    entries = []
    for one in explain_queries.acknowledgements(session, outage.id, customer.id):
        head = {"revision": one.revision, "state": one.state.value}
        entries.append(
            {"at": one.requested_at, "what": "signature_asked", **head, "why": "a key customer signs"}
        )
        if one.answered_at:
            way = one.way.value if one.way else ""
            reason = f": {one.reason}" if one.reason else ""
            why = f"{one.signer_name} ({way}){reason}"
            entries.append({"at": one.answered_at, "what": "signature", **head, "why": why})
    return entries


def _events(session: Session, outage: Outage, customer: Customer) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = [
        {"at": one.at, "what": one.what, "why": f"by {one.actor}", **one.detail}
        for one in explain_queries.events(session, outage.id, customer.id)
    ]
    for task in explain_queries.tasks(session, outage.id, customer.id):
        done = f"; done by {task.done_by}" if task.done_at else "; open"
        entries.append({"at": task.created_at, "what": f"task_{task.kind.value}", "why": task.note + done})
    return entries
