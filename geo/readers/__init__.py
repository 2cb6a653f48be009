"""Networks from files: `read_network` finds the format, lists every fault, and never raises for bad input.

One module per format; `file` opens and unpacks, `report` collects faults, `build` checks
what all formats have in common (ends, duplicates, sources, coordinates, feeders).
"""

from __future__ import annotations

from pathlib import Path

from geo.model import Network
from geo.readers import geojson_profile, pandapower_json
from geo.readers.build import Draft, finish
from geo.readers.file import load_json
from geo.readers.report import Fault, NetworkRead, Report

FORMATS = ("auto", "pandapower", "geojson")

__all__ = ["FORMATS", "Fault", "NetworkRead", "read_network"]


def read_network(path: str | Path, format: str = "auto") -> NetworkRead:
    """Read the network in `path`, plain or gzipped.

    `network` is None exactly when there are `faults`; `warnings` never stop an import.
    Nothing that a file contains raises; a file that cannot be opened is a fault too.
    """
    report = Report(Path(path).name)
    if format not in FORMATS:
        report.fault(
            message=f"Unknown format {format!r}.",
            remedy=f"Use one of: {', '.join(FORMATS)}.",
        )
        return report.result(None)
    document = load_json(Path(path), report)
    if report.faults:
        return report.result(None)
    if format == "auto":
        format = _recognise(document)
    draft = Draft()
    if format == "pandapower":
        pandapower_json.read(document, draft, report)
    elif format == "geojson":
        geojson_profile.read(document, draft, report)
    else:
        report.fault(
            message="This is JSON, but neither a pandapower network nor a GeoJSON FeatureCollection.",
            remedy="Export with pandapower.to_json(net, FILE), or as GeoJSON, or say --format.",
        )
    network: Network | None = finish(draft, report) if draft.elements or not report.faults else None
    return report.result(network)


def _recognise(document: object) -> str:
    if pandapower_json.recognises(document):
        return "pandapower"
    if geojson_profile.recognises(document):
        return "geojson"
    return ""
