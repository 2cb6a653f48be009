"""Who hangs on which load, column by column, and the mark that says whether that still holds.

No object per service point: each column comes as one text that the database joins. Leaves the arrangement
for tracing to `services.people_in_force`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Integer, String, case, cast, func, select
from sqlalchemy.orm import Session

from outage_notify.domain.audience import TIER_ORDER
from outage_notify.store.feed_tables import Publication
from outage_notify.store.people_tables import Customer, ServicePoint

# No identifier can hold it: the unit separator of ASCII.
_BETWEEN = "\x1f"


@dataclass(frozen=True)
class PeopleColumns:
    """Service points that are present, in one order: row ids of point, customer and site, what the customer's
    tier is (rank, highest 0) and whether anybody there lives on a machine, and the load by name."""

    point: np.ndarray
    customer: np.ndarray
    site: np.ndarray
    tier: np.ndarray
    life_support: np.ndarray
    element: list[str]


def mark(session: Session) -> str:
    """Differs after every commit that changed who hangs on which load; two lookups and one row."""
    row = session.execute(
        select(
            Publication.people,
            # Would tell of rows that were added by hand, past the product.
            select(func.max(ServicePoint.id)).scalar_subquery(),
            select(func.max(Customer.id)).scalar_subquery(),
        ).where(Publication.id == 1)
    ).one()
    return " ".join(str(one) for one in row)


def people_columns(session: Session) -> PeopleColumns:
    """All of them. Read `mark` before and after: where it differs, somebody wrote in between."""
    rank = case({tier.value: place for tier, place in TIER_ORDER.items()}, value=cast(Customer.tier, String))
    life = case((Customer.life_support, 1), else_=0)
    owner, weight = _numbers(session, [Customer.id, rank * 2 + life])
    present = ServicePoint.gone_at.is_(None)
    columns: list[Any] = [ServicePoint.id, ServicePoint.customer_ref, ServicePoint.site_ref]
    names = func.aggregate_strings(ServicePoint.element, _BETWEEN)
    *numbers, element = session.execute(
        select(*(_joined(one) for one in columns), names).where(present)
    ).one()
    point, customer, site = map(_parsed, numbers)
    by_id = np.argsort(owner, kind="stable")
    own = weight[by_id[np.searchsorted(owner, customer, sorter=by_id)]] if len(customer) else weight[:0]
    return PeopleColumns(
        point,
        customer,
        site,
        (own // 2).astype(np.uint8),
        (own % 2).astype(bool),
        element.split(_BETWEEN) if element else [],
    )


def _numbers(session: Session, columns: list[Any]) -> list[np.ndarray]:
    row = session.execute(select(*(_joined(one) for one in columns)).select_from(Customer)).one()
    return [_parsed(text) for text in row]


def _joined(column: ColumnElement[Any]) -> ColumnElement[str]:
    return func.aggregate_strings(cast(cast(column, Integer), String), ",")


def _parsed(text: str | None) -> np.ndarray:
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)
