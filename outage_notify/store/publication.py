"""The version of all that is published: raised with every change, read in one short statement.

Promises: whoever renders for version n and finds n again later may hand out what it rendered, since
every transaction that writes one of `PUBLISHED` through a session raises the version in the same
commit. The row is written last, so that it is locked for a moment only. Leaves to others: what
depends on time alone (`services.feed_cache`).

A second mark, `people`, tells whether anybody came, left, moved to another load, got another tier, name or place
(`services.people_in_force` and `numbers_in_force` keep columns for it, `names_in_force` a text). It is random and
never comes twice, so that a database that was made anew or restored in the same place is told from the one before.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import event, inspect, update
from sqlalchemy.orm import ORMExecuteState, Session

from outage_notify.store.database import Database
from outage_notify.store.feed_tables import FeedAddress, Publication
from outage_notify.store.network_tables import NetworkVersion
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site

PUBLISHED = (
    Outage,
    OutageRevision,
    AudienceMember,
    Customer,
    Site,
    ServicePoint,
    GridManager,
    FeedAddress,
    NetworkVersion,
)
# What decides who hangs on which load, how much that weighs, and by which words somebody is found.
PEOPLE: dict[type[Any], tuple[str, ...]] = {
    Customer: ("tier", "life_support", "name", "gone_at"),
    Site: ("customer_ref",),
    ServicePoint: ("element", "customer_ref", "site_ref", "place", "gone_at"),
}
_CHANGED = "publication changed"
_PEOPLE = "people changed"
_OFFSET = "coalesce((SELECT seconds FROM clock_offset WHERE id = 1), 0) FROM publication WHERE id = 1"
_READ = {
    "sqlite": "SELECT version, strftime('%Y-%m-%dT%H:%M:%f', 'now'), " + _OFFSET,
    "postgresql": "SELECT version, clock_timestamp(), " + _OFFSET,
}


class Standing(NamedTuple):
    """The version, the database's own clock, and how far a simulation has turned it."""

    version: int
    instant: datetime
    turned: timedelta


def standing(database: Database) -> Standing:
    """One statement on a bare connection: this is asked at every poll of every subscriber."""
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        try:
            cursor.execute(_READ[database.engine.dialect.name])
            row: Any = cursor.fetchone()
        finally:
            cursor.close()
    finally:
        connection.close()
    version, instant, seconds = row
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    return Standing(version, instant.astimezone(UTC), timedelta(seconds=seconds))


@event.listens_for(Session, "after_flush")
def _flushed(session: Session, context: object) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, PUBLISHED):
            session.info[_CHANGED] = True
            if _weighs(session, row):
                session.info[_PEOPLE] = True
                return


def _weighs(session: Session, row: object) -> bool:
    """Whether a row that is being written changes who hangs on which load, or how somebody is found."""
    columns = PEOPLE.get(type(row))
    if columns is None:
        return False
    if row in session.new or row in session.deleted:
        return True
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in columns)


def wrote(session: Session, table: type[Any], inserted: bool = True) -> None:
    """Rows of this table were written past the objects of the session; `store.bulk` says so by itself."""
    if issubclass(table, PUBLISHED):
        session.info[_CHANGED] = True
    # Addresses by the thousand; one that is corrected is found without the mark (`services.numbers_in_force`).
    if table in PEOPLE or (table is ContactPoint and inserted):
        session.info[_PEOPLE] = True


@event.listens_for(Session, "do_orm_execute")
def _executed(state: ORMExecuteState) -> None:
    """Statements that write many rows at once pass by the flush."""
    if not (state.is_insert or state.is_update or state.is_delete) or state.bind_mapper is None:
        return
    wrote(state.session, state.bind_mapper.class_, state.is_insert)


@event.listens_for(Session, "before_commit")
def _commits(session: Session) -> None:
    session.flush()
    values: dict[str, Any] = {}
    if session.info.pop(_CHANGED, False):
        values["version"] = Publication.version + 1
    if session.info.pop(_PEOPLE, False):
        values["people"] = secrets.token_hex(16)
    if values:
        session.execute(
            update(Publication).where(Publication.id == 1).values(values),
            execution_options={"synchronize_session": False},
        )


@event.listens_for(Session, "after_rollback")
def _rolled_back(session: Session) -> None:
    session.info.pop(_CHANGED, None)
    session.info.pop(_PEOPLE, None)
