"""The counts that matter, from the provider's own ledger: whom it reached, how often, and with what."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tally:
    once: int
    untold: int
    twice: int
    strangers: int  # reached though nobody was to be told there
    # The addresses of all that is wrong, for whoever has to find out why.
    wrong: tuple[str, ...] = field(default=(), compare=False)


def tally(entries: Iterable[Mapping[str, Any]], expected: Collection[str]) -> Tally:
    """`expected` holds one address per person. A repeated e-mail (same Message-ID) is one entry."""
    reached = Counter(str(one["to"]) for one in entries)
    return Tally(
        once=sum(reached[one] == 1 for one in expected),
        untold=sum(reached[one] == 0 for one in expected),
        twice=sum(reached[one] > 1 for one in expected),
        strangers=len(set(reached) - set(expected)),
        wrong=tuple(one for one in {*expected, *reached} if reached[one] != 1 or one not in expected),
    )


@dataclass(frozen=True)
class ChangeTally:
    """After a change of mind in the middle of a wave: each person is in exactly one of these."""

    told_and_told_of_it: int  # the notice, then the change, once each
    told_the_new_only: int  # the notice as it is now, and nothing else
    told_nothing: int
    otherwise: dict[str, int]  # whatever else people got, in its order
    wrong: tuple[str, ...] = ()  # their addresses


def tally_change(
    entries: Iterable[Mapping[str, Any]], expected: Collection[str], old: Sequence[str], new: Sequence[str]
) -> ChangeTally:
    """`old` and `new` are words of the two windows by which the first notices are told apart.

    A call is written down when it is answered. Where one was still ringing as the change was called through,
    which of the two is answered first is the telephone's affair: both were told, once each."""
    heard: dict[str, list[str]] = defaultdict(list)
    rang: set[str] = set()
    for one in entries:
        said = _said(f"{one['subject']} {one['text']}", old, new)
        if said == "old" and one["channel"] == "voice":
            rang.add(str(one["to"]))
        heard[str(one["to"])].append(said)
    for one, words in heard.items():
        if one in rang and words in (["cancelled", "old"], ["changed", "old"]):
            words.reverse()
    stories = {one: " > ".join(heard[one]) for one in {*expected, *heard}}
    stories |= {one: f"stranger: {words}" for one, words in stories.items() if one not in expected}
    counted = Counter(stories.values())
    right = {"old > changed", "old > cancelled", "new", ""}
    return ChangeTally(
        told_and_told_of_it=counted["old > changed"] + counted["old > cancelled"],
        told_the_new_only=counted["new"],
        told_nothing=counted[""],
        otherwise={words: count for words, count in counted.items() if words not in right},
        wrong=tuple(one for one, words in stories.items() if words not in right),
    )


def _said(text: str, old: Sequence[str], new: Sequence[str]) -> str:
    """What a message says, by words that no other kind of message has."""
    if "Cancelled: the outage announced" in text:
        return "cancelled"
    if "New time (before" in text or "this notice replaces the earlier one" in text:
        return "changed"
    for words, name in ((new, "new"), (old, "old")):
        if any(one in text for one in words):
            return name
    return "something else"
