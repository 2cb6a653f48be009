"""Providers' reports as they came in, many in one statement, and those that nobody has applied yet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Executable,
    Row,
    String,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy import (
    cast as sql_cast,
)
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.store.delivery_tables import Delivery, ProviderReport
from outage_notify.store.listed import SQLITE, among, dialect_of, rows_of, table_of, values_of

P = cast(Table, ProviderReport.__table__)
D = cast(Table, Delivery.__table__)


@dataclass(frozen=True)
class Kept:
    """A report to be stored. `channel` as the form tells, None: as the delivery has it. `delivery`: which one it
    names, if any; one that is not there is left out, and the report stored all the same."""

    channel: Channel | None
    delivery: int | None
    form: Mapping[str, str]


def add_many(session: Session, reports: Sequence[Kept], now: datetime) -> list[int]:
    """Store reports in one statement; returns their ids, in no order."""
    dialect = dialect_of(session)
    rows = [(one.channel, one.delivery, json.dumps(dict(one.form))) for one in reports]
    # Each row locks its delivery against being deleted: everybody does so in one order.
    rows.sort(key=lambda row: row[1] or 0)
    return list(session.scalars(_add(dialect), {**rows_of(dialect, "told", rows), "now": now}))


@cache
def _add(dialect: str) -> Executable:
    told = table_of(dialect, "told", {"channel": String(), "delivery": BigInteger(), "form": String()})
    about = func.coalesce(told.c.channel, D.c.channel, literal_column(f"'{Channel.SMS.value}'"))
    form = told.c.form if dialect == SQLITE else sql_cast(told.c.form, P.c.form.type)
    rows = select(
        bindparam("now", type_=P.c.received_at.type), about, D.c.id, form, literal_column("''")
    ).select_from(told.outerjoin(D, D.c.id == told.c.delivery))
    columns = ["received_at", "channel", "delivery_ref", "form", "verdict"]
    return insert(P).from_select(columns, rows, include_defaults=False).returning(P.c.id)


def unapplied(session: Session, limit: int = 1000) -> Sequence[int]:
    """Ids of reports that were stored and not applied, oldest first."""
    return session.scalars(
        select(ProviderReport.id)
        .where(ProviderReport.applied_at.is_(None))
        .order_by(ProviderReport.id)
        .limit(limit)
    ).all()


def take_unapplied(session: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Those of `ids` that nobody has applied (id, channel, delivery_ref, form), locked, oldest first."""
    dialect = dialect_of(session)
    return session.execute(_take(dialect), values_of(dialect, "wanted", ids)).all()


@cache
def _take(dialect: str) -> Executable:
    wanted = among(dialect, "wanted", BigInteger())
    return (
        select(P.c.id, P.c.channel, P.c.delivery_ref, P.c.form)
        .where(P.c.id.in_(wanted), P.c.applied_at.is_(None))
        .order_by(P.c.id)
        .with_for_update()
    )


def note_applied(session: Session, verdicts: Mapping[int, str], now: datetime) -> None:
    """What came of many reports."""
    if verdicts:
        dialect = dialect_of(session)
        rows = rows_of(dialect, "said", sorted(verdicts.items()))
        session.execute(_note(dialect), {**rows, "now": now})


@cache
def _note(dialect: str) -> Executable:
    said = table_of(dialect, "said", {"id": BigInteger(), "words": String()})
    return (
        update(P)
        .where(P.c.id == said.c.id)
        .values(applied_at=bindparam("now", type_=P.c.applied_at.type), verdict=said.c.words)
    )
