"""What a typed line means in the table of addresses: a house, a street, a place or postcode, or nothing.

Promises: every question goes by an index; the answer names no house but the one that was typed. Leaves what is said
about it to `check_place`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from outage_notify.domain.address import AddressKeys, is_house, is_place, is_street, key, pieces
from outage_notify.store import address_book
from outage_notify.store.address_tables import Address, AddressSpot

MOST_NAMED = 6


@dataclass(frozen=True)
class Found:
    """`house`: one house was named, of a street of `houses`; `elements` are its loads. Else `where` and `feeders`
    of the street, place or postcode. `several`: places that all have this street, one of which must be named."""

    known: bool = False
    house: AddressKeys | None = None
    houses: int = 0
    elements: frozenset[str] = frozenset()
    where: list[tuple[float, float]] = field(default_factory=list)
    feeders: frozenset[str] = frozenset()
    several: tuple[str, ...] = ()


def find(session: Session, book: int, text: str) -> Found:
    asked, parts = key(text), pieces(text)
    numbers = [one for one in parts if any(map(str.isdigit, one))]
    houses = [
        one for one in address_book.houses(session, book, parts, numbers) if is_house(asked, _keys(one))
    ]
    if houses:
        return _one_house(session, book, houses)
    along = [one for one in address_book.streets(session, book, parts) if is_street(asked, _keys(one))]
    if along:
        return _around(along)
    return _in_area(asked, address_book.spots(session, book, parts))


def _keys(one: Address) -> AddressKeys:
    return AddressKeys(one.street_key, one.number_key, one.place_key, one.postcode_key)


def _one_house(session: Session, book: int, found: list[Address]) -> Found:
    towns = {one.place_key: one.place for one in found}
    if len(towns) > 1:
        return Found(known=True, several=tuple(sorted(filter(None, towns.values())))[:MOST_NAMED])
    first = found[0]
    number = address_book.number_of_houses(session, book, first.street_key, first.place_key)
    around = _around(found)
    elements = frozenset(one.element for one in found if one.element)
    return Found(True, _keys(first), number, elements, around.where, around.feeders)


def _around(found: list[Address]) -> Found:
    where = {
        (one.longitude, one.latitude)
        for one in found
        if one.longitude is not None and one.latitude is not None
    }
    return Found(True, where=sorted(where), feeders=frozenset(one.feeder for one in found if one.feeder))


def _in_area(asked: str, spots: list[AddressSpot]) -> Found:
    """A postcode is the smaller of the two, so that it decides where both were written."""
    places = {one.area_key for one in spots if not one.is_postcode} | {""}
    codes = {one.area_key for one in spots if one.is_postcode} | {""}
    meant = [(place, code) for place in places for code in codes if is_place(asked, place, code)]
    if not meant:
        return Found()
    place, code = max(meant, key=lambda one: bool(one[1]))
    wanted = (code, True) if code else (place, False)
    where = [(one.longitude, one.latitude) for one in spots if (one.area_key, one.is_postcode) == wanted]
    return Found(True, where=where)
