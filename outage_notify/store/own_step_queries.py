"""Which set of own steps is in force, and the sets before it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from outage_notify.store.own_step_tables import OwnStepSet


def newest(session: Session) -> OwnStepSet | None:
    return session.scalars(select(OwnStepSet).order_by(OwnStepSet.id.desc()).limit(1)).first()


def newest_ref(session: Session) -> int | None:
    return session.scalar(select(OwnStepSet.id).order_by(OwnStepSet.id.desc()).limit(1))


def sets(session: Session, limit: int = 20) -> list[OwnStepSet]:
    """The newest first."""
    return list(session.scalars(select(OwnStepSet).order_by(OwnStepSet.id.desc()).limit(limit)))
