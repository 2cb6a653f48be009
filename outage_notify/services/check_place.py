"""Is my place affected? Yes, no or perhaps, for one house, a street, a line or a point.

Promises about privacy:

- A house is answered yes or no from the frozen audience, to who names it exactly; nothing is
  said of its neighbours, and whoever asks has to be let through by `may_ask`, which counts.
- A street, a line, an area or a point is answered from what is public anyway: the published
  areas and words. Asking about them teaches nothing that the map does not show.
- A house in a street with too few houses is answered like its street.
- Who is affected and who is not cost the same questions to the database.

Where a table of addresses was imported (`import_addresses`) it alone says which houses, streets, places and postcodes
there are, and every question goes by an index; else the places of the customers do.

Leaves counting per client to `web`; the arithmetic stands in docs/open-data.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from geo.within import any_within
from outage_notify.domain.audience import Impact
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.place import Tokens, holds, street, tokens
from outage_notify.services.find_address import find
from outage_notify.services.public_facts import ENDED, PublicList, PublicOutage
from outage_notify.services.runtime import Runtime
from outage_notify.store import address_book, address_queries
from outage_notify.store.address_queries import Place

# Different houses of one street that one client may ask for in a day; always fewer than the street has.
HOUSES_A_DAY = 3
_POINT = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;，\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*")

# (street, house, how many different houses of the street may be asked for) to whether it may be answered.
MayAsk = Callable[[str, str, int], bool]


class Kind(StrEnum):
    HOUSE = "house"  # sure: yes or no
    NEARBY = "nearby"  # a street, an area, a line or a point: perhaps
    SEVERAL = "several"  # places that all have this street
    LIMIT = "limit"  # asked for too many houses of this street today
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Hit:
    outage: PublicOutage
    momentary: bool = False


@dataclass(frozen=True)
class PlaceAnswer:
    kind: Kind
    asked: str
    hits: tuple[Hit, ...] = ()
    places: tuple[str, ...] = ()


def check_place(rt: Runtime, listed: PublicList, text: str, may_ask: MayAsk) -> PlaceAnswer:
    """The answer for what somebody typed, against what is public in `listed`. Changes nothing.

    InvalidInput for a text too short to look for.
    """
    asked = " ".join(text.split())
    point = _POINT.fullmatch(asked)
    if point is not None:
        latitude, longitude = float(point[1]), float(point[2])
        return PlaceAnswer(Kind.NEARBY, asked, _near(listed, [(longitude, latitude)]))
    wanted = tokens(asked)
    if len("".join(wanted)) < 2:
        raise InvalidInput("That is too short.", "Write street and number, a place, a line or coordinates.")
    with rt.database.read() as session:
        book = address_book.in_force(session)
        if book is not None:
            return _by_book(session, book.id, listed, asked, wanted, may_ask)
        way = street(wanted)
        along = _along(session, way)
        exact = [one for one in along if tokens(one.place) == wanted]
        if exact and wanted != way:
            return _house(session, listed, asked, wanted, way, along, exact, may_ask)
        where = address_queries.positions(session, {one.element for one in along}) if wanted == way else []
    return _around(listed, asked, wanted, bool(along) and wanted == way, _near(listed, where))


def _around(
    listed: PublicList, asked: str, wanted: Tokens, known: bool, hits: tuple[Hit, ...]
) -> PlaceAnswer:
    """What is public near a place, or has its name in its words."""
    named = tuple(
        Hit(one)
        for one in _ahead(listed)
        if holds(tokens(one.area), wanted) or holds(tokens(one.line), wanted) or one.reference == asked
    )
    if not known and not named:
        return PlaceAnswer(Kind.UNKNOWN, asked)
    merged = {hit.outage.reference: hit for hit in (*hits, *named)}
    return PlaceAnswer(Kind.NEARBY, asked, tuple(merged.values()))


def _by_book(
    session: Session, book: int, listed: PublicList, asked: str, wanted: Tokens, may_ask: MayAsk
) -> PlaceAnswer:
    """From the table of addresses. Of a house without a load or customer only its surroundings are known."""
    found = find(session, book, asked)
    if found.several:
        return PlaceAnswer(Kind.SEVERAL, asked, places=found.several)
    on_line = [
        one
        for one in _ahead(listed)
        if any(holds(tokens(one.line), tokens(feeder)) for feeder in found.feeders)
    ]
    near = {hit.outage.reference: hit for hit in (*_near(listed, found.where), *map(Hit, on_line))}
    if found.house is None:
        return _around(listed, asked, wanted, found.known, tuple(near.values()))
    points = address_book.points_on(session, found.elements)
    allowed = min(HOUSES_A_DAY, found.houses - 1)
    if allowed < 1 or not points:
        return PlaceAnswer(Kind.NEARBY, asked, tuple(near.values()))
    if not may_ask(found.house.street_name, f"{found.house.street_name} {found.house.number}", allowed):
        return PlaceAnswer(Kind.LIMIT, asked)
    return PlaceAnswer(Kind.HOUSE, asked, _sure(session, listed, points))


def _sure(session: Session, listed: PublicList, points: list[int]) -> tuple[Hit, ...]:
    found = address_queries.outages_at(session, points)
    return tuple(
        Hit(one, found[one.reference] is Impact.MOMENTARY) for one in _ahead(listed) if one.reference in found
    )


def whereabouts(session: Session, text: str, may_ask: MayAsk) -> dict[str, list[Any]]:
    """What a place stands for, to be compared with outages to come: `points` of a house that may be asked
    for, else `where` (positions) and `words`, which are held against what is public. InvalidInput for
    a place that nobody knows or a house too many today."""
    asked = " ".join(text.split())
    point = _POINT.fullmatch(asked)
    if point is not None:
        return {"where": [[float(point[2]), float(point[1])]]}
    wanted = tokens(asked)
    if len("".join(wanted)) < 2:
        raise InvalidInput("That is too short.", "Write street and number, a place, a line or coordinates.")
    book = address_book.in_force(session)
    if book is not None:
        return _whereabouts_by_book(session, book.id, asked, wanted, may_ask)
    way = street(wanted)
    along = _along(session, way)
    exact = [one for one in along if tokens(one.place) == wanted]
    if exact and wanted != way:
        allowed = min(HOUSES_A_DAY, len({tokens(one.place) for one in along}) - 1)
        if allowed >= 1:
            if not may_ask(" ".join(way), " ".join(wanted), allowed):
                raise InvalidInput("Several houses of this street were asked for today.", "Try it tomorrow.")
            return {"points": sorted({one.service_point for one in exact})}
    where = (
        address_queries.positions(session, {one.element for one in along}) if exact or wanted == way else []
    )
    return {"where": [[*one] for one in where[:200]], "words": list(wanted)}


def _whereabouts_by_book(
    session: Session, book: int, asked: str, wanted: Tokens, may_ask: MayAsk
) -> dict[str, list[Any]]:
    found = find(session, book, asked)
    if found.several:
        raise InvalidInput("Several places have this street.", "Add the place or the postcode.")
    points = address_book.points_on(session, found.elements) if found.house is not None else []
    allowed = min(HOUSES_A_DAY, found.houses - 1)
    if found.house is not None and points and allowed >= 1:
        if not may_ask(found.house.street_name, f"{found.house.street_name} {found.house.number}", allowed):
            raise InvalidInput("Several houses of this street were asked for today.", "Try it tomorrow.")
        return {"points": sorted(points)}
    return {"where": [[*one] for one in found.where[:200]], "words": list(wanted)}


def _house(
    session: Session,
    listed: PublicList,
    asked: str,
    wanted: Tokens,
    way: Tokens,
    along: list[Place],
    exact: list[Place],
    may_ask: MayAsk,
) -> PlaceAnswer:
    houses = len({tokens(one.place) for one in along})
    allowed = min(HOUSES_A_DAY, houses - 1)
    if allowed < 1:
        where = address_queries.positions(session, {one.element for one in along})
        return PlaceAnswer(Kind.NEARBY, asked, _near(listed, where))
    if not may_ask(" ".join(way), " ".join(wanted), allowed):
        return PlaceAnswer(Kind.LIMIT, asked)
    return PlaceAnswer(Kind.HOUSE, asked, _sure(session, listed, [one.service_point for one in exact]))


def _along(session: Session, way: Tokens) -> list[Place]:
    """The places of a street; none for a text that names none."""
    if not way:
        return []
    return [one for one in address_queries.places_like(session, way) if street(tokens(one.place)) == way]


def _near(listed: PublicList, points: list[tuple[float, float]]) -> tuple[Hit, ...]:
    return tuple(Hit(one) for one in _ahead(listed) if any_within(one.geometry, points))


def _ahead(listed: PublicList) -> list[PublicOutage]:
    return [one for one in listed.outages if one.phase not in ENDED]
