"""How people write an address, and what a typed line can mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outage_notify.domain.address import AddressKeys, is_house, is_place, is_street, key, pieces


def keys(street: str, number: str, place: str = "", postcode: str = "") -> AddressKeys:
    return AddressKeys(key(street), key(number), key(place), key(postcode))


HAUPT = keys("Hauptstraße", "4 a", "Neuried", "77743")
NANJING = keys("南京路", "12号", "上海市", "200001")


@pytest.mark.parametrize(
    ("asked", "house"),
    [
        ("Hauptstraße 4a", HAUPT),
        ("HAUPTSTRASSE 4 A, 77743 Neuried", HAUPT),
        ("77743 Neuried, Hauptstraße 4a", HAUPT),
        ("4a Hauptstraße, Neuried", HAUPT),
        ("南京路12号", NANJING),
        ("上海市南京路 12 号", NANJING),
        ("200001 上海市南京路１２号", NANJING),
        ("12 10th Avenue", keys("10th Avenue", "12")),
        ("10th Avenue 12", keys("10th Avenue", "12")),
        ("北街 3-1 号", keys("北街", "3-1")),
    ],
)
def test_usual_ways_to_write_a_house(asked: str, house: AddressKeys) -> None:
    assert is_house(key(asked), house)
    assert house.street in pieces(asked) and house.number in pieces(asked)


@pytest.mark.parametrize(
    "asked",
    [
        "Hauptstraße 4",
        "Hauptstraße 4b",
        "Hauptstraße 4a, Kehl",
        "Hauptstraße",
        "Hauptstraße 4a 12345",
        "1-12",
        "",
    ],
)
def test_what_is_another_house_or_none(asked: str) -> None:
    assert not is_house(key(asked), HAUPT)


def test_two_numbers_are_not_one() -> None:
    assert key("1-12") != key("11-2") != key("112")
    assert is_street(key("Neuried Hauptstraße"), HAUPT) and not is_street(key("Hauptstraße 4a"), HAUPT)
    assert is_place(key("77743 Neuried"), "neuried", "77743") and not is_place(key("Neuried"), "kehl", "")


WORDS = st.text(st.sampled_from("abcä北街路 "), min_size=1, max_size=8).filter(lambda text: key(text) != "")
NUMBERS = st.integers(1, 9999).map(str)


@given(WORDS, NUMBERS, WORDS, NUMBERS)
def test_a_house_is_found_in_each_order(street: str, number: str, place: str, postcode: str) -> None:
    house = keys(street, number, place, postcode)
    for asked in (
        f"{street} {number}",
        f"{street} {number}, {postcode} {place}",
        f"{place} {street} {number}",
    ):
        assert is_house(key(asked), house)
        assert {house.street, house.number} <= set(pieces(asked))
