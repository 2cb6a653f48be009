"""Rows as PostgreSQL's COPY reads them, in its text format, for the plain types that our tables have.

The driver adapts value by value and asks each for its type. In a table of a few known types it is known before,
and what all rows share is written once: half the time of an approval's rows. A few hundred rows are written
column by column, since most columns hold one type in all of them and need no look at each value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from types import NoneType
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Dialect, Float, Integer, LargeBinary, String

from outage_notify.store.database import Instant, Word

Write = Callable[[Sequence[Any]], Sequence[str]]
_ROWS = 500
_NULL = "\\N"
_SPECIAL = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# Values of these come again and again: each is worked out once in a block of rows.
_REPEATED = (Word, Instant)


def can_write(columns: Iterable[Column[Any]]) -> bool:
    """Whether all columns are of a type that is known here."""
    known = (Boolean, Float, Integer, String, LargeBinary, JSON, *_REPEATED)
    return all(isinstance(column.type, known) for column in columns)


def blocks(
    columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]], tail: Sequence[Any], dialect: Dialect
) -> Iterator[bytes]:
    """The rows, a few hundred in a piece; `tail`: bound values that follow in every row."""
    end = "".join(f"\t{_text(value)}" for value in tail) + "\n"
    writers = [_writer(column, dialect) for column in columns]
    rows = iter(rows)
    while some := list(islice(rows, _ROWS)):
        texts = [write(values) for write, values in zip(writers, zip(*some, strict=True), strict=True)]
        yield (end.join(map("\t".join, zip(*texts, strict=True))) + end).encode()


def _writer(column: Column[Any], dialect: Dialect) -> Write:
    if isinstance(column.type, JSON):
        nothing = None if column.type.none_as_null else "null"
        return lambda values: _texts([nothing if one is None else _json(one) for one in values])
    if isinstance(column.type, LargeBinary):
        return _texts
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    if isinstance(column.type, _REPEATED):

        def repeated(values: Sequence[Any]) -> Sequence[str]:
            known = {value: _text(bind(value) if bind else value) for value in set(values)}
            return [known[value] for value in values]

        return repeated
    return _texts if bind is None else lambda values: _texts([bind(value) for value in values])


def _json(value: Any) -> str:
    # Most elements of a network have no further values.
    return "{}" if value == {} else json.dumps(value)


def _texts(values: Sequence[Any]) -> Sequence[str]:
    """The values of one column."""
    kinds = set(map(type, values))
    if NoneType not in kinds:
        return _filled(values, kinds)
    if len(kinds) == 1:
        return [_NULL] * len(values)
    texts = iter(_filled([one for one in values if one is not None], kinds - {NoneType}))
    return [_NULL if one is None else next(texts) for one in values]


def _filled(values: Sequence[Any], kinds: set[type]) -> Sequence[str]:
    """The same of a column without gaps."""
    if kinds == {str}:
        whole = "".join(values)
        if not ("\\" in whole or "\t" in whole or "\n" in whole or "\r" in whole):
            return values
    elif kinds in ({int}, {float}):
        return list(map(str, values))
    elif kinds == {bool}:
        return ["t" if one else "f" for one in values]
    return [_text(one) for one in values]


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, str):
        return str(value).translate(_SPECIAL)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be written here")
