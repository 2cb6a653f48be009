"""The open data read by programs from npm: a linter of GeoJSON, a validator of JSON Schema, a decoder of vector tiles.

What each must refuse is shown beside what it must accept.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import shapely
from hypothesis import given, settings

from geo import mvt
from outage_notify.services import open_formats, open_schema, public_facts
from outage_notify.services.open_formats import Publisher
from outage_notify.services.public_facts import PublicList
from tests.factories.people import NOW
from tests.factories.public_outages import lists, outage, square
from tests.servers import foreign_readers
from tests.unit.test_vector_tiles import at

PUBLISHER = Publisher("Oberrhein <Netz> & Co", "https://netz.example", "+49 30 23125 000")
WEST, SOUTH = 7.0, 48.0


def drawn(write: Callable[[PublicList], Any]) -> list[Any]:
    """What is written of thirty lists; collected, so that they are read at one go."""
    written: list[Any] = []

    @given(lists())
    @settings(max_examples=30)
    def collect(listed: PublicList) -> None:
        written.append(write(listed))

    collect()
    return written


def test_a_linter_finds_nothing_in_our_geojson() -> None:
    texts = drawn(lambda listed: open_formats.geojson(listed).decode())
    assert any("Polygon" in text for text in texts)
    for text, faults in zip(texts, foreign_readers.read("geojson.mjs", texts), strict=True):
        assert faults == [], text


def test_the_linter_finds_what_is_wrong() -> None:
    """Turned the wrong way, not closed, to places that nobody measures, without properties."""
    ring = square(1)["coordinates"][0]
    fine = [[round(x + 1e-9, 9), y] for x, y in ring]
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": [one]},
        }
        for one in (ring, ring[::-1], ring[:-1], fine)
    ]
    features.append({"type": "Feature", "geometry": None})
    found = foreign_readers.read("geojson.mjs", [json.dumps(one) for one in features])
    words = [
        None,
        "right-hand rule",
        "first and last positions",
        "precision",
        '"properties" member required',
    ]
    for faults, word in zip(found, words, strict=True):
        assert any(word in fault for fault in faults) if word else faults == []


def test_our_documents_keep_to_the_published_schema() -> None:
    documents = drawn(lambda listed: json.loads(json.dumps(public_facts.write(listed))))
    given = {"schema": open_schema.schema(PUBLISHER), "documents": documents}
    assert all(faults == [] for faults in foreign_readers.read("schema.mjs", given))


def test_the_schema_refuses_what_is_no_document() -> None:
    listed = PublicList(NOW, (outage(1),))
    wrong = {
        "phase": "soon",
        "customers": 3,
        "start": "tomorrow",
        "history": [],
        "moved": None,
    }
    documents = []
    for name, value in wrong.items():
        document = json.loads(json.dumps(public_facts.write(listed)))
        document["outages"][0][name] = value
        documents.append(document)
    given = {"schema": open_schema.schema(PUBLISHER), "documents": documents}
    for name, faults in zip(wrong, foreign_readers.read("schema.mjs", given), strict=True):
        assert any(fault.startswith(f"/outages/0/{name} ") for fault in faults), name


def ringed() -> shapely.Polygon:
    """Two degrees wide, with a place in the middle that keeps its supply."""
    hole = shapely.box(WEST + 0.5, SOUTH + 0.5, WEST + 1.5, SOUTH + 1.5)
    return shapely.box(WEST, SOUTH, WEST + 2, SOUTH + 2).difference(hole)


def seen(z: int, x: int, y: int) -> shapely.Polygon:
    """What a tile shows and a little beyond, in degrees."""
    margin = 64 / mvt.EXTENT

    def latitude(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z))))

    west, east = (360 * (column / 2**z) - 180 for column in (x - margin, x + 1 + margin))
    return shapely.box(west, latitude(y + 1 + margin), east, latitude(max(y - margin, 0)))


def test_one_outage_in_tiles_of_every_zoom() -> None:
    """At the corner of the hole: whole with its hole from far, a corner from near, never off by more than a step."""
    area = ringed()
    listed = PublicList(NOW, (outage(1, geometry=shapely.geometry.mapping(area)),))
    wanted = [(z, *at(z, WEST + 0.5, SOUTH + 0.5)) for z in range(mvt.DEEPEST + 1)]
    given = [
        {
            "z": z,
            "x": x,
            "y": y,
            "body": base64.b64encode(open_formats.vector_tile(listed, z, x, y)).decode(),
        }
        for z, x, y in wanted
    ]
    for (z, x, y), layers in zip(wanted, foreign_readers.read("tiles.mjs", given), strict=True):
        assert list(layers) == ["outages"]
        (feature,) = layers["outages"]
        said = feature["properties"]
        assert (said["reference"], said["phase"], said["moved"]) == (
            "PO-2026-0001",
            "planned",
            False,
        )
        found = shapely.geometry.shape(feature["geometry"])
        expected = area.intersection(seen(z, x, y))
        step = 360 / 2**z / mvt.EXTENT
        assert found.is_valid and found.hausdorff_distance(expected) <= 1.01 * step, z
        holes = sum(len(one.interiors) for one in getattr(found, "geoms", [found]))
        assert holes == sum(len(one.interiors) for one in getattr(expected, "geoms", [expected])), z


def test_the_decoder_of_tiles_sees_a_tile_beside_its_place() -> None:
    """The same bytes one tile further east: the distance that the test above measures is not nothing."""
    x, y = at(8, WEST + 0.5, SOUTH + 0.5)
    body = mvt.tile(8, x, y, "outages", [(1, shapely.geometry.mapping(ringed()), {})])
    given = [{"z": 8, "x": x + 1, "y": y, "body": base64.b64encode(body).decode()}]
    (layers,) = foreign_readers.read("tiles.mjs", given)
    found = shapely.geometry.shape(layers["outages"][0]["geometry"])
    assert found.hausdorff_distance(ringed().intersection(seen(8, x, y))) > 1
