"""From a drawn area to customers by tier, and from a click to a feeder, out of the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from geo.readers import read_network
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.sample.network import FILE
from outage_notify.services.find_places import find_nearest, find_within
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.runtimes import make_runtime


def test_area_and_click(database_url: str, tmp_path: Path) -> None:
    rt = make_runtime(database_url, tmp_path)
    with pytest.raises(NotFound):
        find_nearest(rt, 8, 48)
    import_network(rt, FILE)
    network = read_network(FILE).network
    assert network is not None
    ((lon, lat),) = network.shape(network.elements["load:10007"]) or ()
    people = [customer_row(1, element="load:10007"), customer_row(2, element="load:7")]
    import_customers(rt, write_customers(tmp_path / "c.csv", people))
    box = json.loads(shapely.to_geojson(shapely.box(lon - 1e-6, lat - 1e-6, lon + 1e-6, lat + 1e-6)))
    found = find_within(rt, box)
    assert "load:10007" in found.loads
    assert sum(one["customers"] for one in found.by_tier.values()) == 1
    everywhere = find_within(rt, json.loads(shapely.to_geojson(shapely.box(-180, -90, 180, 90))))
    assert len(everywhere.loads) == 1641
    assert sum(one["service_points"] for one in everywhere.by_tier.values()) == 2
    near = find_nearest(rt, lon, lat)
    assert near.line is not None and near.line_m is not None and near.line_m < 30
    assert near.feeder == network.feeder_of()[near.line] and (near.transformer or "").startswith("trafo:")
    with pytest.raises(InvalidInput, match="Polygon"):
        find_within(rt, {"type": "Point"})
    with pytest.raises(InvalidInput, match="globe"):
        find_nearest(rt, 48, 181)
