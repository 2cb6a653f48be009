"""Random networks from a seed: meshed, several sources, phased, with dead parts and random switch states.

Quicker than drawing each element by hypothesis, so that thousands can be tried; hypothesis still
shrinks the sizes.
"""

from __future__ import annotations

import random
from dataclasses import replace

from geo.model import PHASES, Network
from tests.factories.small_networks import Build


def random_network(seed: int, buses: int, branches: int, phased: bool) -> Network:
    """Sparse or meshed as `branches` compares to `buses`; each bus has a load, every tenth thing is broken."""
    chance = random.Random(seed)
    net = Build().buses(buses)

    def working() -> bool:
        return chance.random() < 0.9

    def phases() -> str:
        return chance.choice(PHASES) if phased and chance.random() < 0.4 else "ABC"

    for number in range(branches):
        kind = chance.choice(["line", "line", "line", "trafo", "trafo3w"])
        # Mostly near to each other, so that long branches hang behind one edge.
        first = chance.randrange(buses)
        span = 2 + (kind == "trafo3w")
        near = [bus for bus in range(max(0, first - 3), min(buses, first + 4)) if bus != first]
        ends = [first, *chance.sample(near, min(len(near), span - 1))]
        if len(ends) < span:
            continue
        name = f"{kind}:{number}"
        net.add(name, *ends, in_service=working(), phases=phases())
        for end in ends:
            for copy in range(chance.choice([0, 0, 1, 1, 2])):
                closed, on = chance.random() < 0.8, name
                net.add(
                    f"switch:{number}{end}{copy}",
                    end,
                    on=on,
                    closed=closed,
                    phases=phases(),
                    in_service=working(),
                )
    for number in range(chance.randrange(4)):
        if buses > 1:
            ends = chance.sample(range(buses), 2)
            net.add(f"switch:9{number}9", *ends, closed=chance.random() < 0.5, phases=phases())
    for number in range(buses):
        net.add(f"bus:{number}", in_service=working(), phases=phases(), vn_kv=chance.choice([0.4, 20.0]))
        net.add(f"load:{number}", number, in_service=working(), phases=phases())
    for number in range(chance.choice([1, 1, 2, 3])):
        net.add(f"ext_grid:{number}", chance.randrange(buses), in_service=working(), phases=phases())
    net.add("gen:0", chance.randrange(buses), slack=chance.random() < 0.3)
    return Network(net.elements)


def of_phase(network: Network, phase: str) -> Network:
    """The network of one phase: what does not carry it is out of service, and so are its switches."""
    return Network(
        {one.id: replace(one, in_service=one.in_service and phase in one.phases) for one in network}
    )
