"""Builds the sample network from two networks of pandapower and writes it as sample data.

Run ``python -m tests.factories.export_sample_network`` (pandapower must be installed). Called
twice it writes the same bytes. Medium voltage is MV Oberrhein with its substations, low
voltage is Schutterwald; they are joined at the stations that both contain:

- low-voltage tables keep their ids plus 10,000, names are kept;
- a low-voltage transformer that stands within 40 m of a medium-voltage bus is fed from that bus,
  and the low-voltage external grid is dropped;
- where the medium-voltage network models the same station itself, as a transformer with one
  load for all its customers, both are dropped with their bus, and its photovoltaics move to
  the low-voltage busbar;
- one station (T_idx_ZUSATZ) has no medium-voltage bus near it: a cable is added, the
  only thing here that is in neither source.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pandapower as pp
import pandas as pd
from pandapower import networks

from outage_notify.sample.network import FILE

SHIFT = 10_000
NEAR_M = 40.0
_TABLES = ("bus", "line", "trafo", "switch", "load", "sgen", "ext_grid")
# Columns that the reader uses; load flow data stay where they came from.
_COLUMNS = {
    "bus": ["name", "vn_kv", "type", "zone", "in_service", "geo"],
    "line": [
        "name",
        "std_type",
        "from_bus",
        "to_bus",
        "length_km",
        "max_i_ka",
        "parallel",
        "type",
        "in_service",
        "geo",
    ],
    "trafo": [
        "name",
        "std_type",
        "hv_bus",
        "lv_bus",
        "sn_mva",
        "vn_hv_kv",
        "vn_lv_kv",
        "parallel",
        "in_service",
    ],
    "switch": ["bus", "element", "et", "type", "closed", "name"],
    "load": ["name", "bus", "p_mw", "q_mvar", "scaling", "in_service", "type"],
    "sgen": ["name", "bus", "p_mw", "q_mvar", "scaling", "in_service", "type"],
    "ext_grid": ["name", "bus", "vm_pu", "va_degree", "in_service"],
}


def build() -> dict[str, pd.DataFrame]:
    """The joined tables."""
    medium = networks.mv_oberrhein(include_substations=True)
    low = networks.lv_schutterwald()
    mv = {table: medium[table].copy() for table in _TABLES}
    lv = {table: _shifted(table, low[table]) for table in _TABLES}
    cables = []
    for grid in lv["ext_grid"].itertuples():
        station = _only(lv["trafo"], lv["trafo"].hv_bus == grid.bus)
        here = _place(lv["bus"], grid.bus)
        near, metres = _nearest(mv["bus"], here)
        if metres > NEAR_M:
            cables.append(_cable(mv, lv, near, grid.bus, metres))
            continue
        lv["trafo"].loc[station, "hv_bus"] = near
        lv["bus"] = lv["bus"].drop(grid.bus)
        for twin in mv["trafo"].index[mv["trafo"].hv_bus == near]:
            old = mv["trafo"].at[twin, "lv_bus"]
            mv["sgen"].loc[mv["sgen"].bus == old, "bus"] = lv["trafo"].at[station, "lv_bus"]
            mv["load"] = mv["load"][mv["load"].bus != old]
            mv["trafo"] = mv["trafo"].drop(twin)
            mv["bus"] = mv["bus"].drop(old)
    lv["ext_grid"] = lv["ext_grid"].iloc[:0]
    joined = {table: pd.concat([mv[table], lv[table]]) for table in _TABLES}
    joined["line"] = pd.concat([joined["line"], pd.DataFrame(cables).set_index("index")])
    return {table: frame[_COLUMNS[table]] for table, frame in joined.items()}


def write(tables: dict[str, pd.DataFrame], path: Path) -> None:
    """As pandapower writes it, so that pandapower.from_json reads it too."""
    net = pp.create_empty_network(name="MV Oberrhein with LV Schutterwald")
    for table, frame in tables.items():
        net[table] = frame
    document = json.loads(pp.to_json(net))
    kept = {
        key: value
        for key, value in document["_object"].items()
        if key in _TABLES or key in ("name", "version", "format_version", "f_hz", "sn_mva")
    }
    document["_object"] = kept
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def _shifted(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The low-voltage table with its ids and references moved out of the way of the others."""
    frame = frame.copy()
    frame.index = frame.index + SHIFT
    for column in ("bus", "from_bus", "to_bus", "hv_bus", "lv_bus", "element"):
        if column in frame.columns:
            frame[column] = frame[column] + SHIFT
    return frame


def _cable(
    mv: dict[str, pd.DataFrame],
    lv: dict[str, pd.DataFrame],
    near: int,
    far: int,
    metres: float,
) -> dict[str, Any]:
    """A medium-voltage cable like those around it, from the nearest bus to the station."""
    coordinates = [list(_place(mv["bus"], near)), list(_place(lv["bus"], far))]
    like = mv["line"].iloc[0]
    return {
        "index": max(mv["line"].index) + 1,
        "name": "Line ZUSATZ",
        "std_type": like.std_type,
        "from_bus": near,
        "to_bus": far,
        "length_km": round(metres / 1000, 3),
        "max_i_ka": like.max_i_ka,
        "parallel": 1,
        "type": "cs",
        "in_service": True,
        "geo": json.dumps({"coordinates": coordinates, "type": "LineString"}),
    }


def _nearest(buses: pd.DataFrame, here: tuple[float, float]) -> tuple[int, float]:
    """The nearest bus of 20 kV and its distance in metres."""
    distances = {bus: _metres(here, _place(buses, bus)) for bus in buses.index[buses.vn_kv == 20.0]}
    best = min(distances, key=lambda bus: distances[bus])
    return int(best), distances[best]


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot((a[0] - b[0]) * 111_320 * math.cos(math.radians(a[1])), (a[1] - b[1]) * 111_195)


def _place(buses: pd.DataFrame, bus: int) -> tuple[float, float]:
    lon, lat = json.loads(str(buses.at[bus, "geo"]))["coordinates"]
    return float(lon), float(lat)


def _only(frame: pd.DataFrame, mask: pd.Series) -> Any:
    (found,) = frame.index[mask]
    return found


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    write(build(), target)
    print(f"{target}: {target.stat().st_size:,} bytes")
