"""A first draft of a mapping file, from the names and geometries that a GIS file has.

A guess for a person to correct: names in English, German and Chinese are known, layers that
say nothing are listed as comments. Columns count as named when a known word is the whole
name or its beginning or end. The draft parses as a mapping as it stands.
"""

from __future__ import annotations

import re
from pathlib import Path

import pyogrio
import yaml

from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import BUS, SWITCH
from geo.readers.report import Report
from geo.readers.tabular import layers_of, source

# In this order: "transformer station" is a trafo, "service line" a line, "load break switch" a switch.
_KINDS = (
    (
        SWITCH,
        (
            "switch",
            "breaker",
            "disconnector",
            "fuse",
            "recloser",
            "schalter",
            "开关",
            "断路器",
            "刀闸",
            "熔断",
        ),
    ),
    ("trafo3w", ("trafo3w", "three_winding", "三绕组")),
    ("trafo", ("trafo", "transformer", "transf", "变压器", "配变")),
    ("ext_grid", ("ext_grid", "source", "feed_in", "infeed", "einspeis", "电源", "变电站", "substation")),
    (
        "load",
        (
            "load",
            "consumer",
            "customer",
            "meter",
            "service_point",
            "house",
            "hausanschl",
            "负荷",
            "用户",
            "电表",
        ),
    ),
    (
        "line",
        ("line", "cable", "conductor", "section", "segment", "leitung", "kabel", "线路", "电缆", "导线"),
    ),
    (BUS, ("bus", "node", "junction", "joint", "knoten", "muffe", "母线", "节点", "接头")),
)
_COLUMNS = {
    "name": ("name", "label", "bezeichnung", "名称", "描述"),
    "in_service": ("in_service", "energized", "in_betrieb", "投运", "在运"),
    "phases": ("phases", "phase", "phasing", "相别", "相序"),
    "feeder": ("feeder", "circuit", "abgang", "馈线"),
    "closed": ("closed", "normal_position", "normal_state", "normalpos", "geschlossen", "常态", "状态"),
    "vn_kv": ("vn_kv", "kv", "voltage_kv", "nominal_kv", "额定电压"),
    "length_km": ("length_km", "laenge_km"),
    "slack": ("slack",),
    "from_bus": ("from_bus", "from_node", "node_a", "bus_a", "bus0", "from", "start_node", "首端", "起点"),
    "to_bus": ("to_bus", "to_node", "node_b", "bus_b", "bus1", "to", "end_node", "末端", "终点"),
    "hv_bus": ("hv_bus", "hv_node", "primary", "高压侧"),
    "mv_bus": ("mv_bus", "mv_node", "中压侧"),
    "lv_bus": ("lv_bus", "lv_node", "secondary", "低压侧"),
    "bus": ("bus", "node", "connected_to", "knoten", "节点", "母线"),
    "other_bus": ("other_bus", "bus_2", "node_2"),
    "element": ("element", "on_element", "line_id", "branch"),
    "hv_kv": ("hv_kv", "vn_hv_kv", "primary_kv"),
    "mv_kv": ("mv_kv", "vn_mv_kv"),
    "lv_kv": ("lv_kv", "vn_lv_kv", "secondary_kv"),
}
_IDS = (
    "obj_id",
    "id",
    "gid",
    "objectid",
    "object_id",
    "globalid",
    "uuid",
    "mrid",
    "nr",
    "number",
    "asset_id",
    "编号",
    "标识",
)
_RATINGS = ("max_i_ka", "sn_mva", "p_mw")


def suggest_mapping(path: Path, report: Report) -> str | None:
    """The draft as YAML; None with a fault when the file cannot be opened."""
    layers = layers_of(path, report)
    if layers is None:
        return None
    entries, unknown = [], []
    for layer, shape in layers.items():
        fields = [str(one) for one in pyogrio.read_info(source(path), layer=layer)["fields"]]
        entry = _entry(layer, shape, fields)
        if entry is None:
            unknown.append(
                f"# layer {layer!r} ({shape or 'no geometry'}): {', '.join(fields) or 'no columns'}"
            )
        else:
            entries.append(entry)
    text = yaml.safe_dump(
        {"snap_m": 0.5, "convert": False, "layers": entries}, allow_unicode=True, sort_keys=False, width=110
    )
    head = [
        "# A draft by the names in the file: check each line. docs/formats.md says what the keys mean.",
        "# Elements without columns for their ends are joined by geometry, within snap_m metres.",
    ]
    if unknown:
        head += ["# Not recognised; add an entry for what belongs to the network:", *unknown]
    return "\n".join([*head, text])


def _entry(layer: str, shape: str | None, fields: list[str]) -> dict[str, object] | None:
    folded = {_fold(one): one for one in reversed(fields)}
    if "kind" in folded and _pick(("id",), folded):
        kind: str | None = ""
    else:
        kind = next((kind for kind, words in _KINDS if any(word in _fold(layer) for word in words)), None)
        if kind is None and shape is not None and "LineString" in shape:
            kind = "line"
    if kind is None:
        return None
    entry: dict[str, object] = {"layer": layer}
    entry |= {"kind": kind} if kind else {"kind_from": folded["kind"]}
    entry["id"] = _pick((*_IDS, f"{kind}_id"), folded) or "fid"
    for key in _keys_of(kind):
        column = _pick(_COLUMNS[key], folded)
        if column is not None and column not in entry.values():
            entry[key] = column
    if kind == SWITCH and "element" in entry and "bus" not in entry:
        del entry["element"]
    if kind == SWITCH and "element" in entry:
        entry["element_kind"] = "line"
    kept = {one: folded[one] for one in _RATINGS if one in folded}
    return entry | ({"attrs": kept} if kept else {})


def _keys_of(kind: str) -> list[str]:
    """The properties that a kind has, those that all have last."""
    if not kind:
        return list(_COLUMNS)
    own = list(BUS_FIELDS.get(kind, ONE_BUS))
    if kind == SWITCH:
        own += ["other_bus", "element", "closed"]
    own += {"trafo": ["hv_kv", "lv_kv"], "trafo3w": ["hv_kv", "mv_kv", "lv_kv"]}.get(kind, ["vn_kv"])
    return [*own, *(["length_km"] if kind == "line" else []), "name", "in_service", "phases", "feeder"]


def _pick(words: tuple[str, ...], folded: dict[str, str]) -> str | None:
    """The first column that is one of the words, else begins or ends with a longer one of them."""
    for word in words:
        if word in folded:
            return folded[word]
    for word in words:
        for name, column in folded.items():
            if (len(word) > 3 or not word.isascii()) and (name.startswith(word) or name.endswith(word)):
                return column
    return None


def _fold(name: str) -> str:
    """Small letters, words joined by underscores: FromNode, from-node and FROM NODE are from_node."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^\w]+", "_", split).strip("_").casefold()
