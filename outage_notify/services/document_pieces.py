"""Large documents joined from a piece per outage, taking over from the version before what did not change.

A change touches one outage of thousands. Its version's pieces and packed parts lie in the file of the
version before, so that a process that has just started is as fast as one that built it. Promises: what is
joined is, byte by byte, what `open_formats` and `open_cap` make afresh; a piece is taken over only if the
facts, the publisher, the local times of the zone, whether it is over, and the code that writes it are still
the same.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import blake2b, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import channels
from outage_notify.services import gzip_parts, open_cap, open_formats, open_odin
from outage_notify.services.gzip_parts import Packed
from outage_notify.services.open_formats import Frame, Publisher
from outage_notify.services.public_facts import PublicList, PublicOutage, write, written
from outage_notify.services.public_words import LANGUAGES

FACTS = "outages.json"
# Code and words that shape a document or choose its facts, beside the package of texts.
_SHAPES = ("open_*.py", "public_*.py", "publish_*.py", "document_pieces.py", "gzip_parts.py")


@cache
def edition() -> str:
    """Changes with the code and the words that documents are made with: another release trusts no old piece."""
    found = sha256(version("icalendar").encode())
    here, texts = Path(__file__).parent, Path(channels.__file__).parent
    files = [path for pattern in _SHAPES for path in here.glob(pattern)]
    files += [path for path in texts.rglob("*") if path.suffix in {".py", ".mo"}]
    for path in sorted(files):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def salt_of(publisher: Publisher) -> bytes:
    """All that every piece depends on beside the facts."""
    return edition().encode() + as_json(publisher.__dict__)


@dataclass(frozen=True)
class Recipe:
    """How a document is made: its frame, its piece for one outage, and in which order the pieces stand."""

    frame: Callable[[PublicList, Publisher], Frame]
    piece: Callable[[PublicOutage, Publisher, datetime], bytes]
    by_start: bool = False


def facts_frame(listed: PublicList) -> Frame:
    """The JSON history without its outages."""
    whole = as_json(write(PublicList(listed.as_of, ())))
    return Frame(whole[:-2], whole[-2:], b",")


def facts_piece(one: PublicOutage) -> bytes:
    return as_json(written(one))


def _recipes() -> dict[str, Recipe]:
    found = {
        "outages.geojson": Recipe(
            lambda listed, who: open_formats.geojson_frame(listed),
            lambda one, who, now: open_formats.geojson_piece(one),
        ),
        "outages.csv": Recipe(
            lambda listed, who: open_formats.csv_frame(),
            lambda one, who, now: open_formats.csv_piece(one, who),
        ),
        open_odin.NAME: Recipe(
            lambda listed, who: open_odin.frame(), lambda one, who, now: open_odin.piece(one, who)
        ),
        "cap.atom": Recipe(open_cap.index_frame, lambda one, who, now: open_cap.index_piece(one, who)),
    }
    for tag in LANGUAGES:
        found |= _spoken(tag)
    return found


def _spoken(tag: str) -> dict[str, Recipe]:
    return {
        f"outages.{tag}.atom": Recipe(
            lambda listed, who: open_formats.atom_frame(listed, who, tag),
            lambda one, who, now: open_formats.atom_piece(one, who, tag),
        ),
        f"outages.{tag}.ics": Recipe(
            lambda listed, who: open_formats.calendar_frame(listed, who, tag),
            lambda one, who, now: open_formats.calendar_piece(one, who, tag, now),
            by_start=True,
        ),
    }


RECIPES: Mapping[str, Recipe] = _recipes()


@dataclass(frozen=True)
class Seams:
    """Where a version's documents can be taken apart. `keys`: a digest per outage, of all that its pieces depend on;
    `spans`: per document offset and length of each outage's piece in the order of the keys; `parts`: as packed."""

    keys: tuple[str, ...] = ()
    spans: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    parts: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def written(self) -> str:
        return json.dumps(
            {"keys": self.keys, "spans": self.spans, "parts": self.parts}, separators=(",", ":")
        )

    @classmethod
    def read(cls, text: bytes) -> Seams:
        found: dict[str, Any] = json.loads(text)
        return cls(tuple(found["keys"]), found["spans"], found["parts"])


@dataclass(frozen=True)
class Joined:
    """The documents of a version by name, and how the next one can be made from them."""

    documents: Mapping[str, Packed]
    seams: Seams


def facts_of(listed: PublicList) -> list[bytes]:
    """Each outage as the JSON history has it: all that its other pieces are made from."""
    return [facts_piece(one) for one in listed.outages]


def join(
    listed: PublicList,
    facts: list[bytes],
    publisher: Publisher,
    before: Seams,
    packed: Mapping[str, bytes],
) -> Joined:
    """Every document that has a piece per outage. `before`, `packed`: seams and documents of the version before."""
    salt = salt_of(publisher)
    keys = tuple(_key(salt, one, fact, listed.as_of) for one, fact in zip(listed.outages, facts, strict=True))
    known = {key: number for number, key in enumerate(before.keys)}
    same = [known.get(key) for key in keys]
    documents, spans, parts = dict[str, Packed](), dict[str, Any](), dict[str, Any]()
    by_start = sorted(range(len(keys)), key=lambda at: open_formats.calendar_rank(listed.outages[at]))
    for name, recipe in RECIPES.items():
        old = before.spans.get(name)
        body = gzip.decompress(packed[name]) if old is not None and name in packed else b""
        pieces = []
        for one, number in zip(listed.outages, same, strict=True):
            if number is None or old is None or not body:
                pieces.append(recipe.piece(one, publisher, listed.as_of))
            else:
                at, length = old[number]
                pieces.append(body[at : at + length])
        frame = recipe.frame(listed, publisher)
        order = by_start if recipe.by_start else range(len(keys))
        spans[name] = _spans(frame, pieces, order)
        documents[name] = _packed(name, frame, [pieces[at] for at in order], before, packed)
        parts[name] = documents[name].seams
    documents[FACTS] = _packed(FACTS, facts_frame(listed), facts, before, packed)
    parts[FACTS] = documents[FACTS].seams
    return Joined(documents, Seams(keys, spans, parts))


def _packed(
    name: str, frame: Frame, pieces: list[bytes], before: Seams, packed: Mapping[str, bytes]
) -> Packed:
    known = gzip_parts.known_parts(packed[name], before.parts.get(name, ())) if name in packed else {}
    return gzip_parts.pack(gzip_parts.in_parts(frame.head, _between(frame, pieces), frame.tail), known)


def _between(frame: Frame, pieces: list[bytes]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        yield frame.between + piece if number and frame.between else piece


def _spans(frame: Frame, pieces: list[bytes], order: Any) -> tuple[tuple[int, int], ...]:
    found = [(0, 0)] * len(pieces)
    at = len(frame.head)
    for number in order:
        found[number] = (at, len(pieces[number]))
        at += len(pieces[number]) + len(frame.between)
    return tuple(found)


def _key(salt: bytes, one: PublicOutage, fact: bytes, as_of: datetime) -> str:
    """A digest of all that the pieces of an outage depend on. Rules of a time zone change too, so that its local
    times are in it."""
    zone = ZoneInfo(one.timezone)
    said = [value.astimezone(zone).isoformat() for value in (one.start, one.end, one.until)]
    said.append("over" if open_formats.calendar_end(one) <= as_of else "ahead")
    return blake2b(salt + fact + "".join(said).encode(), digest_size=16).hexdigest()


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
