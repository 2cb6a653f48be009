"""The sample network: its counts, and the situations that the demonstration lives on."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from geo.readers import read_network
from geo.resolve import resolve
from geo.trace import TraceIndex
from outage_notify.sample.network import FILE

FOLDER = FILE.parent


@pytest.fixture(scope="module")
def index() -> TraceIndex:
    read = read_network(FILE)
    assert read.network is not None
    assert (read.faults, read.warnings) == ((), ())
    return TraceIndex(read.network)


def is_medium(index: TraceIndex, bus: str) -> bool:
    return index.network.elements[bus].attrs["vn_kv"] == 20.0


def test_the_counts_are_those_of_the_sources(index: TraceIndex) -> None:
    switches = Counter(
        (is_medium(index, one.buses[0]), one.closed) for one in index.network.of_kind("switch")
    )
    assert switches == {(True, True): 316, (True, False): 6, (False, True): 290, (False, False): 88}
    assert Counter(one.attrs["vn_hv_kv"] for one in index.network.of_kind("trafo")) == {110.0: 2, 20.0: 143}
    kinds = Counter(one.attrs["type"] for one in index.network.of_kind("load"))
    assert kinds == {"HH": 1506, "MV/LV Station": 129, "MV Load": 6}
    assert len(index.fed_loads) == 1641  # all of them


def test_its_readme_says_the_same(index: TraceIndex) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    counts = Counter(one.kind for one in index.network)
    for kind, word in (("bus", "buses"), ("line", "lines"), ("trafo", "transformers")):
        found = re.search(rf"\| {word} \| ([\d,]+)", text)
        assert found is not None and int(found[1].replace(",", "")) == counts[kind]
    for feeder in index.network.feeders:
        assert f"`{feeder}`" in text
    assert "BSD 3-Clause License" in (FOLDER / "LICENSE.pandapower").read_text(encoding="utf-8")


def test_work_on_one_cable_darkens_a_quarter_and_one_tie_saves_it(index: TraceIndex) -> None:
    dark = resolve(index, work=["line:182"])
    homes = [load for load in dark.lost if index.network.elements[load].attrs["type"] == "HH"]
    assert (dark.opened, len(dark.lost), len(homes)) == (("switch:299", "switch:300"), 421, 399)
    tied = resolve(index, work=["line:182"], close_ties=True)
    assert (tied.lost, len(tied.momentary), tied.needed) == ((), 421, ("switch:34",))


def test_work_on_a_station_loses_its_own_homes_even_with_ties(index: TraceIndex) -> None:
    alone = resolve(index, work=["bus:43"])
    tied = resolve(index, work=["bus:43"], close_ties=True)
    assert (len(alone.lost), len(tied.lost), len(tied.momentary)) == (127, 46, 81)
    assert set(tied.lost) | set(tied.momentary) == set(alone.lost)


def test_a_trace_is_quick(index: TraceIndex) -> None:
    times = sorted(resolve(index, work=["line:165"], close_ties=True).elapsed_ms for _ in range(5))
    assert times[0] < 50
