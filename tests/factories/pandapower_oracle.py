"""pandapower.topology as the judge of our tracing: what it calls unsupplied, ours must call lost."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pandapower as pp
from pandapower import topology

from geo.model import Network
from geo.readers import read_network

LOAD_TABLES = ("load", "asymmetric_load")


def as_network(net: Any, folder: Path) -> Network:
    """The net through pandapower's own writer and our reader."""
    path = folder / "net.json"
    path.write_text(pp.to_json(net), encoding="utf-8")
    read = read_network(path)
    assert read.network is not None, [str(fault) for fault in read.faults]
    return read.network


def fed_loads(net: Any) -> set[str]:
    """Loads in service with supply, by pandapower's graph."""
    missing = topology.unsupplied_buses(net)
    alive = set(net.bus.index[net.bus.in_service.astype(bool)]) - missing
    return {
        f"{table}:{index}"
        for table in LOAD_TABLES
        for index, row in net[table].iterrows()
        if row.in_service and row.bus in alive
    }


def switched(net: Any, out: list[str], opened: list[str], closed: list[str]) -> Any:
    """A copy of the net with elements out of service and switches moved."""
    changed = copy.copy(net)
    for table in {name.partition(":")[0] for name in out} | {"switch"}:
        changed[table] = net[table].copy()
    for name in out:
        table, _, index = name.partition(":")
        if table == "switch":
            changed.switch.loc[int(index), "closed"] = False
        else:
            changed[table].loc[int(index), "in_service"] = False
    for names, state in ((opened, False), (closed, True)):
        for name in names:
            changed.switch.loc[int(name.partition(":")[2]), "closed"] = state
    return changed


def json_text(net: Any) -> Any:
    """The parsed document that pandapower writes."""
    return json.loads(pp.to_json(net))
