"""One text for a whole wave: rendered once with marks for what is a person's own, then filled in for each.

A hundred thousand texts of one outage differ in places, links, short reference and area manager.
Rendering each by itself costs more than all the rest of sending it. A mark holds control
characters, which no cleaned value has, so that nothing that people typed can be taken for one.

Promises the very text that rendering each by itself gives, provided that the template only joins the
values and asks at most whether there is one; a test compares both. Leaves to the renderer
what the words are and how a value is cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from channels.model import NoticeFacts

_MARK = re.compile("\x02([0-9]+)\x03")


class Own(NamedTuple):
    """What belongs to one addressee, cleaned and cut to length. Empty is missing."""

    places: tuple[str, ...]
    short_ref: str
    notice_url: str
    sign_url: str
    manager: str


Render = Callable[[NoticeFacts, Own], str]


class _Wave:
    """The facts of one addressee, equal to those of all others whose texts differ in `Own` alone."""

    __slots__ = ("facts", "key", "own", "render")

    def __init__(self, facts: NoticeFacts, own: Own, render: Render) -> None:
        self.facts, self.own, self.render = facts, own, render
        self.key = (
            render,
            facts.kind,
            facts.language,
            facts.reference,
            facts.utility,
            facts.reason,
            facts.hotline,
            facts.is_key,
            facts.life_support,
            _local(facts.start),
            _local(facts.end),
            _local(facts.old_start),
            _local(facts.old_end),
            _local(facts.expected_end),
            _local(facts.restored_at),
            tuple(one.impact for one in facts.places),
            self.marked(),
            facts.words.of("sms", facts.kind, facts.language.value),
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wave) and self.key == other.key

    def marked(self) -> Own:
        """Marks in place of the values. A name that several places have is said once, so they share a mark;
        a value that is missing has none."""
        first: dict[str, int] = {}
        places = tuple(_mark(first.setdefault(name, at)) for at, name in enumerate(self.own.places))
        rest = [_mark(len(places) + at) if one else "" for at, one in enumerate(self.own[1:])]
        return Own(places, *rest)


def wave_text(
    facts: NoticeFacts, manager: str, render: Render, own_of: Callable[[NoticeFacts, str], Own]
) -> str:
    """The text of one addressee: `render` is called once for all who differ in `own_of` alone."""
    own = own_of(facts, manager)
    values = (*own.places, *own[1:])
    return _MARK.sub(lambda found: values[int(found[1])], _text(_Wave(facts, own, render)))


@lru_cache(maxsize=512)
def _text(wave: _Wave) -> str:
    return wave.render(wave.facts, wave.marked())


def _mark(number: int) -> str:
    return f"\x02{number}\x03"


def _local(at: datetime | None) -> tuple[str, tzinfo | None] | None:
    """A time as its clock shows it: two that are one instant may read differently."""
    return (at.isoformat(), at.tzinfo) if at else None
