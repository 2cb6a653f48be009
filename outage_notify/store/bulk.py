"""Many rows into one table at once: COPY on PostgreSQL, a prepared INSERT elsewhere.

For rows that are made in tens of thousands inside one transaction. Column defaults count as
they do for mapped objects; identifiers are drawn beforehand, so that rows of another
table can point at them without asking which they became.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Column, Table, func, insert, select, text
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

_CHUNK = 500


def new_ids(session: Session, model: type[DeclarativeBase], count: int) -> list[int]:
    """Identifiers that nobody else gets. On SQLite that holds within this write transaction, which is the only one."""
    table = cast(Table, model.__table__)
    if session.get_bind().dialect.name == "postgresql":
        draw = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
        return list(session.scalars(draw, {"table": table.name, "count": count}))
    newest = session.scalar(select(func.max(table.c.id))) or 0
    return list(range(newest + 1, newest + 1 + count))


def insert_rows(session: Session, model: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    if not rows:
        return
    table = cast(Table, model.__table__)
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, table, rows)
        return
    for at in range(0, len(rows), _CHUNK):
        session.execute(insert(table), rows[at : at + _CHUNK])


def _copy(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    constants = {
        column.name: column.default.arg
        for column in table.columns
        if column.name not in rows[0] and isinstance(column.default, ScalarElementColumnDefault)
    }
    given = [column for column in table.columns if column.name in rows[0]]
    fixed = [column for column in table.columns if column.name in constants]
    dialect = session.get_bind().dialect
    binders: list[tuple[str, Callable[[Any], Any] | None]] = [
        (one.name, one.type.dialect_impl(dialect).bind_processor(dialect)) for one in given
    ]
    tail = [_bound(one, constants[one.name], dialect) for one in fixed]
    names = ", ".join(f'"{one.name}"' for one in (*given, *fixed))
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([bind(row[name]) if bind else row[name] for name, bind in binders] + tail)


def _bound(column: Column[Any], value: Any, dialect: Any) -> Any:
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    return bind(value) if bind else value
