"""A provider's moves of many rows at once: what it says of texts that it took.

The same guards as in `claims`: the legal predecessors stand in the WHERE, RETURNING says which rows were
won. No fence: here the provider speaks, not a worker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    FromClause,
    Row,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session

from outage_notify.domain.delivery import DeliveryState, predecessors
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.listed import among, dialect_of, rows_of, table_of, values_of

S = DeliveryState
D = cast(Table, Delivery.__table__)


def hold_reported(session: Session, deliveries: Collection[int]) -> Sequence[Row[Any]]:
    """Lock rows of which something was reported, in the one order in which everybody does; returns what decides
    how they may move: id, channel, provider_id, sender."""
    if not deliveries:
        return []
    dialect = dialect_of(session)
    return session.execute(_hold(dialect), values_of(dialect, "wanted", sorted(deliveries))).all()


@cache
def _hold(dialect: str) -> Executable:
    return (
        select(D.c.id, D.c.channel, D.c.provider_id, D.c.sender)
        .where(D.c.id.in_(among(dialect, "wanted", BigInteger())))
        .order_by(D.c.id)
        .with_for_update(key_share=True)
    )


def delivered_many(session: Session, reported: Mapping[int, str], now: datetime) -> set[int]:
    """`claims.delivered` of many: each delivery with the provider's id. Returns those that were won."""
    return _said(session, _moved_to(dialect_of(session), S.DELIVERED), reported, {"now": now})


def reported_many(
    session: Session, reported: Mapping[int, str], now: datetime, check_at: datetime
) -> set[int]:
    """`claims.accepted` of many, as the provider itself says it. Returns those that were won."""
    given = {"now": now, "check_at": check_at}
    return _said(session, _moved_to(dialect_of(session), S.ACCEPTED), reported, given)


def remember_many(session: Session, reported: Mapping[int, str]) -> None:
    """`claims.remember_provider_id` of many."""
    _said(session, _remember(dialect_of(session)), reported, {})


def _said(
    session: Session, statement: Executable, reported: Mapping[int, str], given: dict[str, Any]
) -> set[int]:
    if not reported:
        return set()
    rows = rows_of(dialect_of(session), "reported", sorted(reported.items()))
    return set(session.scalars(statement, {**rows, **given}))


@cache
def _moved_to(dialect: str, target: DeliveryState) -> Executable:
    said, now = _reported(dialect), bindparam("now", type_=D.c.accepted_at.type)
    times: dict[str, Any] = {"accepted_at": now, "next_check_at": bindparam("check_at")}
    if target is S.DELIVERED:
        taken = func.coalesce(D.c.accepted_at, now)
        times = {"delivered_at": now, "accepted_at": taken, "next_check_at": None}
    known = func.coalesce(func.nullif(said.c.provider_id, ""), D.c.provider_id)
    return (
        update(D)
        .where(D.c.id == said.c.id, _may_become(target))
        .values(state=target, lease_until=None, provider_id=known, **times)
        .returning(D.c.id)
    )


@cache
def _remember(dialect: str) -> Executable:
    said = _reported(dialect)
    return (
        update(D)
        .where(D.c.id == said.c.id, D.c.provider_id.is_(None), said.c.provider_id != "")
        .values(provider_id=said.c.provider_id)
        .returning(D.c.id)
    )


def _reported(dialect: str) -> FromClause:
    return table_of(dialect, "reported", {"id": BigInteger(), "provider_id": String()})


def _may_become(target: DeliveryState) -> ColumnElement[bool]:
    return D.c.state.in_([literal_column(f"'{one.value}'") for one in sorted(predecessors(target))])
