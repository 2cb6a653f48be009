"""Providers' reports as they came in, and those that nobody has applied yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.store.delivery_tables import ProviderReport


def add(
    session: Session, channel: Channel, delivery: int | None, form: Mapping[str, str], now: datetime
) -> ProviderReport:
    row = ProviderReport(received_at=now, channel=channel, delivery_ref=delivery, form=dict(form))
    session.add(row)
    session.flush()
    return row


def unapplied(session: Session, limit: int = 1000) -> Sequence[int]:
    """Ids of reports that were stored and not applied, oldest first."""
    return session.scalars(
        select(ProviderReport.id)
        .where(ProviderReport.applied_at.is_(None))
        .order_by(ProviderReport.id)
        .limit(limit)
    ).all()
