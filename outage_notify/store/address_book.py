"""Questions to the table of addresses; each goes by an index and costs the same among a thousand and a million."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import String, delete, func, select, update
from sqlalchemy.orm import Session

from outage_notify.store import bulk
from outage_notify.store.address_tables import Address, AddressImport, AddressSpot
from outage_notify.store.listed import among, dialect_of, values_of
from outage_notify.store.people_tables import ServicePoint

MOST_HOUSES, MOST_OF_STREET, MOST_SPOTS = 200, 5_000, 5_000


def in_force(session: Session) -> AddressImport | None:
    return session.scalar(select(AddressImport).where(AddressImport.in_force))


def before(session: Session, one: AddressImport) -> AddressImport | None:
    """The import that `one` replaced, as long as it is kept."""
    statement = select(AddressImport).where(AddressImport.id < one.id).order_by(AddressImport.id.desc())
    return session.scalar(statement.limit(1))


def add(session: Session, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    bulk.insert_tuples(session, Address, columns, rows)


def add_spots(session: Session, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    bulk.insert_tuples(session, AddressSpot, columns, rows)


def forget_before(session: Session, kept: int) -> None:
    """Everything of imports older than `kept`."""
    _drop(session, AddressImport.id < kept)


def forget(session: Session, number: int) -> None:
    _drop(session, AddressImport.id == number)


def _drop(session: Session, which: Any) -> None:
    gone = list(session.scalars(select(AddressImport.id).where(which)))
    for number in gone:
        session.execute(delete(Address).where(Address.import_ref == number))
        session.execute(delete(AddressSpot).where(AddressSpot.import_ref == number))
        session.execute(delete(AddressImport).where(AddressImport.id == number))


def put_in_force(session: Session, number: int) -> None:
    session.execute(update(AddressImport).values(in_force=AddressImport.id == number))


def counted_anew(session: Session) -> None:
    bulk.analyse(session, Address, AddressSpot)


def houses(session: Session, book: int, ways: Collection[str], numbers: Collection[str]) -> list[Address]:
    """Addresses whose street is among `ways` and whose number is among `numbers`."""
    dialect = dialect_of(session)
    statement = (
        select(Address)
        .where(
            Address.import_ref == book,
            Address.street_key.in_(among(dialect, "street", String())),
            Address.number_key.in_(among(dialect, "number", String())),
        )
        .order_by(Address.id)
        .limit(MOST_HOUSES)
    )
    found = values_of(dialect, "street", ways) | values_of(dialect, "number", numbers)
    return list(session.scalars(statement, found))


def streets(session: Session, book: int, keys: Collection[str]) -> list[Address]:
    """Addresses whose street is among `keys`; at most MOST_OF_STREET."""
    dialect = dialect_of(session)
    statement = (
        select(Address)
        .where(Address.import_ref == book, Address.street_key.in_(among(dialect, "street", String())))
        .order_by(Address.id)
        .limit(MOST_OF_STREET)
    )
    return list(session.scalars(statement, values_of(dialect, "street", keys)))


def number_of_houses(session: Session, book: int, street_key: str, place_key: str) -> int:
    """How many different houses a street has."""
    statement = select(func.count(Address.number_key.distinct())).where(
        Address.import_ref == book, Address.street_key == street_key, Address.place_key == place_key
    )
    return session.scalar(statement) or 0


def spots(session: Session, book: int, keys: Collection[str]) -> list[AddressSpot]:
    """Where the places and postcodes among `keys` are."""
    dialect = dialect_of(session)
    statement = (
        select(AddressSpot)
        .where(AddressSpot.import_ref == book, AddressSpot.area_key.in_(among(dialect, "area", String())))
        .order_by(AddressSpot.id)
        .limit(MOST_SPOTS)
    )
    return list(session.scalars(statement, values_of(dialect, "area", keys)))


def points_on(session: Session, elements: Collection[str]) -> list[int]:
    """Present service points on loads."""
    dialect = dialect_of(session)
    statement = select(ServicePoint.id).where(
        ServicePoint.gone_at.is_(None), ServicePoint.element.in_(among(dialect, "load", String()))
    )
    return list(session.scalars(statement, values_of(dialect, "load", elements)))
