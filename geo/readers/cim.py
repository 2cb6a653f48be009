"""Networks in the Common Information Model: CGMES 2.4.15 (EQ, SSH, TP, GL) and CIM100 distribution profiles.

A reader of just the classes that tracing needs: nodes, terminals, lines, transformers with
their ends and tanks, switches, consumers and sources, phases, and locations. Nodes are
connectivity nodes where terminals have them, else topological nodes. A switch stands in its
normal state (normalOpen); a present state that differs is warned of. An element is called
``kind:mRID``. Files are read by `geo.readers.cim_xml`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geo.model import BUS, PHASES, SWITCH, Element
from geo.readers.cim_places import Places
from geo.readers.cim_xml import Thing, Things, read_things
from geo.readers.draft import Draft
from geo.readers.report import Report, clip
from geo.readers.values import LONGEST_NAME


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LINES = {"ACLineSegment": "line", "SeriesCompensator": "impedance", "EquivalentBranch": "impedance"}
_SWITCHES = _words(
    "Breaker LoadBreakSwitch Disconnector Fuse Recloser Sectionaliser Jumper Cut Switch ProtectedSwitch "
    "DisconnectingCircuitBreaker"
)
_LOADS = _words("EnergyConsumer ConformLoad NonConformLoad StationSupply")
_ENDS = {
    "ExternalNetworkInjection": "ext_grid",
    "EnergySource": "ext_grid",
    "SynchronousMachine": "gen",
    "AsynchronousMachine": "motor",
    "EquivalentInjection": "sgen",
    "PowerElectronicsConnection": "sgen",
    "LinearShuntCompensator": "shunt",
    "NonlinearShuntCompensator": "shunt",
    "StaticVarCompensator": "shunt",
}
_NODES = frozenset({"ConnectivityNode", "TopologicalNode"})
_PHASES_OF = {
    "ACLineSegmentPhase": "ACLineSegment",
    "EnergyConsumerPhase": "EnergyConsumer",
    "SwitchPhase": "Switch",
    "EnergySourcePhase": "EnergySource",
}
_OTHER = _words(
    "Terminal BaseVoltage VoltageLevel Bay Substation Feeder Line PowerTransformer PowerTransformerEnd TransformerTank "
    "TransformerTankEnd Location PositionPoint CoordinateSystem BusbarSection"
)
_CLASSES = frozenset({*_LINES, *_SWITCHES, *_LOADS, *_ENDS, *_NODES, *_PHASES_OF, *_OTHER})
_PROPERTIES = _words(
    "name ConductingEquipment ConnectivityNode TopologicalNode sequenceNumber connected phases orderedPhases phase "
    "phaseSide1 nominalVoltage "
    "BaseVoltage VoltageLevel Substation ConnectivityNodeContainer EquipmentContainer PowerTransformer Terminal "
    "endNumber ratedU ratedS TransformerTank normalOpen open inService normallyInService referencePriority length "
    "Location PowerSystemResources CoordinateSystem crsUrn xPosition yPosition ACLineSegment EnergyConsumer Switch "
    "EnergySource normalClosed closed p pfixed"
)


def read(path: Path, draft: Draft, report: Report) -> None:
    """Fill `draft` from a file, a zip, or a folder of both."""
    report.part = "file"
    if not path.exists():
        report.fault(message="There is no such file.", remedy="Check the path.")
        return
    things = read_things(path, _CLASSES, _PROPERTIES, report)
    if report.faults:
        return
    if not any(one.kind == "Terminal" for one in things.values()):
        report.fault(
            message="There are no terminals in it, so nothing is connected.",
            remedy="Give all profiles of the model together (EQ, SSH, TP, GL) in one zip or folder.",
        )
        return
    _Model(things, draft, report).build()


class _Model:
    def __init__(self, things: Things, draft: Draft, report: Report) -> None:
        self.things = things
        self.draft = draft
        self.report = report
        self.terminals: dict[str, list[Thing]] = {}
        self.of_kind: dict[str, list[Thing]] = {}
        for one in things.values():
            self.of_kind.setdefault(one.kind, []).append(one)
        for terminal in self.of_kind.get("Terminal", []):
            self.terminals.setdefault(terminal.values.get("ConductingEquipment", ""), []).append(terminal)
        for ends in self.terminals.values():
            ends.sort(key=lambda one: (_integer(one.values.get("sequenceNumber")), one.id))
        self.by_connectivity = any(
            "ConnectivityNode" in one.values for one in self.of_kind.get("Terminal", [])
        )
        self.places = Places(things, self.of_kind, report)
        self.phases_of = self._single_phases()
        self.kv_of: dict[str, float] = {}
        # CGMES counts in kilovolts, kilometres and megawatts, CIM100 in volts, metres and watts;
        # no network of this kind has 1,500 kV.
        volts = [
            _number(one.values.get("nominalVoltage")) or 0.0 for one in self.of_kind.get("BaseVoltage", [])
        ]
        self.in_volts = max(volts, default=0.0) > 1500
        self.undefined: dict[str, Thing] = {}

    def build(self) -> None:
        self._nodes()
        for kind, ours in _LINES.items():
            for one in self.of_kind.get(kind, []):
                self._branch(one, ours)
        self._transformers()
        differ = sum(self._switch(one) for kind in sorted(_SWITCHES) for one in self.of_kind.get(kind, []))
        if differ:
            self.report.warn(
                field="Switch.open",
                message=f"{differ} switches stand otherwise now than normally.",
                remedy="Outages are traced from the normal state.",
            )
        for kind in sorted(_LOADS):
            for one in self.of_kind.get(kind, []):
                self._end(one, "load")
        self._sources()
        self._buses()
        self.draft.declared = self.places.declared

    def _nodes(self) -> None:
        node = "ConnectivityNode" if self.by_connectivity else "TopologicalNode"
        for one in self.of_kind.get(node, []):
            kv = self._kv(one.values.get("BaseVoltage")) or self._container_kv(one)
            if kv is not None:
                self.kv_of[one.id] = kv

    def _kv(self, base: str | None) -> float | None:
        found = self.things.get(base or "")
        volts = _number(found.values.get("nominalVoltage")) if found is not None else None
        if volts is None or volts <= 0:
            return None
        return volts / 1000 if self.in_volts else volts

    def _container_kv(self, one: Thing) -> float | None:
        key = one.values.get("ConnectivityNodeContainer") or one.values.get("EquipmentContainer")
        for _ in range(3):
            container = self.things.get(key or "")
            if container is None:
                return None
            if (kv := self._kv(container.values.get("BaseVoltage"))) is not None:
                return kv
            key = container.values.get("VoltageLevel")
        return None

    def _node(self, terminal: Thing) -> str | None:
        """The node of a terminal, with the voltage of what hangs there where the node names none."""
        node = terminal.values.get("ConnectivityNode" if self.by_connectivity else "TopologicalNode")
        if node is None:
            return None
        if node not in self.things:
            self.undefined.setdefault(node, terminal)
        if node not in self.kv_of:
            equipment = self.things.get(terminal.values.get("ConductingEquipment", ""))
            if equipment is not None and (kv := self._kv(equipment.values.get("BaseVoltage"))) is not None:
                self.kv_of[node] = kv
        return node

    def _ends(self, one: Thing, wanted: int) -> list[str] | None:
        """The nodes of the first `wanted` terminals; None with a fault where there are fewer."""
        found = [self._node(terminal) for terminal in self.terminals.get(one.id, [])[:wanted]]
        nodes = [node for node in found if node is not None]
        if len(nodes) == wanted:
            return nodes
        self.report.fault(
            one.file,
            one.id,
            "Terminal",
            message=f"{one.kind} {clip(one.name or one.id)} has {len(nodes)} connected terminals, not {wanted}.",
            remedy="Give the profile that connects it: EQ with connectivity nodes, or TP.",
        )
        return None

    def _add(self, one: Thing, kind: str, nodes: list[str], **more: Any) -> None:
        attrs = more.pop("attrs", {})
        element = Element(
            kind=kind,
            id=f"{kind}:{one.id[:80]}",
            name=" ".join(one.name.split())[:LONGEST_NAME],
            buses=tuple(f"bus:{node}" for node in nodes),
            in_service=self._in_service(one),
            phases=more.pop("phases", None) or self._phases(one),
            geometry=more.pop("geometry", None),
            attrs={key: value for key, value in attrs.items() if value is not None},
            **more,
        )
        container = self.things.get(one.values.get("EquipmentContainer", ""))
        in_feeder = container is not None and container.kind == "Feeder"
        feeder = (container.name or container.id) if container is not None and in_feeder else ""
        self.draft.add(element, one.file, one.id, feeder)
        if kind != BUS:
            self.places.saw(one, nodes)

    def _in_service(self, one: Thing) -> bool:
        stated = one.values.get("inService", one.values.get("normallyInService", "true"))
        ends = self.terminals.get(one.id, [])
        return stated != "false" and all(end.values.get("connected") != "false" for end in ends)

    def _single_phases(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for kind, owner in _PHASES_OF.items():
            for one in self.of_kind.get(kind, []):
                # A switch says its phase for each side; sides that differ (a transposition) keep the first.
                code = one.values.get("phase") or one.values.get("phaseSide1")
                found.setdefault(one.values.get(owner, ""), set()).update(_letters(code))
        return found

    def _phases(self, one: Thing) -> str:
        """By the phases of its own, else of its terminals; a secondary (s1, s2) counts as all three."""
        letters = self.phases_of.get(one.id, set())
        if not letters:
            for terminal in self.terminals.get(one.id, []):
                letters = letters | _letters(terminal.values.get("phases"))
        return _code(letters)

    def _branch(self, one: Thing, kind: str) -> None:
        nodes = self._ends(one, 2)
        if nodes is None:
            return
        length = _number(one.values.get("length")) if kind == "line" else None
        if length is not None and self.in_volts:
            length /= 1000
        self._add(one, kind, nodes, geometry=self.places.line(one), attrs={"length_km": length})

    def _transformers(self) -> None:
        ends, tanks = (
            self._grouped(kind, "PowerTransformer") for kind in ("PowerTransformerEnd", "TransformerTank")
        )
        of_tank = self._grouped("TransformerTankEnd", "TransformerTank")
        for one in self.of_kind.get("PowerTransformer", []):
            if one.id not in tanks:
                self._windings(one, ends.get(one.id, []))
            for tank in tanks.get(one.id, []):
                # Each unit of a bank is an element, so that one of three can be taken out.
                self._windings(tank, of_tank.get(tank.id, []))

    def _grouped(self, kind: str, owner: str) -> dict[str, list[Thing]]:
        """The objects of a kind by what owns them, in the order of their numbers."""
        found: dict[str, list[Thing]] = {}
        for one in self.of_kind.get(kind, []):
            found.setdefault(one.values.get(owner, ""), []).append(one)
        for members in found.values():
            members.sort(key=lambda one: (_integer(one.values.get("endNumber")), one.id))
        return found

    def _windings(self, one: Thing, ends: list[Thing]) -> None:
        nodes: list[str] = []
        letters: set[str] = set()
        for end in ends:
            terminal = self.things.get(end.values.get("Terminal", ""))
            node = self._node(terminal) if terminal is not None else None
            rated = _number(end.values.get("ratedU"))
            if node is not None and node not in self.kv_of and rated:
                self.kv_of[node] = rated / 1000 if self.in_volts else rated
            if node is not None and node not in nodes:
                nodes.append(node)
            letters |= _letters(end.values.get("orderedPhases") or end.values.get("phases"))
        if len(nodes) not in (2, 3):
            self.report.fault(
                one.file,
                one.id,
                message=f"{one.kind} {clip(one.name or one.id)} joins {len(nodes)} nodes, not two or three.",
                remedy="Give the profile that connects it: EQ with connectivity nodes, or TP.",
            )
            return
        kind = "trafo" if len(nodes) == 2 else "trafo3w"
        self._add(one, kind, nodes, phases=_code(letters) if letters else None)

    def _switch(self, one: Thing) -> bool:
        """Add it; whether it stands otherwise now than normally."""
        nodes = self._ends(one, 2)
        if nodes is None:
            return False
        now, normal = one.values.get("open"), one.values.get("normalOpen")
        state = normal if normal is not None else now
        self._add(one, SWITCH, nodes, closed=state != "true")
        return now is not None and normal is not None and now != normal

    def _end(self, one: Thing, kind: str, **attrs: Any) -> None:
        nodes = self._ends(one, 1)
        if nodes is not None:
            watts = _number(one.values.get("p", one.values.get("pfixed")))
            if kind == "load" and watts is not None:
                attrs["p_mw"] = watts / 1e6 if self.in_volts else watts
            self._add(one, kind, nodes, attrs=attrs)

    def _sources(self) -> None:
        """What holds the network up: injections, then the machine of reference, then sources of energy."""
        machines = self.of_kind.get("SynchronousMachine", [])
        slack = {one.id for one in machines if _integer(one.values.get("referencePriority")) > 0}
        grids = {one.id for one in self.of_kind.get("ExternalNetworkInjection", [])} | slack
        for kind, ours in _ENDS.items():
            for one in self.of_kind.get(kind, []):
                if kind == "EnergySource" and grids:
                    # Beside a grid or a machine of reference they are small generators, as exporters write them.
                    self._end(one, "sgen")
                elif kind == "SynchronousMachine":
                    self._end(one, ours, slack=one.id in slack)
                else:
                    self._end(one, ours)

    def _buses(self) -> None:
        node = "ConnectivityNode" if self.by_connectivity else "TopologicalNode"
        places = self.places.nodes(self.of_kind.get(node, []))
        for one in self.of_kind.get(node, []):
            self._bus(one, places)
        if self.undefined:
            self.report.warn(
                field=node,
                message=f"{len(self.undefined)} nodes are named by terminals and defined nowhere.",
                remedy="Give the boundary files (EQ_BD, TP_BD) with the model.",
            )
        for key, terminal in self.undefined.items():
            self._bus(Thing(node, key, terminal.file), places)

    def _bus(self, one: Thing, places: dict[str, tuple[float, float]]) -> None:
        place = places.get(one.id)
        attrs = {"vn_kv": self.kv_of.get(one.id)}
        self._add(one, BUS, [], attrs=attrs, phases="ABC", geometry=(place,) if place is not None else None)


def _letters(code: str | None) -> set[str]:
    return set((code or "").rpartition(".")[2]) & set("ABC")


def _code(letters: set[str]) -> str:
    phases = "".join(sorted(letters))
    return phases if phases in PHASES else "ABC"


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < 1e15 else None


def _integer(text: str | None) -> int:
    return int(_number(text) or 0)
