"""Places in words: spellings of one house, houses that are not the same, and their street."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outage_notify.domain.place import holds, street, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("北街 4 号", "北街4号"),
        ("北街４号", "北街 4 号"),
        ("12 North  Street", "12 north street"),
        ("Weg 4a", "Weg 4 A"),
    ],
)
def test_one_house_in_two_spellings(one: str, other: str) -> None:
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("北街 1-12 号", "北街 11-2 号"), ("Weg 4", "Weg 4a"), ("5 North Street", "5 South Street")],
)
def test_two_houses(one: str, other: str) -> None:
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize(
    ("house", "expected"),
    [
        ("北街 3-2 号", "北街"),
        ("5 North Street", "North Street"),
        ("Hauptstr. 12 a", "Hauptstr"),
        ("Am Markt", "Am Markt"),
        ("17", ""),
    ],
)
def test_the_street_of_a_house(house: str, expected: str) -> None:
    assert street(tokens(house)) == tokens(expected)


@given(st.text(max_size=60))
def test_a_street_is_its_own_street(text: str) -> None:
    way = street(tokens(text))
    assert street(way) == way


def test_a_piece_of_a_name() -> None:
    assert holds(tokens("北街 3 至 6 号"), tokens("北街"))
    assert holds(tokens("Old North Street"), tokens("north street"))
    assert not holds(tokens("Northern Street"), tokens("north"))
    assert not holds(tokens("anything"), ())
