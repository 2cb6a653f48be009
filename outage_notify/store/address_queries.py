"""The addresses of the import: which service points are at a place, and which outages hit them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from geo.wkb import decode
from outage_notify.domain.audience import Impact
from outage_notify.domain.outage import OutageState
from outage_notify.store.network_tables import NetworkElement, NetworkVersion
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ServicePoint

MOST_PLACES = 5_000
_BATCH = 400
T = TypeVar("T")


class Place(NamedTuple):
    service_point: int
    place: str
    element: str


def places_like(session: Session, parts: Iterable[str]) -> list[Place]:
    """Present service points whose place holds these parts in this order; at most MOST_PLACES."""
    escaped = [part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for part in parts]
    pattern = f"%{'%'.join(escaped)}%"
    statement = (
        select(ServicePoint.id, ServicePoint.place, ServicePoint.element)
        .where(ServicePoint.gone_at.is_(None), ServicePoint.place.ilike(pattern, escape="\\"))
        .order_by(ServicePoint.id)
        .limit(MOST_PLACES)
    )
    return [Place(*row) for row in session.execute(statement)]


def outages_at(session: Session, points: Collection[int]) -> dict[str, Impact]:
    """Reference of each approved or active outage that takes supply from one of these service points,
    with what is felt there: OUTAGE or MOMENTARY. Who keeps another feed is not hit."""
    found: dict[str, Impact] = {}
    for some in _batches(sorted(points)):
        statement = (
            select(Outage.reference, AudienceMember.impact)
            .join(
                OutageRevision,
                and_(
                    OutageRevision.outage_ref == Outage.id,
                    OutageRevision.number == Outage.revision,
                    OutageRevision.approved_at.is_not(None),
                ),
            )
            .join(AudienceMember, AudienceMember.revision_ref == OutageRevision.id)
            .where(
                Outage.state.in_((OutageState.APPROVED, OutageState.ACTIVE)),
                AudienceMember.impact.in_((Impact.OUTAGE, Impact.MOMENTARY)),
                AudienceMember.service_point_ref.in_(some),
            )
        )
        for reference, impact in session.execute(statement):
            if found.get(reference) is not Impact.OUTAGE:
                found[reference] = impact
    return found


def positions(session: Session, elements: Collection[str]) -> list[tuple[float, float]]:
    """Longitude and latitude of loads of the network in force: their own, or their bus's."""
    by_kind: dict[str, list[str]] = {}
    for element in elements:
        kind, _, source = element.partition(":")
        by_kind.setdefault(kind, []).append(source)
    found: list[tuple[float, float]] = []
    buses: set[str] = set()
    for geometry, bus in _rows(session, by_kind):
        if geometry is not None:
            found += decode(geometry)[:1]
        elif bus:
            buses.add(bus)
    named = [bus.partition(":")[2] or bus for bus in buses]
    found += [decode(geometry)[0] for geometry, _ in _rows(session, {"bus": named}) if geometry is not None]
    return found


def _rows(session: Session, by_kind: dict[str, list[str]]) -> Iterable[tuple[bytes | None, str | None]]:
    for kind, sources in by_kind.items():
        for some in _batches(sorted(set(sources))):
            statement = (
                select(NetworkElement.geometry, NetworkElement.bus_a)
                .join(NetworkVersion, NetworkVersion.id == NetworkElement.version_ref)
                .where(
                    NetworkVersion.in_force,
                    NetworkElement.kind == kind,
                    NetworkElement.source_id.in_(some),
                )
            )
            for row in session.execute(statement):
                yield row[0], row[1]


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(values), _BATCH):
        yield values[at : at + _BATCH]
