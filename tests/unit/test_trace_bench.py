"""The benchmark runs, its ways agree, and the collector is left as it was found."""

from __future__ import annotations

import gc

import pytest

from outage_notify.services.collector_pause import collector_paused
from tests.load import bench_geo

# The others take seconds to import or to start; they are compared whenever somebody measures.
QUICK = ("scipy.sparse.csgraph", "networkx", "rustworkx", "SQLite recursive CTE + join")


def test_all_ways_agree_on_a_small_town(capsys: pytest.CaptureFixture[str]) -> None:
    bench_geo.run_all([20_000, 40_000], seconds=0.01, ways=QUICK, parts=("trace",))
    shown = capsys.readouterr().out
    assert all(shown.count(f"| {way} |") == 2 for way in (bench_geo.OURS, *QUICK))
    assert "substation 5,000" in shown and "This project, 40,000 against 20,000" in shown


def test_the_collector_rests_until_the_last_holder_is_done() -> None:
    assert gc.isenabled()
    with collector_paused():
        with pytest.raises(ValueError, match="inner"), collector_paused():
            raise ValueError("inner")
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
