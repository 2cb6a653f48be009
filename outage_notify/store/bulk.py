"""Many rows into one table at once: COPY on PostgreSQL, a prepared INSERT elsewhere.

For rows that are made in tens of thousands inside one transaction. Column defaults count as
they do for mapped objects; identifiers are drawn beforehand, so that rows of another
table can point at them without asking which they became.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import structlog
from sqlalchemy import (
    Column,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from outage_notify.store import copy_text, publication

log = structlog.get_logger()
_DRAW = text(
    "SELECT array_agg(nextval(own.name)) FROM generate_series(1, :count), "
    "(SELECT pg_get_serial_sequence(:table, 'id')::regclass AS name OFFSET 0) AS own"
)


def new_ids(session: Session, model: type[DeclarativeBase], count: int) -> list[int]:
    """Identifiers that nobody else gets. On SQLite that holds within this write transaction, which is the only one."""
    table = cast(Table, model.__table__)
    if session.get_bind().dialect.name == "postgresql":
        # As one array: five thousand rows of one number each would take longer to read than to draw.
        drawn: list[int] | None = session.scalar(_DRAW, {"table": table.name, "count": count})
        return drawn or []
    newest = session.scalar(select(func.max(table.c.id))) or 0
    return list(range(newest + 1, newest + 1 + count))


def reserve_ids(session: Session, model: type[DeclarativeBase], count: int) -> range:
    """The same as a run, without one word per identifier. The caller has locked the table (`lock`)."""
    table = cast(Table, model.__table__)
    if session.get_bind().dialect.name == "postgresql":
        own = "pg_get_serial_sequence(:table, 'id')"
        last = session.scalar(
            text(f"SELECT setval({own}, nextval({own}) + :count)"),
            {"table": table.name, "count": count},
        )
        return range(int(last or 0) - count, int(last or 0))
    newest = session.scalar(select(func.max(table.c.id))) or 0
    return range(newest + 1, newest + 1 + count)


def lock(session: Session, *models: type[DeclarativeBase]) -> None:
    """Nobody else writes these tables until the end of the transaction; everybody may read them."""
    if session.get_bind().dialect.name == "postgresql":
        names = ", ".join(f'"{model.__tablename__}"' for model in models)
        session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


@dataclass
class PutOff:
    """What empty tables do without while they are filled."""

    references: list[ForeignKeyConstraint] = field(default_factory=list)
    unique: list[UniqueConstraint] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)


def put_off(session: Session, *models: type[DeclarativeBase]) -> PutOff:
    """Drop references, unique constraints and indexes of empty tables that will be filled at once.

    `make_up` makes them again. Checking and sorting row by row costs twice as much as storing the rows; all
    together it is one join and one sort. Until the end of the transaction nobody else can read the tables.
    Only who owns the tables may do it: for others nothing is dropped. SQLite keeps its constraints and does
    without the indexes.
    """
    tables = [cast(Table, model.__table__) for model in models]
    found = PutOff(indexes=[index for table in tables for index in table.indexes])
    if session.get_bind().dialect.name == "postgresql":
        for constraint in (one for table in tables for one in table.constraints):
            if isinstance(constraint, ForeignKeyConstraint):
                found.references.append(constraint)
            elif isinstance(constraint, UniqueConstraint):
                found.unique.append(constraint)
    try:
        with session.begin_nested():
            for one in (*found.references, *found.unique):
                session.execute(DropConstraint(one))
            for index in found.indexes:
                session.execute(DropIndex(index))
    except ProgrammingError as error:
        log.info("indexes_kept", reason=type(error.orig).__name__)
        return PutOff()
    return found


def make_up(session: Session, was: PutOff) -> None:
    """Make them again, which checks every row."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    for index in was.indexes:
        session.execute(CreateIndex(index))
    for one in (*was.unique, *was.references):
        session.execute(AddConstraint(one))


def insert_rows(session: Session, model: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    if rows:
        columns = list(rows[0])
        insert_tuples(session, model, columns, ([row[name] for name in columns] for row in rows))


def insert_tuples(
    session: Session,
    model: type[DeclarativeBase],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    shared: Mapping[str, Any] | None = None,
) -> None:
    """The same from rows as bare values in the order of `columns`: what a million rows are made as.
    `shared`: further columns that have one value in all of them."""
    publication.wrote(session, model)
    table = cast(Table, model.__table__)
    dialect = session.get_bind().dialect
    fixed = [(table.columns[name], value) for name, value in (shared or {}).items()]
    given = {*columns, *(shared or {})}
    fixed += [
        (column, column.default.arg)
        for column in table.columns
        if column.name not in given and isinstance(column.default, ScalarElementColumnDefault)
    ]
    names = ", ".join(f'"{name}"' for name in (*columns, *(column.name for column, _ in fixed)))
    tail = [bind(value) if (bind := _binder(column, dialect)) else value for column, value in fixed]
    driver: Any = session.connection().connection.driver_connection
    mine = [table.columns[name] for name in columns]
    if dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            if copy_text.can_write([*mine, *(column for column, _ in fixed)]):
                for block in copy_text.blocks(mine, rows, tail, dialect):
                    copy.write(block)
            else:
                for row in _bound(rows, _binders(mine, dialect), tail):
                    copy.write_row(row)
        return
    marks = ", ".join("?" * (len(columns) + len(fixed)))
    plain = _bound(rows, _binders(mine, dialect), tail)
    driver.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', plain)  # noqa: S608 - our own names


def _bound(
    rows: Iterable[Sequence[Any]], binders: list[tuple[int, Callable[[Any], Any]]], tail: list[Any]
) -> Iterator[Sequence[Any]]:
    """The rows as the driver takes them."""
    if not binders and not tail:
        yield from rows
        return
    for row in rows:
        values = [*row, *tail]
        for at, bind in binders:
            values[at] = bind(values[at])
        yield values


def _binders(columns: Sequence[Column[Any]], dialect: Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
    binders = [_binder(column, dialect) for column in columns]
    return [(at, bind) for at, bind in enumerate(binders) if bind]


def _binder(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def analyse(session: Session, *models: type[DeclarativeBase]) -> None:
    """Let the database count anew after many rows came at once; until then it would guess from before."""
    for model in models:
        session.execute(text(f'ANALYZE "{model.__tablename__}"'))


def prefer_indexes(session: Session) -> None:
    """For the rest of this transaction: tables grow so fast in it that the planner takes them for small."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))
