"""Which outages a customer's calendar holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from math import isnan, nan
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Dialect, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from channels.model import Language
from geo.model import LOAD_KINDS
from outage_notify.domain.audience import Impact
from outage_notify.domain.outage import OutageKind, OutageState, RevisionState
from outage_notify.store.database import Database, Instant
from outage_notify.store.feed_tables import FeedAddress
from outage_notify.store.network_queries import current_version
from outage_notify.store.network_tables import NetworkElement, NetworkVersion
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer, GridManager, ServicePoint, Site

# A secret is never longer; what is longer does not reach the database.
LONGEST_SECRET = 64
_CHUNK = 500
_SINCE = Instant()


class Subscriber(NamedTuple):
    """What a calendar says of whose it is; `ends_at`: when the address opens nothing any more."""

    id: int
    customer_id: str
    kind: str
    language: Language
    ends_at: datetime | None = None


def subscriber(session: Session, secret: str, now: datetime) -> Subscriber | None:
    """The customer whose feed this secret opens; None for an unknown, ended, revoked or impossible one."""
    if not 16 <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        return None
    if (row := session.execute(_BY_SECRET, {"secret": secret}).first()) is not None:
        return Subscriber._make((*row, None))
    row = session.execute(_BY_HASH, {"sha256": secret_sha256(secret)}).first()
    found = Subscriber._make(row) if row is not None else None
    return found if found and (found.ends_at is None or found.ends_at > now) else None


def quiet_language(database: Database, secret: str, since: datetime) -> Language | None:
    """The language of the customer whose current secret this is, if its feed holds nothing now; None says nothing.

    One statement of the driver's own: of those who poll, most have nothing ahead, and a statement that is put
    together each time would cost several times as much as its answer.
    """
    if not 16 <= len(secret) <= LONGEST_SECRET or not secret.isascii():
        return None
    dialect = database.engine.dialect
    words, order, fixed = _quiet(dialect)
    given = {**fixed, "secret": secret, "since": _bound(dialect)(since)}
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        try:
            cursor.execute(words, given if order is None else [given[name] for name in order])
            row = cursor.fetchone()
        finally:
            cursor.close()
    finally:
        connection.close()
    return Language(row[0]) if row is not None and not row[1] else None


@cache
def _bound(dialect: Dialect) -> Callable[[datetime], Any]:
    """How an instant is handed to the driver."""
    return _SINCE.dialect_impl(dialect).bind_processor(dialect) or (lambda instant: instant)


@cache
def _quiet(dialect: Dialect) -> tuple[str, Sequence[str] | None, dict[str, Any]]:
    """The statement in the driver's words, the order of its parameters if they have no names there, and those that
    never change."""
    compiled = _QUIET.compile(dialect=dialect)
    fixed = {name: value.value for name, value in compiled.params.items() if value is not None}
    return str(compiled), compiled.positiontup if compiled.positional else None, fixed


def secret_sha256(secret: str) -> str:
    """As which a secret is kept. It is long and random, so that a plain hash is enough."""
    return sha256(secret.encode("ascii")).hexdigest()


def addresses_of(session: Session, customer: int) -> list[FeedAddress]:
    """All further addresses of a customer's feed, also those that have ended; oldest first."""
    statement = select(FeedAddress).where(FeedAddress.customer_ref == customer).order_by(FeedAddress.id)
    return list(session.scalars(statement))


def coordinates(session: Session, elements: Collection[str]) -> dict[str, tuple[float, float]]:
    """Element (such as load:7) to (latitude, longitude) in the network in force: its own, else its bus's.
    What has none is left out."""
    own = _places(session, elements)
    hangs_on = {element: place for element, place in own.items() if isinstance(place, str)}
    buses = _places(session, set(hangs_on.values()))
    found = {element: place for element, place in own.items() if isinstance(place, tuple)}
    for element, bus in hangs_on.items():
        place = buses.get(bus)
        if isinstance(place, tuple):
            found[element] = place
    return found


def _places(session: Session, elements: Collection[str]) -> dict[str, tuple[float, float] | str]:
    """Element to the middle of its geometry, or to its bus where it has none."""
    found: dict[str, tuple[float, float] | str] = {}
    pairs = [tuple(one.split(":", 1)) for one in sorted(elements) if ":" in one]
    for kind in sorted({kind for kind, _ in pairs}):
        ids = [number for one, number in pairs if one == kind]
        for at in range(0, len(ids), _CHUNK):
            asked = {"kind": kind, "ids": ids[at : at + _CHUNK]}
            for number, bus, *box in session.execute(_BOXES, asked):
                west, south, east, north = (float(side) if side is not None else nan for side in box)
                if not isnan(west):
                    found[f"{kind}:{number}"] = ((south + north) / 2, (west + east) / 2)
                elif bus:
                    found[f"{kind}:{number}"] = bus
    return found


def _shown(since: Any) -> ColumnElement[bool]:
    """Outages that stand or run, and those that ended at or after `since`."""
    return or_(
        Outage.state == OutageState.APPROVED,
        Outage.state == OutageState.ACTIVE,
        (Outage.state == OutageState.COMPLETED) & (Outage.completed_at >= since),
        (Outage.state == OutageState.CANCELLED) & (Outage.cancelled_at >= since),
    )


class Affected(NamedTuple):
    """One service point of a customer in one revision that was ever approved. Times are aware; `site` identifies the
    site here, `site_id` at the utility; `manager` and `office` are empty where nobody is named."""

    reference: str
    kind: OutageKind
    state: OutageState
    standing: int
    timezone: str
    changed_at: datetime
    expected_end: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    revised: bool
    number: int
    start: datetime
    end: datetime
    reason: dict[str, str]
    impact: Impact
    is_key: bool
    point: str
    element: str
    place: str
    site: int
    site_id: str
    manager: str
    manager_phone: str

    @property
    def ended_at(self) -> datetime | None:
        """When it was completed or cancelled."""
        ended = {OutageState.COMPLETED: self.completed_at, OutageState.CANCELLED: self.cancelled_at}
        return ended.get(self.state)


def affected_by(session: Session, customer: int, since: datetime) -> list[Affected]:
    """Every affected service point of a customer in every revision that was ever approved: outages that stand or
    run, and those completed or cancelled since `since`; by outage and site, the newest revision last."""
    rows = session.execute(_AFFECTED, {"customer": customer, "since": since})
    return [Affected._make(row) for row in rows]


# Written once: putting them together would cost more than asking them.
_SUBSCRIBER = select(Customer.id, Customer.customer_id, Customer.kind, Customer.language)
_BY_SECRET = _SUBSCRIBER.where(Customer.feed_secret == bindparam("secret"))
_BY_HASH = (
    _SUBSCRIBER.add_columns(FeedAddress.ends_at)
    .join(FeedAddress, FeedAddress.customer_ref == Customer.id)
    .where(FeedAddress.secret_sha256 == bindparam("sha256"))
)
_BOXES = select(
    NetworkElement.source_id,
    NetworkElement.bus_a,
    NetworkElement.min_lon,
    NetworkElement.min_lat,
    NetworkElement.max_lon,
    NetworkElement.max_lat,
).where(
    NetworkElement.version_ref
    == select(func.max(NetworkVersion.id)).where(NetworkVersion.in_force).scalar_subquery(),
    NetworkElement.kind == bindparam("kind"),
    NetworkElement.source_id.in_(bindparam("ids", expanding=True)),
)
_QUIET = select(
    Customer.language,
    exists()
    .where(
        AudienceMember.customer_ref == Customer.id,
        OutageRevision.id == AudienceMember.revision_ref,
        OutageRevision.approved_at.is_not(None),
        Outage.id == OutageRevision.outage_ref,
        _shown(bindparam("since", type_=Instant())),
    )
    .correlate(Customer)
    .label("busy"),
).where(Customer.feed_secret == bindparam("secret"))


# Columns, not rows: a revision carries all that it cuts, and a calendar asks for none of it.
_NEWER, _DEPUTY = aliased(OutageRevision), aliased(GridManager)
_AFFECTED = (
    select(
        Outage.reference,
        Outage.kind,
        Outage.state,
        Outage.revision,
        Outage.timezone,
        Outage.changed_at,
        Outage.expected_end,
        Outage.completed_at,
        Outage.cancelled_at,
        exists().where(
            _NEWER.outage_ref == Outage.id,
            _NEWER.number > Outage.revision,
            or_(_NEWER.state == RevisionState.DRAFT, _NEWER.state == RevisionState.SUBMITTED),
        ),
        OutageRevision.number,
        OutageRevision.start,
        OutageRevision.end,
        OutageRevision.reason,
        AudienceMember.impact,
        AudienceMember.is_key,
        ServicePoint.service_point_id,
        ServicePoint.element,
        ServicePoint.place,
        ServicePoint.site_ref,
        Site.site_id,
        # While somebody is away the deputy is named.
        func.coalesce(_DEPUTY.name, GridManager.name, ""),
        func.coalesce(_DEPUTY.phone, GridManager.phone, ""),
    )
    .join_from(AudienceMember, OutageRevision, AudienceMember.revision_ref == OutageRevision.id)
    .join(Outage, OutageRevision.outage_ref == Outage.id)
    .join(ServicePoint, AudienceMember.service_point_ref == ServicePoint.id)
    .join(Site, ServicePoint.site_ref == Site.id)
    .outerjoin(GridManager, ServicePoint.grid_manager_ref == GridManager.id)
    .outerjoin(_DEPUTY, and_(GridManager.away, GridManager.deputy_ref == _DEPUTY.id))
    .where(
        AudienceMember.customer_ref == bindparam("customer"),
        OutageRevision.approved_at.is_not(None),
        _shown(bindparam("since", type_=Instant())),
    )
    .order_by(Outage.id, ServicePoint.site_ref, OutageRevision.number, ServicePoint.id)
)


def feeder_names(session: Session) -> tuple[str, ...]:
    """The feeders of the network in force that feed loads."""
    version = current_version(session)
    if version is None:
        return ()
    statement = (
        select(NetworkElement.feeder)
        .where(
            NetworkElement.version_ref == version.id,
            NetworkElement.kind.in_(sorted(LOAD_KINDS)),
            NetworkElement.feeder.is_not(None),
        )
        .distinct()
        .order_by(NetworkElement.feeder)
    )
    return tuple(name for name in session.scalars(statement) if name)


def feeder_is_hit(session: Session, revision: OutageRevision, feeder: str) -> bool:
    """Whether an element that a revision takes from supply normally hangs on this feeder."""
    if revision.network_ref is None or not revision.lost:
        return False
    statement = select(NetworkElement.kind, NetworkElement.source_id).where(
        NetworkElement.version_ref == revision.network_ref,
        NetworkElement.feeder == feeder,
        NetworkElement.kind.in_(sorted(LOAD_KINDS)),
    )
    lost = set(revision.lost)
    return any(f"{kind}:{number}" in lost for kind, number in session.execute(statement))
