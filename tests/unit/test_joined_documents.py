"""Documents joined from what the version before left over: byte by byte what is made afresh, and packed as one file."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outage_notify.services import (
    document_pieces,
    gzip_parts,
    open_cap,
    open_formats,
    open_odin,
    open_schema,
    public_facts,
)
from outage_notify.services.document_pieces import Seams, as_json
from outage_notify.services.open_formats import Publisher
from outage_notify.services.public_facts import Phase, PublicList, in_order
from outage_notify.services.public_words import LANGUAGES
from outage_notify.services.publish_documents import Published, build
from tests.factories.people import NOW
from tests.factories.public_outages import lists, outage

PUBLISHER = Publisher("Oberrhein <Netz> & Co", "https://netz.example", "+49 30 23125 000")
OTHER = replace(PUBLISHER, hotline="+49 30 23125 001")


def plainly(listed: PublicList, publisher: Publisher) -> dict[str, bytes]:
    """Every document as its format makes it at once."""
    found = {
        "outages.json": as_json(public_facts.write(listed)),
        "outages.geojson": open_formats.geojson(listed),
        "outages.csv": open_formats.csv_table(listed, publisher),
        "cap.atom": open_cap.index(listed, publisher),
        open_odin.NAME: open_odin.frame().around(open_odin.piece(one, publisher) for one in listed.outages),
        open_schema.NAME: as_json(open_schema.schema(publisher)),
    }
    for tag in LANGUAGES:
        found[f"outages.{tag}.atom"] = open_formats.atom(listed, publisher, tag)
        found[f"outages.{tag}.ics"] = open_formats.calendar(listed.outages, publisher, tag, listed.as_of)
    return found


def opened(published: Published) -> dict[str, bytes]:
    """The bodies, each read as a single gzip member with nothing after it."""
    found = {}
    for name, one in published.documents.items():
        reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
        found[name] = reader.decompress(one.packed)
        assert reader.eof and not reader.unused_data
    return found


@st.composite
def changes(draw: st.DrawFn) -> tuple[PublicList, PublicList]:
    """A list, and a later one that shares outages with it, in whatever state they are by then."""
    first, second = draw(lists()), draw(lists())
    news = {one.reference: one for one in second.outages}
    kept = [one for one in first.outages if one.reference not in news and draw(st.booleans())]
    moved = [one for one in first.outages if one.reference not in news and one not in kept]
    if moved and draw(st.booleans()):
        kept.append(replace(moved[0], customers=70, area="moved"))
    later = NOW + timedelta(hours=draw(st.integers(1, 1_500)))
    return first, PublicList(later, in_order([*kept, *second.outages]))


@given(changes(), st.sampled_from([PUBLISHER, OTHER]))
@settings(max_examples=60, deadline=None)
def test_what_is_taken_over_is_what_would_be_made(
    pair: tuple[PublicList, PublicList], publisher: Publisher
) -> None:
    first, second = pair
    before, seams = build(first, PUBLISHER, "1")
    # As the next process reads them from the file.
    after, _ = build(second, publisher, "2", before, Seams.read(seams.written().encode()))
    fresh, _ = build(second, publisher, "2")
    if after.version == before.version:
        # Nobody sees a difference: what caches keep stays right.
        assert after.documents == before.documents
        return
    assert after == fresh
    bodies = opened(after)
    bodies.pop("index.json")
    assert bodies == plainly(second, publisher)


def many(number: int) -> PublicList:
    return PublicList(NOW, in_order([outage(at, start=NOW + timedelta(hours=at)) for at in range(1, number)]))


def test_of_many_only_what_changed_is_rendered_and_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = many(1_000)
    before, seams = build(listed, PUBLISHER, "1")
    changed = replace(listed.outages[500], phase=Phase.CANCELLED)
    later = PublicList(
        NOW, in_order([one for one in listed.outages if one is not listed.outages[500]] + [changed])
    )
    rendered, packed = list[str](), list[int]()
    piece, pack = open_formats.calendar_piece, gzip_parts._packed
    monkeypatch.setattr(
        open_formats, "calendar_piece", lambda one, *more: rendered.append(one.reference) or piece(one, *more)
    )
    monkeypatch.setattr(gzip_parts, "_packed", lambda part: packed.append(len(part)) or pack(part))
    after, _ = build(later, PUBLISHER, "2", before, seams)
    assert rendered == [changed.reference] * len(LANGUAGES)
    total = sum(len(gzip.decompress(one.packed)) for one in after.documents.values())
    assert sum(packed) < total / 2
    monkeypatch.undo()
    assert build(later, PUBLISHER, "2")[0] == after


def test_another_release_takes_nothing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    before, seams = build(many(5), PUBLISHER, "1")
    monkeypatch.setattr(document_pieces, "edition", lambda: "other")
    monkeypatch.setattr(open_formats, "csv_piece", lambda one, publisher: b"new\r\n")
    monkeypatch.setitem(
        document_pieces.RECIPES,  # type: ignore[arg-type]
        "outages.csv",
        replace(document_pieces.RECIPES["outages.csv"], piece=lambda one, who, now: b"new\r\n"),
    )
    after, _ = build(many(5), PUBLISHER, "1", before, seams)
    assert opened(after)["outages.csv"].endswith(b"new\r\n" * 4)


def test_the_edition_follows_every_file_that_shapes_a_document() -> None:
    here = Path(document_pieces.__file__).parent
    named = {path.name for pattern in document_pieces._SHAPES for path in here.glob(pattern)}
    assert {"open_formats.py", "open_cap.py", "public_facts.py", "public_words.py", "publish_map.py"} <= named


@given(st.lists(st.binary(max_size=40), max_size=400), st.integers(0, 400), st.binary(max_size=5))
@settings(max_examples=40, deadline=None)
def test_parts_packed_apart_are_one_file(pieces: list[bytes], at: int, new: bytes) -> None:
    first = gzip_parts.pack(gzip_parts.in_parts(b"head", pieces, b"tail"), {})
    assert gzip.decompress(first.data) == first.body == b"head" + b"".join(pieces) + b"tail"
    later = gzip_parts.in_parts(b"head", [*pieces[:at], new, *pieces[at:]], b"tail")
    known = gzip_parts.known_parts(first.data, first.seams)
    assert gzip_parts.pack(later, known) == gzip_parts.pack(later, {})
