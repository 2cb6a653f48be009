"""A second import says what it changed, keeps what stays, and can be taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geo.geojson import write_network
from geo.model import Element, Network
from outage_notify.domain.errors import NotFound
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network, undo_import
from outage_notify.services.resolve_audience import Switching, as_json, resolve_audience
from outage_notify.services.runtime import Runtime
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.runtimes import make_runtime
from tests.factories.small_networks import street


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def write(path: Path, network: Network) -> Path:
    path.write_text(json.dumps(write_network(network)), encoding="utf-8")
    return path


def without(rt: Runtime, element: str) -> dict[str, Any]:
    """Who loses supply when this is out; the time it took left out."""
    with rt.database.read() as session:
        answer = as_json(session, resolve_audience(session, rt, Switching(out=(element,))))
    return {**answer, "elapsed_ms": 0}


def rebuilt() -> Network:
    """The street after building: load 6 is gone, load 3 is new, the tie is closed, B renamed."""
    elements = dict(street().elements)
    del elements["load:6"]
    tie, b = elements["switch:9"], elements["line:5"]
    elements["switch:9"] = Element("switch", "switch:9", buses=tie.buses, on=tie.on, closed=True)
    elements["line:5"] = Element("line", "line:5", name="B new", buses=b.buses)
    elements["load:3"] = Element("load", "load:3", buses=("bus:1",))
    return Network(elements)


def test_what_changed_is_counted_and_named(rt: Runtime, tmp_path: Path) -> None:
    import_network(rt, write(tmp_path / "one.geojson", street()))
    report = import_network(rt, write(tmp_path / "two.geojson", rebuilt()))
    assert report.named["added"] == ["load:3"]
    assert report.named["gone"] == ["load:6"]
    assert report.named["changed"] == ["line:5", "switch:9"]
    assert report.named["normally closed now"] == ["switch:9"] and "normally open now" not in report.named
    assert report.counts["changes"]["same"] == len(street()) - 3


def test_identity_stays_and_undo_takes_back(rt: Runtime, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        undo_import(rt)
    first = import_network(rt, write(tmp_path / "one.geojson", street()))
    with pytest.raises(NotFound):
        undo_import(rt)
    people = [customer_row(1, element="load:2"), customer_row(2, element="load:6")]
    import_customers(rt, write_customers(tmp_path / "c.csv", people))
    before = without(rt, "line:1")
    second = import_network(rt, write(tmp_path / "two.geojson", rebuilt()))
    (stranded,) = second.warnings[-1:]
    assert "load:6" in stranded.message
    # The customer on load:2 is the same one, found by the same element in the new network.
    after = without(rt, "line:2")
    assert sum(tier["customers"] for tier in before["by_tier"].values()) == 1
    assert sum(tier["customers"] for tier in after["by_tier"].values()) == 0  # the tie feeds it now
    dry = undo_import(rt, dry_run=True)
    assert dry.version == first.version and dry.named["gone"] == ["load:3"]
    assert without(rt, "line:2")["lost"] == after["lost"]
    undone = undo_import(rt, by="li.na")
    assert undone.version == first.version and undone.named["added"] == ["load:6"]
    assert not undone.warnings
    again = without(rt, "line:1")
    assert again == before
    with pytest.raises(NotFound):
        undo_import(rt)
    # Forward again: the same file is another version, not "unchanged".
    assert not import_network(rt, tmp_path / "two.geojson").unchanged
    # And back: to what was in force before it, not to the version that was undone.
    assert undo_import(rt).version == first.version and without(rt, "line:1") == before


def test_progress_moves_forward_only(rt: Runtime, tmp_path: Path) -> None:
    seen: list[float] = []
    import_network(
        rt, write(tmp_path / "one.geojson", street()), progress=lambda _, share: seen.append(share)
    )
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] == 1
