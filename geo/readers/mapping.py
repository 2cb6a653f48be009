"""The mapping file: which layer and column of somebody's GIS is what in the network.

YAML, one entry per layer and kind. A layer may stand in several entries that `only` tells
apart. Every key but `layer` and `kind` names a column, except where said::

    snap_m: 0.5              # ends this near are joined, where no columns name the ends
    convert: false           # true: turn projected coordinates into degrees
    layers:
      - layer: cables
        kind: line           # or kind_from: COLUMN, where a column holds the kind
        id: CABLE_NO         # fid: the feature's own number
        name: LABEL
        from_bus: NODE_A     # the ends of the kind, see geo.geojson
        to_bus: NODE_B
        vn_kv: VOLTAGE
        length_km: LENGTH_M
        scale: {length_km: 0.001}      # multiplied with what the column holds
        only: {STATUS: [built, 在运]}   # rows whose column holds one of these
        prefix: N-           # text before each id, where two layers count from 1
        element_kind: line   # of a switch whose `element` column holds the bare id
        words: {"Ein": true, "Aus": false}
        attrs: {max_i_ka: I_MAX}       # further columns to keep, under this name

Promises that a mapping which parses names only things that exist in the model; whether the
layers and columns exist in the file is checked by `geo.readers.tabular`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import KINDS, SWITCH
from geo.readers.report import Report, clip

MOST_BYTES = 1 << 20
FID = "fid"
_COMMON = ("id", "name", "in_service", "phases", "feeder")
_ENDS = tuple(dict.fromkeys(name for fields in BUS_FIELDS.values() for name in fields))
COLUMNS = (
    *_COMMON,
    *_ENDS,
    *ONE_BUS,
    "other_bus",
    "element",
    "closed",
    "vn_kv",
    "length_km",
    "slack",
    "hv_kv",
    "mv_kv",
    "lv_kv",
    "kind_from",
)
_SETTINGS = ("layer", "kind", "only", "prefix", "element_kind", "words", "attrs", "scale")


@dataclass(frozen=True)
class LayerMap:
    """One entry: the rows of `layer` that `only` lets through are elements of `kind`."""

    layer: str
    kind: str
    columns: Mapping[str, str]
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    prefix: str = ""
    element_kind: str = ""
    words: Mapping[str, bool] = field(default_factory=dict)
    attrs: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)

    @property
    def needed(self) -> tuple[str, ...]:
        """Every column that it reads."""
        named = (*self.columns.values(), *self.only, *self.attrs.values())
        return tuple(dict.fromkeys(one for one in named if one != FID))


@dataclass(frozen=True)
class FileMap:
    layers: tuple[LayerMap, ...]
    snap_m: float = 0.5
    convert: bool = False


def load_mapping(path: Path, report: Report) -> FileMap | None:
    """The mapping in `path`; None with faults in `report` when it cannot be used."""
    mine = Report(path.name)
    found = _load(path, mine)
    report.faults += mine.faults
    return None if mine.faults else found


def _load(path: Path, report: Report) -> FileMap | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        report.fault(
            message=f"The mapping cannot be read: {error.strerror or error}.", remedy="Check the path."
        )
        return None
    if len(data) > MOST_BYTES:
        report.fault(message="The mapping is larger than 1 MiB.", remedy="Give the mapping, not the network.")
        return None
    try:
        document = yaml.safe_load(data.decode("utf-8-sig"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        report.fault(
            message=f"Not valid YAML: {clip(' '.join(str(error).split()), 120)}.",
            remedy="See docs/formats.md.",
        )
        return None
    return parse_mapping(document, report)


def parse_mapping(document: object, report: Report) -> FileMap | None:
    """The same from a parsed document. Lists every fault by its place in the mapping."""
    entries = document.get("layers") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(entries, list) or not entries:
        report.fault(
            field="layers",
            message="The mapping has no list of layers.",
            remedy="Run `outage-notify import network FILE --suggest-mapping` for a first draft.",
        )
        return None
    for key in sorted(set(map(str, document)) - {"layers", "snap_m", "convert"}):
        report.fault(field=clip(key), message="Unknown key.", remedy="Known: layers, snap_m, convert.")
    snap, convert = document.get("snap_m", 0.5), document.get("convert", False)
    if isinstance(snap, bool) or not isinstance(snap, (int, float)) or not 0 <= snap <= 100:
        report.fault(field="snap_m", message=f"{clip(snap)} is no distance.", remedy="Write 0 to 100 metres.")
        snap = 0.5
    if not isinstance(convert, bool):
        report.fault(field="convert", message=f"{clip(convert)} is neither true nor false.")
        convert = False
    layers = [_layer(entry, f"layers[{place}]", report) for place, entry in enumerate(entries)]
    return FileMap(tuple(one for one in layers if one is not None), float(snap), convert)


def _layer(entry: object, place: str, report: Report) -> LayerMap | None:
    if not isinstance(entry, dict):
        report.fault(place, message="Not an entry.", remedy="Write layer, kind, id and columns.")
        return None
    before = len(report.faults)
    layer, kind = entry.get("layer"), entry.get("kind", "")
    if not isinstance(layer, str) or not layer:
        report.fault(place, field="layer", message="It names no layer.", remedy="Write the layer's name.")
    if "kind_from" not in entry and kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        report.fault(
            place, field="kind", message=f"{clip(kind)} is not a kind.", remedy=f"Use one of: {known}."
        )
    for key in entry:
        if key not in COLUMNS and key not in _SETTINGS:
            remedy = f"Known: {', '.join((*_SETTINGS, *COLUMNS))}."
            report.fault(place, field=clip(key), message="Unknown key.", remedy=remedy)
    columns = {key: entry[key] for key in COLUMNS if entry.get(key) is not None}
    for key, value in columns.items():
        if not isinstance(value, str):
            report.fault(place, field=key, message=f"{clip(value)} is no column.", remedy="Write its name.")
    columns.setdefault("id", FID)
    parts = {key: entry.get(key) or {} for key in ("only", "words", "attrs", "scale")}
    for key, value in parts.items():
        if not isinstance(value, dict):
            report.fault(place, field=key, message="Not a table.", remedy="Write {name: value}.")
            parts[key] = {}
    for key, value in parts["scale"].items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            report.fault(
                place, field="scale", message=f"{clip(value)} is no number.", remedy="Such as 0.001."
            )
        elif key not in columns and key not in parts["attrs"]:
            report.fault(place, field="scale", message=f"{clip(key)} is not mapped.", remedy="Map it first.")
    for key, value in parts["words"].items():
        if not isinstance(value, bool):
            report.fault(place, field="words", message=f"{clip(key)} is neither true nor false here.")
    for value in parts["attrs"].values():
        if not isinstance(value, str):
            report.fault(
                place, field="attrs", message=f"{clip(value)} is no column.", remedy="Write its name."
            )
    prefix, owner = entry.get("prefix", ""), entry.get("element_kind", "")
    if not isinstance(prefix, str) or len(prefix) > 20:
        report.fault(place, field="prefix", message="Not a short text.", remedy="Such as N-.")
    if owner and owner not in KINDS:
        report.fault(place, field="element_kind", message=f"{clip(owner)} is not a kind.")
    if SWITCH in (kind,) and "element" in columns and "bus" not in columns:
        report.fault(place, field="bus", message="A switch at an element needs its bus.", remedy="Map bus.")
    if len(report.faults) > before or not isinstance(layer, str):
        return None
    return LayerMap(
        layer,
        kind,
        columns,
        {str(key): _texts(value) for key, value in parts["only"].items()},
        prefix,
        owner,
        {plain(key): value for key, value in parts["words"].items()},
        {str(key): value for key, value in parts["attrs"].items()},
        {str(key): float(value) for key, value in parts["scale"].items()},
    )


def _texts(value: Any) -> frozenset[str]:
    return frozenset(plain(one) for one in (value if isinstance(value, list) else [value]))


def plain(value: object) -> str:
    """A cell as it is compared: text in small letters, 1.0 and True as people write them."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()
