"""Tiles of the network: what lies where, in steps of the tile, and never more than can be drawn."""

from __future__ import annotations

import pytest

from geo import network_tiles
from geo.network_tiles import EXTENT, LINE, SOURCE, SWITCH, TRAFO, Drawable, DrawnNetwork, beside

HERE = (121.47, 31.23)
THERE = (121.48, 31.24)


def small() -> DrawnNetwork:
    return DrawnNetwork(
        [
            Drawable(LINE, "line:1", (HERE, THERE), "North"),
            Drawable(LINE, "line:2", (HERE, (121.47, 31.2301)), "South", main=False, on=False),
            Drawable(TRAFO, "trafo:1", (THERE,), "North"),
            Drawable(SOURCE, "ext_grid:0", (HERE,)),
            Drawable(SWITCH, "switch:9", (HERE,), "North", on=False, toward=THERE),
        ]
    )


def test_a_tile_holds_what_lies_in_it() -> None:
    drawn = small()
    world = drawn.tile(0, 0, 0)
    assert [one[0] for one in world["line"]] == ["line:1", "line:2"]
    assert world["feeders"] == ["North", "South"]
    assert (world["line"][1][2], world["line"][1][3]) == (0, 0)
    x, y = world["switch"][0][3:5]
    assert (x, y) == (round((121.47 + 180) / 360 * EXTENT), world["line"][0][5])
    # Towards the other end: east and, y downwards, north.
    assert world["switch"][0][5] > 0 > world["switch"][0][6]
    assert world["source"][0][1] == -1 and not drawn.tile(4, 0, 0)["line"]
    assert drawn.bounds == (121.47, 31.23, 121.48, 31.24)


def test_steps_lead_from_vertex_to_vertex() -> None:
    z = 14
    side = 2**z
    x = int((HERE[0] + 180) / 360 * side)
    tiles = [small().tile(z, x, y) for y in range(6600, 6800)]
    (line,) = [
        one for tile in tiles for one in tile["line"] if one[0] == "line:1" and one[4] >= 0 <= one[5] < EXTENT
    ][:1]
    assert line[6] == pytest.approx(0.01 / 360 * side * EXTENT, abs=2) and line[7] < 0


@pytest.mark.parametrize("place", [(-1, 0, 0), (21, 0, 0), (2, 4, 0), (2, 0, -1)])
def test_there_is_no_such_tile(place: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no such tile"):
        small().tile(*place)


def test_a_crowd_is_thinned_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_tiles, "MOST_LINES", 20)
    monkeypatch.setattr(network_tiles, "MOST_POINTS", 5)
    near = [(HERE[0] + n * 1e-7, HERE[1]) for n in range(40)]
    far = [(n * 3.0, 10.0) for n in range(15)]
    drawn = DrawnNetwork(
        [
            *(Drawable(LINE, f"line:{n}", (at, HERE), "A") for n, at in enumerate((*near, *far))),
            *(Drawable(LINE, f"line:{100 + n}", (at, HERE), "A", main=False) for n, at in enumerate(near)),
            *(Drawable(SWITCH, f"switch:{n}", (at,), "A", on=n != 7) for n, at in enumerate(near)),
            *(Drawable(TRAFO, f"trafo:{n}", (at,), "A") for n, at in enumerate(near)),
        ]
    )
    world = drawn.tile(0, 0, 0)
    # Low voltage goes first, then what falls on the same dots; an open switch stays.
    assert len(world["line"]) == 16 and {"low", "trafo", "switch"} <= set(world["more"])
    assert [one[0] for one in world["switch"]] == ["switch:7"] and world["trafo"] == []


def test_nothing_is_nowhere() -> None:
    empty = DrawnNetwork([])
    assert empty.bounds is None
    assert empty.tile(0, 0, 0) == {
        "line": [],
        "trafo": [],
        "switch": [],
        "source": [],
        "feeders": [],
        "more": [],
    }


def test_a_switch_stands_along_its_line() -> None:
    line = (HERE, (121.475, 31.23), THERE)
    assert beside(HERE, line) == beside(THERE, line) == (121.475, 31.23)
