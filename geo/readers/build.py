"""The last step of every reader: what a format has read becomes a checked network.

Checks what holds for all formats: identifiers are unique, every end exists, a switch sits
at an end of its element, a source is in service, coordinates are possible. Finds feeders
where the file names none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from geo.feeders import find_feeders
from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import BUS, SWITCH, Element, Network, natural, natural_key
from geo.readers.coordinates import check_coordinates
from geo.readers.report import Report
from geo.trace import TraceIndex


@dataclass
class Draft:
    """What a reader found, in the order of the file, with the place of each element.

    `feeder` holds names that the file itself gives; `declared` says that the file declares
    its coordinates geographic, so that an impossible one is a fault and not a schematic.
    """

    elements: list[Element] = field(default_factory=list)
    places: list[tuple[str, str]] = field(default_factory=list)
    feeder: dict[str, str] = field(default_factory=dict)
    declared: bool = False

    def add(self, element: Element, table: str, row: object) -> None:
        self.elements.append(element)
        self.places.append((table, str(row)))


def finish(draft: Draft, report: Report) -> Network | None:
    """The network; None when `report` holds faults."""
    by_id: dict[str, Element] = {}
    for element, (table, row) in zip(draft.elements, draft.places, strict=True):
        if element.id in by_id:
            report.fault(
                table,
                row,
                "id",
                message=f"{element.id} is there twice.",
                remedy="Give each row its own identifier.",
            )
        by_id.setdefault(element.id, element)
    for element, (table, row) in zip(draft.elements, draft.places, strict=True):
        _check_ends(element, by_id, table, row, report)
    _check_sources(by_id, report)
    by_id = check_coordinates(by_id, draft, report)
    if report.faults:
        return None
    network = Network(by_id)
    feeders: dict[str, tuple[str, ...]]
    if draft.feeder:
        names: dict[str, list[str]] = {}
        for member, name in draft.feeder.items():
            names.setdefault(name, []).append(member)
        feeders = {name: natural(names[name]) for name in sorted(names, key=natural_key)}
    else:
        feeders = find_feeders(network, TraceIndex(network))
    return replace(network, feeders=feeders)


def _check_ends(element: Element, by_id: dict[str, Element], table: str, row: str, report: Report) -> None:
    for field_name, bus in zip(_fields(element), element.buses, strict=False):
        if not _is_bus(bus, by_id):
            report.fault(
                table,
                row,
                field_name,
                message=f"{element.label} ends at {bus}, which does not exist.",
                remedy="Add the bus, or correct the reference.",
            )
    if element.kind != SWITCH or element.on is None:
        return
    owner = by_id.get(element.on)
    if owner is None or not owner.is_branch:
        report.fault(
            table,
            row,
            "element",
            message=f"{element.label} belongs to {element.on}, which does not exist.",
            remedy="Add the element, or remove the switch.",
        )
    elif len(owner.buses) < len(_fields(owner)) or not all(_is_bus(bus, by_id) for bus in owner.buses):
        # The owner's own end is at fault and listed; the switch would only repeat it.
        return
    elif element.buses and element.buses[0] not in owner.buses:
        report.fault(
            table,
            row,
            "bus",
            message=f"{element.label} sits at {element.buses[0]}, but {owner.id} does not end there.",
            remedy=f"Place it at one of: {', '.join(owner.buses)}.",
        )


def _is_bus(name: str, by_id: dict[str, Element]) -> bool:
    return name in by_id and by_id[name].kind == BUS


def _fields(element: Element) -> tuple[str, ...]:
    """The names of the columns that hold its buses."""
    if element.kind == SWITCH:
        return ("bus",) if element.on is not None else ("bus", "element")
    return BUS_FIELDS.get(element.kind, ONE_BUS)


def _check_sources(by_id: dict[str, Element], report: Report) -> None:
    sources = [element for element in by_id.values() if element.is_source]
    if any(source.in_service for source in sources):
        return
    found = f"{len(sources)} out of service" if sources else "none at all"
    report.fault(
        message=f"The network has no source in service ({found}), so nothing has supply.",
        remedy="Add an ext_grid (or a gen that is slack) and put it in service.",
    )
