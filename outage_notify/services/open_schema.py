"""The JSON Schema of `outages.json`, whose fields GeoJSON (properties) and CSV (columns) share.

Within v1 fields are added and never renamed or removed, so that readers must let unknown ones pass: the schema does.
"""

from __future__ import annotations

from typing import Any

from outage_notify.domain.outage import OutageKind
from outage_notify.services.open_formats import ROOT, Publisher
from outage_notify.services.public_facts import FEWEST_SHOWN, STEP, Phase, Step

NAME = "outages.schema.json"
_TEXT: dict[str, Any] = {"type": "string"}
_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}
_PERHAPS: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}


def schema(publisher: Publisher) -> dict[str, Any]:
    outage = {
        "reference": _TEXT | {"description": "Stays the same for ever."},
        "kind": _words(OutageKind),
        "phase": _words(Phase),
        "moved": {"type": "boolean"},
        "revision": {"type": "integer", "minimum": 1},
        "start": _INSTANT,
        "end": _INSTANT,
        "expected_end": _PERHAPS,
        "ended_at": _PERHAPS,
        "timezone": _TEXT | {"description": "IANA name of local time."},
        "area": _TEXT,
        "line": _TEXT,
        "reason": {"type": "object", "additionalProperties": _TEXT},
        "customers": {"type": ["integer", "null"], "minimum": FEWEST_SHOWN, "multipleOf": STEP},
        "customers_below": {"type": ["integer", "null"]},
        "changed_at": _INSTANT,
        "geometry": {"type": ["object", "null"], "description": "RFC 7946, WGS 84."},
        "history": {"type": "array", "minItems": 1, "items": _step()},
        "offices": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": _TEXT, "phone": _TEXT}},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{publisher.base_url}{ROOT}/{NAME}",
        "title": "Planned power outages",
        "type": "object",
        "required": ["format", "version", "as_of", "outages"],
        "properties": {
            "format": {"const": "outage-notify-public"},
            "version": {"const": 1},
            "as_of": _INSTANT,
            "outages": {
                "type": "array",
                "items": {"type": "object", "required": sorted(outage), "properties": outage},
            },
        },
    }


def _step() -> dict[str, Any]:
    fields = {
        "what": _words(Step),
        "at": _INSTANT,
        "revision": {"type": "integer", "minimum": 1},
        "start": _INSTANT,
        "end": _INSTANT,
        "expected_end": _PERHAPS,
    }
    return {"type": "object", "required": sorted(fields), "properties": fields}


def _words(of: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [one.value for one in of]}
