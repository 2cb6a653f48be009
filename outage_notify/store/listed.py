"""Any number of values as one parameter of a statement: its text stays the same whatever their number.

A statement with a parameter for each value is another statement for each number of them: it is put
together, parsed and planned anew, which for a few dozen rows costs more than running it.
PostgreSQL unfolds arrays, SQLite a JSON text. Values are whole numbers and texts.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    String,
    any_,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

SQLITE = "sqlite"


def dialect_of(session: Session) -> str:
    return session.get_bind().dialect.name


def table_of(dialect: str, name: str, columns: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """A table to be joined, of rows that `rows_of` hands over when the statement is executed."""
    if dialect == SQLITE:
        each = func.json_each(bindparam(name, type_=String)).table_valued("value")
        return select(
            *(
                type_coerce(func.json_extract(each.c.value, f"$[{at}]"), kind).label(column)
                for at, (column, kind) in enumerate(columns.items())
            )
        ).subquery(name)
    arrays = [bindparam(f"{name}_{at}", type_=ARRAY(kind)) for at, kind in enumerate(columns.values())]
    return func.unnest(*arrays).table_valued(*columns, name=name).render_derived()


def rows_of(dialect: str, name: str, rows: Collection[Sequence[Any]]) -> dict[str, Any]:
    """The parameters that fill `table_of`. There must be at least one row."""
    if dialect == SQLITE:
        return {name: json.dumps([list(row) for row in rows])}
    return {f"{name}_{at}": list(column) for at, column in enumerate(zip(*rows, strict=True))}


def among(dialect: str, name: str, kind: TypeEngine[Any]) -> Select[tuple[Any]]:
    """For `column.in_(...)`: the values that `values_of` hands over when the statement is executed."""
    if dialect == SQLITE:
        return select(func.json_each(bindparam(name, type_=String)).table_valued("value").c.value)
    return select(func.unnest(bindparam(name, type_=ARRAY(kind))).column_valued(f"{name}_value"))


def one_of(
    dialect: str, column: ColumnElement[Any] | InstrumentedAttribute[Any], name: str, kind: TypeEngine[Any]
) -> ColumnElement[bool]:
    """The same as a condition on an indexed column: the index is asked for each value, whatever the
    database thinks of their number."""
    if dialect == SQLITE:
        return column.in_(among(dialect, name, kind))
    return column == any_(bindparam(name, type_=ARRAY(kind)))


def values_of(dialect: str, name: str, values: Collection[Any]) -> dict[str, Any]:
    """The parameter that fills `among` and `one_of`; there may be none."""
    return {name: json.dumps(list(values)) if dialect == SQLITE else list(values)}
