"""Addresses: how one is written so that spellings do not matter, and what a typed line can mean.

A key is a text without spaces, case and punctuation; only between two numbers stands a bar, so that "1-12" and
"11-2" are two houses. Promises: pure; whether a typed line is an address is decided by writing the address in each
order that people use and comparing keys, so that nothing of the line is left over or guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from outage_notify.domain.place import Tokens, tokens

# Stands behind a number and says nothing: 12号 is 12.
_FILLERS = frozenset({"号", "號"})
_MOST_PARTS = 16
# S street, N number, P place, C postcode.
_HOUSE = (
    "SN",
    "NS",
    "SNP",
    "SNC",
    "SNPC",
    "SNCP",
    "PSN",
    "CSN",
    "CPSN",
    "PCSN",
    "NSP",
    "NSC",
    "NSPC",
    "NSCP",
    "PSNC",
)
_STREET = ("S", "SP", "SC", "SPC", "SCP", "PS", "CS", "CPS", "PCS")
_PLACE = ("P", "C", "PC", "CP")


@dataclass(frozen=True)
class AddressKeys:
    """One address as keys; parts that nobody wrote are empty."""

    street: str
    number: str
    place: str
    postcode: str

    @property
    def street_name(self) -> str:
        """The street with its place: two places may have a street of one name."""
        return f"{self.street}/{self.place or self.postcode}"


def key(text: str) -> str:
    return spelled(tuple(one for one in tokens(text) if one not in _FILLERS))


def spelled(parts: Tokens) -> str:
    found = ""
    for one in parts:
        found = _joined(found, one)
    return found


def is_house(asked: str, one: AddressKeys) -> bool:
    """Whether a typed key is this very house, in any of the usual orders, with or without place and postcode."""
    return _is(asked, one, _HOUSE)


def is_street(asked: str, one: AddressKeys) -> bool:
    return _is(asked, one, _STREET)


def is_place(asked: str, place: str, postcode: str) -> bool:
    return _is(asked, AddressKeys("", "", place, postcode), _PLACE)


def pieces(text: str) -> tuple[str, ...]:
    """Every key that a part of a typed line may be: what an index is asked for. Chinese is written without spaces, so
    that a street may be the end of a word and a place its beginning."""
    parts = tuple(one for one in tokens(text) if one not in _FILLERS)[:_MOST_PARTS]
    return tuple(dict.fromkeys(_pieces(parts)))


def _pieces(parts: Tokens) -> Iterator[str]:
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            yield spelled(parts[start:end])
    for one in parts:
        if not one.isascii() and not one.isdigit():
            for at in range(1, min(len(one), 24)):
                yield one[at:]
                yield one[:at]


def _is(asked: str, one: AddressKeys, orders: tuple[str, ...]) -> bool:
    named = {"S": one.street, "N": one.number, "P": one.place, "C": one.postcode}
    for order in orders:
        found = ""
        for letter in order:
            if not named[letter]:
                break
            found = _joined(found, named[letter])
        else:
            if found == asked:
                return True
    return False


def _joined(left: str, right: str) -> str:
    between = "|" if left[-1:].isdigit() and right[:1].isdigit() else ""
    return f"{left}{between}{right}"
