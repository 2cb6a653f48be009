"""What tracing needs of a network, column by column: no object per element, so a million loads take seconds.

Leaves the arrays to `geo.grid_build` and whole elements to `network_queries`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, select
from sqlalchemy.orm import Session

from geo.grid_build import Columns
from geo.model import BRANCH_KINDS, BUS, LOAD_KINDS, SOURCE_KINDS, SWITCH
from outage_notify.store.network_tables import NetworkElement as Row

_CHUNK = 500
# No identifier or name can hold it: the unit separator of ASCII.
_BETWEEN = "\x1f"


def tracing_columns(session: Session, version: int) -> dict[str, Columns]:
    """The columns of one version by kind. What never differs from the usual value is not fetched."""
    within = _rows_of(session, version)
    return {kind: _columns(session, within, kind, odd) for kind, odd in _odd(session, within).items()}


def _rows_of(session: Session, version: int) -> ColumnElement[bool]:
    """The rows of a version as one run of the table: it was written at once, and reading it through an
    index on its names would jump to and fro."""
    first, last = session.execute(
        select(func.min(Row.id), func.max(Row.id)).where(Row.version_ref == version)
    ).one()
    return and_(Row.id.between(first, last), Row.version_ref + 0 == version)


def _odd(session: Session, within: ColumnElement[bool]) -> dict[str, dict[str, bool]]:
    """Per kind, which columns hold anything but their usual value."""

    def some(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.max(case((condition, 1), else_=0))

    query = (
        select(
            Row.kind,
            some(Row.in_service.is_(False)),
            some(Row.phases != "ABC"),
            some(Row.feeder.is_not(None)),
            some(Row.bus_c.is_not(None)),
        )
        .where(within)
        .group_by(Row.kind)
    )
    names = ("in_service", "phases", "feeder", "bus_c")
    return {row[0]: dict(zip(names, map(bool, row[1:]), strict=True)) for row in session.execute(query)}


def _columns(session: Session, within: ColumnElement[bool], kind: str, odd: dict[str, bool]) -> Columns:
    wanted: dict[str, Any] = {"id": Row.source_id}
    if kind in BRANCH_KINDS or kind == SWITCH:
        wanted |= {"bus_a": Row.bus_a, "bus_b": Row.bus_b}
        if odd["bus_c"]:
            wanted["bus_c"] = Row.bus_c
    elif kind in LOAD_KINDS or kind in SOURCE_KINDS:
        wanted["bus_a"] = Row.bus_a
    if kind == SWITCH:
        wanted |= {"closed": _sign(Row.closed), "on": Row.on_element}
    if kind == BUS:
        wanted["kv"] = cast(Row.attrs["vn_kv"].as_float(), String)
    if kind in SOURCE_KINDS and kind != "ext_grid":
        wanted["source"] = _sign(Row.attrs["slack"].as_boolean())
    if odd["in_service"]:
        wanted["in_service"] = _sign(Row.in_service)
    wanted |= {name: getattr(Row, name) for name in ("phases", "feeder") if odd[name]}
    # One text per column instead of a row per element: the database joins, Python splits.
    joined = [func.aggregate_strings(func.coalesce(one, ""), _BETWEEN) for one in wanted.values()]
    texts = session.execute(select(*joined).where(within, Row.kind == kind)).one()
    found: dict[str, Any] = {
        name: _read(name, text.split(_BETWEEN)) for name, text in zip(wanted, texts, strict=True)
    }
    buses = [found.pop(name) for name in ("bus_a", "bus_b", "bus_c") if name in found]
    return Columns(buses=buses, **found)


def _sign(condition: Any) -> ColumnElement[str]:
    return case((condition, "1"), else_="")


def _read(name: str, texts: list[str]) -> Sequence[Any]:
    if name in ("closed", "in_service", "source"):
        return [bool(text) for text in texts]
    if name == "kv":
        return [float(text) if text else None for text in texts]
    if name in ("on", "feeder", "bus_b", "bus_c"):
        return [text or None for text in texts] if "" in texts else texts
    return texts


def attributes_of(session: Session, version: int, elements: Collection[str]) -> dict[str, dict[str, Any]]:
    """The further values of some elements, by ``kind:id``; those that are not there are left out."""
    by_kind: dict[str, list[str]] = {}
    for name in elements:
        kind, _, own = name.partition(":")
        by_kind.setdefault(kind, []).append(own)
    found: dict[str, dict[str, Any]] = {}
    for kind, ids in by_kind.items():
        for at in range(0, len(ids), _CHUNK):
            query = select(Row.source_id, Row.attrs, Row.name).where(
                Row.version_ref == version, Row.kind == kind, Row.source_id.in_(ids[at : at + _CHUNK])
            )
            for own, attrs, name in session.execute(query):
                found[f"{kind}:{own}"] = {**(attrs or {}), "name": name}
    return found
