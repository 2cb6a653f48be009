"""Rows as PostgreSQL's COPY reads them, in its text format, for the plain types that our tables have.

The driver adapts value by value and asks each for its type. In a table of a few known types it is known before,
and what all rows share is written once: half the time of an approval's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Boolean, Column, Dialect, Float, Integer, String

from outage_notify.store.database import Instant, Word

Encode = Callable[[Any], str]
_ROWS = 500
_NULL = "\\N"
_SPECIAL = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# Values of these come again and again: each is worked out once in a block of rows.
_REPEATED = (Word, Instant)


def can_write(columns: Iterable[Column[Any]]) -> bool:
    """Whether all columns are of a type that is known here."""
    known = (Boolean, Float, Integer, String, *_REPEATED)
    return all(isinstance(column.type, known) for column in columns)


def blocks(
    columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]], tail: Sequence[Any], dialect: Dialect
) -> Iterator[bytes]:
    """The rows, a few hundred in a piece; `tail`: bound values that follow in every row."""
    end = "".join(f"\t{_text(value)}" for value in tail) + "\n"
    rows = iter(rows)
    while some := list(islice(rows, _ROWS)):
        encoders = [_encoder(column, dialect) for column in columns]
        lines = [
            "\t".join([encode(value) for encode, value in zip(encoders, row, strict=True)]) for row in some
        ]
        yield (end.join(lines) + end).encode()


def _encoder(column: Column[Any], dialect: Dialect) -> Encode:
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    if isinstance(column.type, _REPEATED):
        known: dict[Any, str] = {}

        def repeated(value: Any) -> str:
            found = known.get(value)
            if found is None:
                found = known[value] = _text(bind(value) if bind else value)
            return found

        return repeated
    if bind is None:
        return _text
    return lambda value: _text(bind(value))


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, str):
        return str(value).translate(_SPECIAL)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be written here")
