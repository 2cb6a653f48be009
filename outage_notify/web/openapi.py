"""The OpenAPI 3.1 document of the JSON interface: one table of steps, from which paths are made."""

from __future__ import annotations

from typing import Any

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.announcement import Medium
from outage_notify.domain.outage import OutageKind, OutageState

_TEXT = {"type": "string", "maxLength": 4000}
_TIME = {
    "type": "string",
    "description": "ISO 8601; without an offset it is local to the network, and refused where that is ambiguous.",
}
_LIST = {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 500}
_VERSION = {"type": "integer", "minimum": 1, "maximum": 2147483647}

# Step: (what it does, its own fields, which of them are needed)
STEPS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "submit": ("Hand it to another person for approval.", {"exception_reason": _TEXT}, ()),
    "send-back": ("Return it to the planner.", {"reason": _TEXT}, ("reason",)),
    "approve": (
        "Approve what another person submitted.",
        {"accept_exception": {"type": "boolean"}, "override_reason": _TEXT},
        (),
    ),
    "cancel": ("Cancel; whoever was told is told.", {"reason": _TEXT}, ("reason",)),
    "go": ("Decide to start without all signatures.", {"reason": _TEXT}, ("reason",)),
    "start": ("The work has begun.", {}, ()),
    "overrun": ("It takes longer.", {"until": _TIME}, ("until",)),
    "complete": ("Supply is back.", {}, ()),
    "announce": (
        "Record where a paper was announced; `sha256` is that of the words that were announced.",
        {
            "paper": {"enum": [one.value for one in Paper]},
            "medium": {"enum": [one.value for one in Medium]},
            "language": {"enum": [one.value for one in Language]},
            "place": _TEXT,
            "at": _TIME,
            "sha256": _TEXT,
        },
        ("paper", "medium", "language"),
    ),
}
SWITCHING: dict[str, Any] = {
    "work": _LIST,
    "out": _LIST,
    "close": _LIST,
    "close_ties": {"type": "boolean"},
}
PLAN: dict[str, Any] = {
    "kind": {"enum": [one.value for one in OutageKind]},
    "start": _TIME,
    "end": _TIME,
    "reason": {
        "type": "object",
        "properties": {"zh-CN": _TEXT, "en": _TEXT},
        "additionalProperties": False,
        "minProperties": 1,
    },
    "area": {"type": "string", "maxLength": 300},
    "line": {"type": "string", "maxLength": 300},
    **SWITCHING,
}
PLAN_NEEDED = ("kind", "start", "end", "reason")


def document(base_url: str) -> dict[str, Any]:
    """The whole document, for this installation."""
    reference = {"name": "reference", "in": "path", "required": True, "schema": {"type": "string"}}
    outages: dict[str, Any] = {
        "get": _operation("listOutages", "Outages, the newest first.", {"200": "Page"}, parameters=_paging()),
        "post": _posting("planOutage", "Enter a draft.", PLAN, PLAN_NEEDED, "201"),
    }
    paths: dict[str, Any] = {
        "/outages": outages,
        "/resolve": {"post": _resolving()},
        "/outages/{reference}": {
            "parameters": [reference],
            "get": _operation("showOutage", "One outage, whole.", {"200": "Outage"}),
        },
        "/outages/{reference}/checks": {
            "parameters": [reference],
            "get": _operation("checkOutage", "What stands in the way.", {"200": "Checks"}),
        },
        "/outages/{reference}/papers": {
            "parameters": [reference],
            "get": _operation(
                "outagePapers", "Hotline entry, announcement, poster, plan notice.", {"200": "Papers"}
            ),
        },
        "/outages/{reference}/revise": {
            "parameters": [reference],
            "post": _posting(
                "reviseOutage",
                "Draft the next revision; the standing one stands until that is approved.",
                PLAN | {"version": _VERSION},
                PLAN_NEEDED,
                "200",
            ),
        },
    }
    for step, (words, fields, needed) in STEPS.items():
        paths[f"/outages/{{reference}}/{step}"] = {
            "parameters": [reference],
            "post": _posting(f"{step}Outage", words, fields | {"version": _VERSION}, needed, "200"),
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Planned outages", "version": "1"},
        "servers": [{"url": f"{base_url}/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Outage": {
                    "type": "object",
                    "required": ["reference", "state", "version"],
                    "properties": {
                        "reference": {"type": "string"},
                        "state": {"enum": [one.value for one in OutageState]},
                        "version": _VERSION,
                    },
                },
                "Page": {
                    "type": "object",
                    "required": ["outages", "next"],
                    "properties": {
                        "outages": {"type": "array", "items": {"type": "object"}},
                        "next": {"type": ["string", "null"]},
                    },
                },
                "Checks": {"type": "object", "required": ["findings"]},
                "Resolved": {
                    "type": "object",
                    "required": ["isolation", "loads", "by_tier", "service_points", "total", "next_offset"],
                },
                "Papers": {"type": "object", "required": [one.value for one in Paper]},
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                    },
                },
            },
        },
    }


def _paging() -> list[dict[str, Any]]:
    return [
        {"name": "state", "in": "query", "schema": {"enum": [one.value for one in OutageState]}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
        {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 1000000}},
    ]


def _resolving() -> dict[str, Any]:
    """The one question that is posted: it has a body, and changes nothing."""
    schema = {"type": "object", "properties": SWITCHING, "additionalProperties": False}
    numbers = {"limit": 200, "offset": 100_000_000}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": most}}
        for name, most in numbers.items()
    ]
    parameters.append({"name": "loads", "in": "query", "schema": {"const": "all"}})
    return _operation(
        "resolve",
        "Who would lose supply, by tier, and one page of the service points. Stores nothing.",
        {"200": "Resolved"},
        parameters=parameters,
        requestBody={"required": True, "content": {"application/json": {"schema": schema}}},
    )


def _operation(name: str, words: str, answers: dict[str, str], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        code: {
            "description": words,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
        }
        for code, schema in answers.items()
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found["default"] = {"description": "Refused, and why.", "content": problem}
    return {"operationId": name, "summary": words, "responses": found, **more}


def _posting(
    name: str, words: str, fields: dict[str, Any], needed: tuple[str, ...], code: str
) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": fields,
        "required": list(needed),
        "additionalProperties": False,
    }
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    }
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return _operation(name, words, {code: "Outage"}, parameters=[key], requestBody=body)
