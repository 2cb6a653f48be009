"""Networks from files: `read_network` finds the format, lists every fault, and never raises for bad input.

One module per format; `recognise` tells formats apart by content, `file` opens and unpacks,
`report` collects faults, `build` checks what all formats have in common (ends, duplicates,
sources, coordinates, feeders).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from geo.model import Network
from geo.readers import cim, csv_set, geojson_profile, pandapower_json
from geo.readers.build import Checked, finish
from geo.readers.draft import Draft
from geo.readers.file import load_json
from geo.readers.mapping import load_mapping
from geo.readers.recognise import JSON_FORMATS, recognise
from geo.readers.report import Fault, NetworkRead, Report

FORMATS = ("auto", "pandapower", "geojson", "gis", "csv", "cim")

__all__ = [
    "FORMATS",
    "Checked",
    "Fault",
    "NetworkRead",
    "draft_mapping",
    "open_network",
    "read_network",
]


def read_network(path: str | Path, format: str = "auto", mapping: str | Path | None = None) -> NetworkRead:
    """Read the network in `path` into memory; see `open_network`. `network` is None exactly when there are `faults`."""
    with open_network(path, format, mapping) as (checked, answer), _no_collection():
        if checked is None:
            return answer
        return replace(answer, network=Network.from_rows(checked.rows()))


@contextmanager
def open_network(
    path: str | Path,
    format: str = "auto",
    mapping: str | Path | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Iterator[tuple[Checked | None, NetworkRead]]:
    """(the network in `path` as rows, the answer without it): a file, plain or gzipped, or a folder or zip of files.

    `mapping` is the mapping file of a GIS export (`geo.readers.mapping`), `progress` is told the share that
    has been read. The rows are None exactly when there are `faults`; `warnings` never stop an import. Nothing
    that a file contains raises; a file that cannot be opened is a fault too. OSError where there is no room for
    temporary files. CSV sets and GIS files are read in pieces; JSON and CIM are whole documents,
    which are parsed in memory.
    """
    path = Path(path)
    report = Report(path.name, progress=progress)
    draft = Draft()
    try:
        checked = _checked(path, format, mapping, draft, report)
        yield checked, report.result(None)
    finally:
        draft.close()


def _checked(
    path: Path, format: str, mapping: str | Path | None, draft: Draft, report: Report
) -> Checked | None:
    if format not in FORMATS:
        report.fault(
            message=f"Unknown format {format!r}.",
            remedy=f"Use one of: {', '.join(FORMATS)}.",
        )
        return None
    if format == "auto":
        format = "gis" if mapping is not None else recognise(path)
    if format == "gis":
        _read_gis(path, mapping, draft, report)
    elif format == "csv":
        csv_set.read(path, draft, report)
    else:
        with _no_collection():
            if format == "cim":
                cim.read(path, draft, report)
            else:
                _read_json(path, format, draft, report)
    return finish(draft, report) if len(draft) or not report.faults else None


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without looking for cycles in whole documents: there are none, and each look costs more the more there is."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def draft_mapping(path: str | Path) -> tuple[str | None, NetworkRead]:
    """(a first draft of a mapping file for `path`, faults). The text is None when there are faults."""
    from geo.readers.suggest import suggest_mapping

    report = Report(Path(path).name)
    text = suggest_mapping(Path(path), report) if _exists(Path(path), report) else None
    return text, report.result(None)


def _read_gis(path: Path, mapping: str | Path | None, draft: Draft, report: Report) -> None:
    from geo.readers import tabular

    if not _exists(path, report):
        return
    if mapping is None:
        report.fault(
            message="A GIS file needs a mapping: which layer and column is what.",
            remedy="Run `outage-notify import network FILE --suggest-mapping > mapping.yaml`, correct it, "
            "and give it with --mapping.",
        )
        return
    plan = load_mapping(Path(mapping), report)
    if plan is not None:
        tabular.read(path, plan, draft, report)


def _read_json(path: Path, format: str, draft: Draft, report: Report) -> None:
    document = load_json(path, report)
    if report.faults:
        return
    if format == JSON_FORMATS:
        format = _which_json(document)
    if format == "pandapower":
        pandapower_json.read(document, draft, report)
    elif format == "geojson":
        geojson_profile.read(document, draft, report)
    else:
        report.fault(
            message="This is JSON, but neither a pandapower network nor a GeoJSON FeatureCollection.",
            remedy="Export with pandapower.to_json(net, FILE), or as GeoJSON, or say --format.",
        )


def _which_json(document: object) -> str:
    if pandapower_json.recognises(document):
        return "pandapower"
    if geojson_profile.recognises(document):
        return "geojson"
    return ""


def _exists(path: Path, report: Report) -> bool:
    # GDAL opens addresses and archives by name too; only what lies on this disk is read.
    if path.exists():
        return True
    report.fault(message="There is no such file.", remedy="Check the path.")
    return False
