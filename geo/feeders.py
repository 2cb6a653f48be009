"""Feeders: what normally hangs behind one outgoing branch of a substation's medium-voltage busbar.

A busbar is a medium-voltage bus that a transformer feeds from high voltage or at which a
source sits, with all that closed bus-bus switches join to it. A feeder is what is supplied
through one of its outgoing branches without passing a busbar again, down to the loads, and
is called like that branch. Branches that are normally joined further out are one feeder,
called like all of them. A network without medium voltage has its feeders behind its
low-voltage sources; a pure transmission network has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.components import components
from geo.model import BUS, SWITCH, Network, natural, natural_key

# kV. Medium voltage reaches to 36 kV in IEC 60038, 40.5 kV in GB/T 11022.
_LOW = 1.0
_MEDIUM = 40.5

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int32]
# What a head is called: its id and its name.
Called = Callable[[Sequence[int]], Mapping[int, tuple[str, str]]]


@dataclass(frozen=True)
class Wiring:
    """A checked network as arrays, an entry per element; `ends` and `on` are numbers of elements, -1 for none.

    `kv` is NaN where it is not said. An element that is neither bus, branch nor switch ends at ends[0].
    """

    bus: Flags
    branch: Flags
    transformer: Flags
    switch: Flags
    source: Flags
    in_service: Flags
    closed: Flags
    ends: tuple[Numbers, Numbers, Numbers]
    on: Numbers
    kv: NDArray[np.float64]


def find_feeders(network: Network) -> dict[str, tuple[str, ...]]:
    """Feeder name to its members in natural order. Each element is in at most one feeder."""
    elements = list(network)
    number = {element.id: at for at, element in enumerate(elements)}

    def end(at: int) -> Numbers:
        return np.array([number[one.buses[at]] if at < len(one.buses) else -1 for one in elements], np.int32)

    def flags(found: list[bool]) -> Flags:
        return np.array(found, bool)

    wiring = Wiring(
        bus=flags([one.kind == BUS for one in elements]),
        branch=flags([one.is_branch for one in elements]),
        transformer=flags([one.kind in ("trafo", "trafo3w") for one in elements]),
        switch=flags([one.kind == SWITCH for one in elements]),
        source=flags([one.is_source for one in elements]),
        in_service=flags([one.in_service for one in elements]),
        closed=flags([bool(one.closed) for one in elements]),
        ends=(end(0), end(1), end(2)),
        on=np.array([-1 if one.on is None else number[one.on] for one in elements], np.int32),
        kv=np.array([_volts(one.attrs.get("vn_kv")) for one in elements], float),
    )
    names, feeder = feeders_of(
        wiring, lambda heads: {at: (elements[at].id, elements[at].name) for at in heads}
    )
    members: dict[str, list[str]] = {name: [] for name in sorted(names, key=natural_key)}
    for at in np.flatnonzero(feeder >= 0).tolist():
        members[names[feeder[at]]].append(elements[at].id)
    return {name: natural(ids) for name, ids in members.items()}


def _volts(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def feeders_of(net: Wiring, called: Called) -> tuple[list[str], Numbers]:
    """The names of the feeders, and per element the place of its feeder in them, -1 for none."""
    count = len(net.bus)
    a, b, normal = _normal_state(net)
    transformers = np.flatnonzero(net.transformer)
    levels = np.stack([_levels(net, end[transformers]) for end in net.ends])
    steps_down = np.zeros(count, bool)
    highest, lowest = np.nanmax(levels, 0, initial=-1), np.nanmin(levels, 0, initial=np.inf)
    steps_down[transformers] = (highest > _MEDIUM) & (lowest <= _MEDIUM)
    busbar = _busbar(net, a, b, normal, steps_down)
    # Behind a busbar, and before the next one and the next transformer that feeds one.
    inner = normal & ~busbar & ~steps_down
    heads = np.concatenate([b[busbar[a]], a[busbar[b]]])
    heads = np.unique(heads[inner[heads]])
    both = inner[a] & inner[b]
    group = components(count, a[both], b[both])
    holds_bus = np.zeros(count, bool)
    holds_bus[group[inner & net.bus]] = True
    heads = heads[holds_bus[group[heads]]]
    words = called(heads.tolist())
    by_group: dict[int, list[tuple[str, str]]] = {}
    for head in sorted(heads.tolist(), key=lambda at: natural_key(words[at][0])):
        by_group.setdefault(int(group[head]), []).append(words[head])
    place = np.full(count, -1, np.int32)
    place[np.array(list(by_group), np.int64)] = np.arange(len(by_group))
    feeder = np.where(inner, place[group], -1).astype(np.int32)
    return _names(list(by_group.values())), _with_terminals(net, feeder)


def _normal_state(net: Wiring) -> tuple[Numbers, Numbers, Flags]:
    """(both ends of each joint that carries in the normal state, which nodes have supply then)."""
    count = len(net.bus)
    branches = np.flatnonzero(net.branch)
    side_a = [branches[end[branches] >= 0] for end in net.ends]
    a = np.concatenate(side_a).astype(np.int32)
    b = np.concatenate([end[side] for end, side in zip(net.ends, side_a, strict=True)])
    shut = net.closed & net.in_service
    at_end = np.flatnonzero(net.switch & (net.on >= 0) & ~shut)
    blocked = net.on[at_end].astype(np.int64) * count + net.ends[0][at_end]
    open_ends = np.isin(a.astype(np.int64) * count + b, blocked)
    joints = np.flatnonzero(net.switch & (net.on < 0) & shut)
    a = np.concatenate([a[~open_ends], net.ends[0][joints]])
    b = np.concatenate([b[~open_ends], net.ends[1][joints]])
    alive = net.in_service & (net.bus | net.branch)
    both = alive[a] & alive[b]
    a, b = a[both], b[both]
    label = components(count, a, b)
    fed = np.zeros(count, bool)
    fed[label[_fed_buses(net, alive)]] = True
    normal = alive & fed[label]
    both = normal[a]
    return a[both], b[both], normal


def _fed_buses(net: Wiring, alive: Flags) -> Numbers:
    at_source = net.ends[0][net.source & net.in_service]
    return at_source[alive[at_source]]


def _levels(net: Wiring, buses: Numbers) -> NDArray[np.float64]:
    """Kilovolts of buses; where the source names none, each counts as medium; NaN for no bus."""
    kv = net.kv[buses]
    return np.where(buses < 0, np.nan, np.where(kv > 0, kv, _MEDIUM))


def _busbar(net: Wiring, a: Numbers, b: Numbers, normal: Flags, steps_down: Flags) -> Flags:
    count = len(net.bus)
    feeding = np.flatnonzero(steps_down & net.in_service)
    below = np.concatenate([end[feeding] for end in net.ends])
    at_source = net.ends[0][net.source & net.in_service]
    roots = np.concatenate([below[below >= 0], at_source])
    kv = _levels(net, roots)
    medium = roots[(kv > _LOW) & (kv <= _MEDIUM)]
    if not len(medium):
        medium = at_source[_levels(net, at_source) <= _LOW]
    joint = net.bus[a] & net.bus[b]
    label = components(count, a[joint], b[joint])
    rooted = np.zeros(count, bool)
    rooted[label[medium[normal[medium]]]] = True
    return normal & net.bus & rooted[label]


def _with_terminals(net: Wiring, feeder: Numbers) -> Numbers:
    """The same with the switches and terminals that belong to what is in a feeder."""
    # A tie between two feeders has two homes, so it is in neither.
    joints = net.switch & (net.on < 0)
    at_end = net.switch & (net.on >= 0)
    terminals = ~(net.bus | net.branch | net.switch | net.source) & (net.ends[0] >= 0)
    found = feeder.copy()
    found[terminals] = feeder[net.ends[0][terminals]]
    found[at_end] = feeder[net.on[at_end]]
    one, other = feeder[net.ends[0][joints]], feeder[net.ends[1][joints]]
    found[joints] = np.where(one == other, one, -1)
    return found


def _names(groups: list[list[tuple[str, str]]]) -> list[str]:
    """A name for each group of heads, given as (id, name); where names repeat, the ids are added."""
    plain = [_joined([_short(name.strip() or own) for own, name in heads]) for heads in groups]
    often = Counter(plain)
    with_ids = [
        _joined([_short(f"{_short(name.strip(), 24)} ({own})") for own, name in heads]) for heads in groups
    ]
    return [name if often[name] == 1 else with_ids[place] for place, name in enumerate(plain)]


def _joined(names: list[str]) -> str:
    """Names as one; of a closely meshed network only the first three."""
    more = [f"{len(names) - 3} more"] if len(names) > 3 else []
    return " + ".join(names[:3] + more)


def _short(name: str, most: int = 50) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
