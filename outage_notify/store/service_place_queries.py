"""Service places, and the outages that may leave them dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from outage_notify.domain.outage import OutageState
from outage_notify.store.network_tables import NetworkElement, NetworkVersion
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.service_place_tables import ServicePlace


def places(session: Session) -> Sequence[ServicePlace]:
    return session.scalars(select(ServicePlace).order_by(ServicePlace.kind, ServicePlace.place_id)).all()


def number(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ServicePlace)) or 0


def replace(session: Session, rows: Iterable[ServicePlace]) -> None:
    """These and no others."""
    session.execute(delete(ServicePlace))
    session.add_all(rows)


def loads(session: Session) -> frozenset[str]:
    """The loads of the network in force."""
    statement = (
        select(NetworkElement.source_id)
        .join(NetworkVersion, NetworkVersion.id == NetworkElement.version_ref)
        .where(NetworkVersion.in_force, NetworkElement.kind == "load")
    )
    return frozenset(f"load:{one}" for one in session.scalars(statement))


def dark(session: Session, until: datetime) -> list[tuple[bool, list[str], dict[str, Any] | None]]:
    """(going on?, lost loads, public area) of each outage that goes on, or is approved and starts before `until`."""
    standing = and_(
        OutageRevision.outage_ref == Outage.id,
        OutageRevision.number == Outage.revision,
        OutageRevision.approved_at.is_not(None),
    )
    soon = and_(Outage.state == OutageState.APPROVED, OutageRevision.start < until)
    rows = session.execute(
        select(Outage.state, OutageRevision.lost, OutageRevision.public_area)
        .join(OutageRevision, standing)
        .where(or_(Outage.state == OutageState.ACTIVE, soon))
    )
    return [(state is OutageState.ACTIVE, lost, area) for state, lost, area in rows]
