"""Which customers hang on which loads, with every other feed of the same sites."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ARRAY, Select, String, bindparam, func, select
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from outage_notify.domain.audience import Feed, Tier
from outage_notify.store.people_tables import Customer, ServicePoint

_CHUNK = 500


def feeds_of_sites_on(session: Session, elements: Collection[str]) -> list[Feed]:
    """Every feed of each site that has a feed on one of `elements` (such as load:7)."""
    if not elements:
        return []
    return [Feed(*row) for row in session.execute(_of_sites_on(session, elements).order_by(ServicePoint.id))]


def feeds_by_site(session: Session, elements: Collection[str], most: int = 5000) -> Iterator[list[Feed]]:
    """The same, whole sites, some thousand feeds at a time: for whoever must not hold all of them in memory. Other
    statements may run in between."""
    if not elements:
        return
    ordered = _of_sites_on(session, elements).order_by(ServicePoint.site_ref, ServicePoint.id)
    begun: list[Feed] = []
    for rows in session.execute(ordered, execution_options={"yield_per": most}).partitions():
        feeds = begun + [Feed(*row) for row in rows]
        # The last site may go on in the next piece.
        last = feeds[-1].site
        begun = [one for one in feeds if one.site == last]
        yield [one for one in feeds if one.site != last]
    yield begun


def _of_sites_on(session: Session, elements: Collection[str]) -> Select[int, int, int, str, Tier, bool]:
    hit = (
        select(ServicePoint.site_ref)
        .where(
            ServicePoint.element.in_(listed(session, sorted(elements), String())),
            ServicePoint.gone_at.is_(None),
        )
        .distinct()
    )
    return (
        select(
            ServicePoint.id,
            ServicePoint.customer_ref,
            ServicePoint.site_ref,
            ServicePoint.element,
            Customer.tier,
            Customer.life_support,
        )
        .join(Customer, ServicePoint.customer_ref == Customer.id)
        .where(ServicePoint.site_ref.in_(hit), ServicePoint.gone_at.is_(None))
    )


def listed(session: Session, values: list[Any], kind: TypeEngine[Any]) -> Select[tuple[Any]]:
    """Any number of values as one parameter: fifty thousand of their own would be too many for a statement."""
    if session.get_bind().dialect.name == "sqlite":
        listed = func.json_each(json.dumps(values)).table_valued("value")
        return select(listed.c.value)
    array = bindparam(None, values, type_=ARRAY(kind), unique=True)
    return select(func.unnest(array).column_valued("value"))


def service_point_names(session: Session, refs: Collection[int]) -> dict[int, str]:
    """The utility's own identifiers of service points."""
    found: dict[int, str] = {}
    ordered = sorted(refs)
    for at in range(0, len(ordered), _CHUNK):
        rows = session.execute(
            select(ServicePoint.id, ServicePoint.service_point_id).where(
                ServicePoint.id.in_(ordered[at : at + _CHUNK])
            )
        )
        found.update(rows.all())
    return found
