"""Whether anything is under way at a moment: what a hand-turned clock has to wait for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, ProviderReport
from outage_notify.store.work_tables import Event

S = DeliveryState


def under_way(session: Session, now: datetime) -> dict[str, int]:
    """What is not at rest, with counts; empty when all is calm. Letters rest until a person acts."""
    by_wire = Delivery.channel != Channel.LETTER
    ripe = (Delivery.state == S.READY) & (Delivery.due_at <= now) & Delivery.paused.is_(False)
    counts = {
        "due": select(func.count()).select_from(Delivery).where(ripe, by_wire),
        "being sent": select(func.count())
        .select_from(Delivery)
        .where(Delivery.state.in_({S.CLAIMED, S.SUBMITTING}), by_wire),
        "in doubt": select(func.count()).select_from(Delivery).where(Delivery.state == S.IN_DOUBT, by_wire),
        "waiting for a callback": select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.state == S.ACCEPTED,
            or_(Delivery.channel == Channel.SMS, Delivery.channel == Channel.VOICE),
        ),
        "failed and not followed up": select(func.count())
        .select_from(Delivery)
        .where(Delivery.state == S.FAILED, Delivery.stepped.is_(False)),
        "reports to apply": select(func.count())
        .select_from(ProviderReport)
        .where(ProviderReport.applied_at.is_(None)),
        "escalations due": select(func.count())
        .select_from(Acknowledgement)
        .where(Acknowledgement.state.in_({"REQUESTED", "ESCALATED"}), Acknowledgement.next_step_at <= now),
    }
    found = {name: session.scalar(statement) or 0 for name, statement in counts.items()}
    return {name: count for name, count in found.items() if count}


def has_event(session: Session, what: str) -> bool:
    return session.scalar(select(func.count()).select_from(Event).where(Event.what == what)) != 0
