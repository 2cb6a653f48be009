"""CIM: two public CGMES models, equal to pandapower's reading; CIM100, ours and a public one; hostile XML."""

from __future__ import annotations

import random
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx
import pytest

from geo.model import Network
from geo.readers import read_network
from geo.resolve import resolve
from geo.trace import TraceIndex

DATA = Path(__file__).parents[1] / "data" / "cim"
SIMBENCH = DATA / "SimBench_1-HVMV-mixed-1.105-0-sw_modified.zip"
SMALL = "CGMES_v2.4.15_SmallGridTestConfiguration_BaseCase_Complete_v3.0.0.zip"
BOUNDARY = "CGMES_v2.4.15_SmallGridTestConfiguration_Boundary_v3.0.0.zip"


def network_of(path: Path) -> Network:
    answer = read_network(path)
    assert answer.network is not None, [str(one) for one in answer.faults[:5]]
    return answer.network


def count(network: Network) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in network:
        found[one.kind] = found.get(one.kind, 0) + 1
    return found


def test_the_small_grid_of_the_conformity_models(tmp_path: Path) -> None:
    for name in (SMALL, BOUNDARY):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    network = network_of(tmp_path)
    expected = {"line": 176, "load": 103, "trafo": 10, "gen": 19, "shunt": 14, "sgen": 3, "bus": 118}
    assert count(network) == expected
    assert len(TraceIndex(network).fed_loads) == 103
    # Great Britain, by its profile GL.
    places = [bus.geometry[0] for bus in network.of_kind("bus") if bus.geometry]
    assert len(places) == 118 and all(-11 < lon < 3 and 49 < lat < 61 for lon, lat in places)


def test_a_model_without_its_boundary_says_so() -> None:
    answer = read_network(DATA / SMALL)
    assert answer.network is not None
    assert any("boundary files" in str(one) for one in answer.warnings)


def test_simbench_is_traced_as_pandapower_traces_it() -> None:
    from pandapower.converter.cim.cim2pp.from_cim import from_cim
    from pandapower.topology import unsupplied_buses

    network = network_of(SIMBENCH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net: Any = from_cim(file_list=[str(SIMBENCH)], use_GL_or_DL_profile="GL")
    tables = {"bus": net.bus, "line": net.line, "load": net.load, "switch": net.switch, "trafo": net.trafo}
    for kind, table in tables.items():
        ours = {one.id.partition(":")[2] for one in network.of_kind(kind)}
        assert ours == {str(one).removeprefix("_") for one in table.origin_id}
    closed = {one.id for one in network.of_kind("switch") if one.closed}
    assert closed == {f"switch:{one.removeprefix('_')}" for one in net.switch.origin_id[net.switch.closed]}
    chance = random.Random(4)
    some_lost = 0
    for row in chance.sample(list(net.line.index), 25):
        net.line.loc[row, "in_service"] = False
        dark = unsupplied_buses(net)
        lost = {f"load:{one.removeprefix('_')}" for one in net.load.origin_id[net.load.bus.isin(dark)]}
        net.line.loc[row, "in_service"] = True
        assert set(resolve(network, out=[f"line:{net.line.origin_id[row].removeprefix('_')}"]).lost) == lost
        some_lost += bool(lost)
    assert some_lost > 5


def cim100(*things: str) -> bytes:
    return (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:cim="http://iec.ch/TC57/CIM100#">' + "".join(things) + "</rdf:RDF>"
    ).encode()


def thing(kind: str, key: str, **values: str) -> str:
    """An object as distribution profiles write it: rdf:about with urn:uuid, references the same."""
    inner = ""
    for name, value in values.items():
        if value.startswith("#"):
            resource = value[1:] if "http" in value else f"urn:uuid:{value[1:]}"
            inner += f'<cim:X.{name} rdf:resource="{resource}"/>'
        else:
            inner += f"<cim:X.{name}>{value}</cim:X.{name}>"
    return f'<cim:{kind} rdf:about="urn:uuid:{key}">{inner}</cim:{kind}>'


def code(letters: str) -> str:
    return f"#http://iec.ch/TC57/CIM100#SinglePhaseKind.{letters}"


def ends(key: str, *nodes: str) -> list[str]:
    return [
        thing(
            "Terminal",
            f"{key}-t{at}",
            ConductingEquipment=f"#{key}",
            ConnectivityNode=f"#{node}",
            sequenceNumber=str(at),
        )
        for at, node in enumerate(nodes, start=1)
    ]


def street() -> list[str]:
    """A source, a switch, a lateral on phase B, a bank of one single-phase unit, a consumer on B."""
    things = [thing("BaseVoltage", "mv", nominalVoltage="12470"), thing("Feeder", "f", name="North")]
    things += [thing("ConnectivityNode", node, name=node) for node in ("n1", "n2", "n3", "n4")]
    things += [thing("EnergySource", "source", BaseVoltage="#mv"), *ends("source", "n1")]
    things += [
        thing("Recloser", "r", normalOpen="false", open="true", EquipmentContainer="#f"),
        *ends("r", "n1", "n2"),
    ]
    things += [thing("ACLineSegment", "lat", length="350", EquipmentContainer="#f"), *ends("lat", "n2", "n3")]
    things += [thing("ACLineSegmentPhase", "lat-b", ACLineSegment="#lat", phase=code("B"))]
    things += [thing("PowerTransformer", "bank"), thing("TransformerTank", "unit", PowerTransformer="#bank")]
    things += ends("bank", "n3", "n4")
    for at in (1, 2):
        phases = "#http://iec.ch/TC57/CIM100#PhaseCode.BN"
        end = {"TransformerTank": "#unit", "Terminal": f"#bank-t{at}", "endNumber": str(at), "phases": phases}
        things.append(thing("TransformerTankEnd", f"e{at}", **end))
    things += [thing("EnergyConsumer", "home", p="4000"), *ends("home", "n4")]
    things += [thing("EnergyConsumerPhase", "home-b", EnergyConsumer="#home", phase=code("B"))]
    things += [thing("CoordinateSystem", "crs", crsUrn="urn:ogc:def:crs:EPSG::4326")]
    for at, key in enumerate(("source", "home")):
        things += [thing("Location", f"l-{key}", CoordinateSystem="#crs", PowerSystemResources=f"#{key}")]
        things += [
            thing("PositionPoint", f"p-{key}", Location=f"#l-{key}", xPosition=f"-117.{at}", yPosition="33.7")
        ]
    return things


def test_cim100_with_single_phases(tmp_path: Path) -> None:
    path = tmp_path / "feeder.xml"
    path.write_bytes(cim100(*street()))
    answer = read_network(path)
    assert answer.network is not None, [str(one) for one in answer.faults]
    network = answer.network
    assert (network.elements["line:lat"].phases, network.elements["trafo:unit"].phases) == ("B", "B")
    assert (
        network.elements["load:home"].phases == "B" and network.elements["load:home"].attrs["p_mw"] == 0.004
    )
    assert network.elements["line:lat"].attrs["length_km"] == 0.35
    assert network.elements["bus:n1"].attrs["vn_kv"] == 12.47
    assert network.elements["bus:n4"].geometry == ((-117.1, 33.7),)
    assert "line:lat" in network.feeders["North"]
    # The recloser is open at the moment; the normal state is traced, and the difference told.
    assert network.elements["switch:r"].closed and any(
        "stand otherwise now" in str(one) for one in answer.warnings
    )
    assert resolve(network, out=["switch:r"]).lost == ("load:home",)


def test_projected_locations_are_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "feeder.xml"
    path.write_bytes(cim100(*street()).replace(b"EPSG::4326", b"EPSG::26911"))
    (fault,) = [one for one in read_network(path).faults if "geographic" in one.message]
    assert str(fault).startswith(
        "feeder.xml, file feeder.xml, field crs: The declared coordinates are not geographic (NAD83"
    )


def ieee13() -> bytes:
    with zipfile.ZipFile(DATA / "CIM100_IEEE13.zip") as packed:
        return packed.read("IEEE13.xml")


def without_drawing(model: bytes) -> bytes:
    """The model without what says where things lie: its positions are a drawing of OpenDSS."""
    return re.sub(
        rb"<cim:(Location|PositionPoint|CoordinateSystem) .*?</cim:\1>", b"", model, flags=re.DOTALL
    )


def test_a_foreign_cim100_model_with_a_drawing_for_positions_is_refused() -> None:
    (fault,) = read_network(DATA / "CIM100_IEEE13.zip").faults
    assert (
        "OpenDSSLocalBusCoordinates is not known" in fault.message and "without coordinates" in fault.remedy
    )


def phase_graph(model: bytes, out: str) -> tuple[networkx.Graph[Any], dict[str, list[tuple[str, str]]]]:
    """(a CIM100 model's nodes by phase, joined by what is closed but `out`; each load's nodes), by nothing of ours."""
    rdf = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
    things = {}
    for one in ElementTree.fromstring(model):
        fields = {
            part.tag.rpartition(".")[2]: part.get(f"{rdf}resource", part.text or "").rpartition("#")[2]
            for part in one
        }
        things[one.get(f"{rdf}about", "")] = (one.tag.rpartition("}")[2], fields)
    nodes: dict[str, list[str]] = {}
    for kind, fields in sorted(things.values(), key=lambda one: one[1].get("sequenceNumber", "")):
        if kind == "Terminal":
            nodes.setdefault(fields["ConductingEquipment"], []).append(fields["ConnectivityNode"])
    letters: dict[str, str] = {}
    units: dict[str, list[tuple[str, str]]] = {}
    for kind, fields in things.values():
        if kind in ("ACLineSegmentPhase", "EnergyConsumerPhase", "SwitchPhase"):
            owner = next(
                fields[key] for key in ("ACLineSegment", "EnergyConsumer", "Switch") if key in fields
            )
            letters[owner] = letters.get(owner, "") + (fields.get("phase") or fields["phaseSide1"])[-1]
        elif kind == "TransformerTankEnd":
            phases = "".join(one for one in fields["orderedPhases"].rpartition(".")[2] if one in "ABC")
            units.setdefault(fields["TransformerTank"], []).append((fields["Terminal"], phases))
    banks = {things[tank][1]["PowerTransformer"] for tank in units}
    graph: networkx.Graph[Any] = networkx.Graph()
    loads: dict[str, list[tuple[str, str]]] = {}
    for key, (kind, fields) in things.items():
        # Behind a centre tap (s1, s2) all is fed by whatever phase its unit has.
        phases = "".join(one for one in letters.get(key, "ABC") if one in "ABC") or "ABC"
        if kind == "EnergySource":
            graph.add_edges_from(("source", (nodes[key][0], phase)) for phase in "ABC")
        elif kind == "EnergyConsumer":
            loads[f"load:{key.removeprefix('urn:uuid:')}"] = [(nodes[key][0], phase) for phase in phases]
        elif key == out or fields.get("normalOpen", fields.get("open")) == "true":
            continue
        elif kind in ("ACLineSegment", "LoadBreakSwitch", "Recloser", "Fuse", "Breaker"):
            a, b = nodes[key][:2]
            graph.add_edges_from(((a, phase), (b, phase)) for phase in phases)
        elif key in units or (kind == "PowerTransformer" and key not in banks):
            at = [
                (things[terminal][1]["ConnectivityNode"], phases) for terminal, phases in units.get(key, [])
            ]
            at = at or [(node, "ABC") for node in nodes[key]]
            first, rest = at[0], at[1:]
            for node, held in rest:
                graph.add_edges_from(
                    ((first[0], one), (node, one)) for one in held or first[1] if one in first[1]
                )
    return graph, loads


def test_a_foreign_cim100_model_is_traced_phase_by_phase_as_networkx_does(tmp_path: Path) -> None:
    model = without_drawing(ieee13())
    path = tmp_path / "IEEE13.xml"
    path.write_bytes(model)
    network = network_of(path)
    found = count(network)
    assert {kind: found[kind] for kind in ("bus", "line", "load", "ext_grid")} == {
        "bus": model.count(b"<cim:ConnectivityNode "),
        "line": model.count(b"<cim:ACLineSegment "),
        "load": model.count(b"<cim:EnergyConsumer "),
        "ext_grid": 1,
    }
    assert {"A", "B", "C", "BC", "AC"} <= {one.phases for one in network.of_kind("line", "load")}
    some = 0
    for line in network.of_kind("line"):
        graph, loads = phase_graph(model, f"urn:uuid:{line.id.partition(':')[2]}")
        fed = networkx.node_connected_component(graph, "source")
        dark = {load for load, nodes in loads.items() if not any(node in fed for node in nodes)}
        assert set(resolve(network, out=[line.id]).lost) == dark, line.label
        some += bool(dark)
    assert some > 5


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "document type"),
        (b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>', "document type"),
        (b"<rdf:RDF", "Not valid XML"),
        (b"<html/>", "not RDF"),
        (cim100(), "no terminals"),
        (cim100(*street()[:-8]).replace(b"</rdf:RDF>", b""), "Not valid XML"),
        (
            cim100(thing("EnergySource", "s"), *ends("s", "n"), thing("Breaker", "b"), *ends("b", "n")),
            "1 connected terminals",
        ),
    ],
)
def test_bad_files_are_faults(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.xml"
    path.write_bytes(content)
    answer = read_network(path)
    assert answer.network is None and words in " ".join(str(one) for one in answer.faults)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.write(path, "bad.xml")
    assert read_network(tmp_path / "bad.zip").network is None
