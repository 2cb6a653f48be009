"""Networks written in a few words, for tests that must be read at a glance."""

from __future__ import annotations

from typing import Any

from geo.feeders import find_feeders
from geo.model import Element, Network


class Build:
    """Adds elements in a line each; `network()` also finds the feeders."""

    def __init__(self) -> None:
        self.elements: dict[str, Element] = {}

    def add(self, key: str, /, *buses: int, **more: Any) -> Build:
        """`key` is kind:id; buses are numbers; more are fields of Element, others go to attrs."""
        fields = {field: more.pop(field) for field in tuple(more) if field in Element.__dataclass_fields__}
        kind = key.partition(":")[0]
        ends = tuple(f"bus:{bus}" for bus in buses)
        fields.setdefault("closed", True if kind == "switch" else None)
        self.elements[key] = Element(kind, key, buses=ends, attrs=more, **fields)
        return self

    def buses(self, count: int, vn_kv: float = 20.0) -> Build:
        start = sum(name.startswith("bus:") for name in self.elements)
        for bus in range(start, start + count):
            self.add(f"bus:{bus}", vn_kv=vn_kv)
        return self

    def network(self) -> Network:
        plain = Network(self.elements)
        return Network(self.elements, find_feeders(plain))


def street() -> Network:
    """One busbar, two feeders A and B with a tie between their ends, a load at each bus.

        ext_grid:0 - bus:0 =s1= line:1 =s2= bus:1 =s3= line:2 =s4= bus:2 - load:2
                          |                 load:1                  |
                          |                                       tie s9 (open, at line:9)
                          |                                       line:9
                          |                                         |
                          =s5= line:5 =s6= bus:5 - line:6 (no switch) - bus:6 - load:6
                                          load:5
    The tie line:9 runs from bus:2 to bus:6 with its open switch at bus:2; so it belongs to B.
    """
    net = Build()
    for bus in (0, 1, 2, 5, 6):
        net.add(f"bus:{bus}", vn_kv=20.0)
    net.add("ext_grid:0", 0)
    net.add("line:1", 0, 1, name="A").add("switch:1", 0, on="line:1").add("switch:2", 1, on="line:1")
    net.add("line:2", 1, 2).add("switch:3", 1, on="line:2").add("switch:4", 2, on="line:2")
    net.add("line:5", 0, 5, name="B").add("switch:5", 0, on="line:5").add("switch:6", 5, on="line:5")
    net.add("line:6", 5, 6)
    net.add("line:9", 2, 6).add("switch:9", 2, on="line:9", closed=False)
    for bus in (1, 2, 5, 6):
        net.add(f"load:{bus}", bus)
    return net.network()
