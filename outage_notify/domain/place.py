"""Places in words: what makes two spellings the same place, and which street a house stands in."""

from __future__ import annotations

import re
import unicodedata

Tokens = tuple[str, ...]

# Runs of letters and runs of digits: "1-12" and "11-2" are two houses, "4a" and "4 A" are one.
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
LONGEST = 200


def tokens(text: str) -> Tokens:
    """The parts of a place in which spellings do not differ."""
    return tuple(_TOKEN.findall(unicodedata.normalize("NFKC", text[:LONGEST]).casefold()))


def street(place: Tokens) -> Tokens:
    """The street of a house: what stands before the number, or after it where the number comes first."""
    at = 0
    while at < len(place) and place[at].isdigit():
        at += 1
    named = place[at:]
    end = next((index for index, token in enumerate(named) if token.isdigit()), len(named))
    return named[:end]


def holds(text: Tokens, part: Tokens) -> bool:
    """Whether `part` stands in `text`, in one piece. Chinese is written without spaces: a piece of a word counts."""
    if not part:
        return False
    if any(text[at : at + len(part)] == part for at in range(len(text) - len(part) + 1)):
        return True
    joined = "".join(part)
    return len(joined) > 1 and not joined.isascii() and joined in "".join(text)


_NUMBER_FIRST = re.compile(r"\s*\d+\w?(?:\s*[-–—/]\s*\d+[a-zA-Z]?)?\s+(?=\D)")
_NUMBER = re.compile(r"\d|[〇一二三四五六七八九十百]+(?=[号號])")
_INSIDE = re.compile(
    r"\b(?:flat|apartment|apt|unit|floor|suite|room|feed|wohnung|whg|etage|og)\b", re.IGNORECASE
)


def street_words(place: str) -> str:
    """The street of a house as people write it, without any number; empty where the place has no
    number, because then it may be the name of somebody's house. What stands in front of the street
    (a flat, the name of a firm) is left out."""
    for part in re.split(r"[,;]", unicodedata.normalize("NFKC", place[:LONGEST])):
        first = _NUMBER_FIRST.match(part)
        rest = part[first.end() :] if first else part
        number = _NUMBER.search(rest)
        if (number or first) and not _INSIDE.search(part):
            return rest[: number.start() if number else None].strip(" :#-–—/()")
    return ""
