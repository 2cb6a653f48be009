"""The part of the OpenAPI document about grid managers, and the schemas that their bodies are held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ID = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
_VERSION = {"type": "integer", "minimum": 0, "maximum": 2147483647}


def _line(longest: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"}


ADDED: dict[str, Any] = {"name": _line(200), "phone": _line(40)}
# `version`: the one that was read. `deputy` and `successor`: the id of another manager, 0 for nobody.
CHANGED: dict[str, Any] = ADDED | {"version": _VERSION, "deputy": _ID, "away": {"type": "boolean"}}
ENDED: dict[str, Any] = {"version": _VERSION, "successor": _ID, "reason": _line(300)}
OFFICE: dict[str, Any] = {"office": _line(200), "phone": _line(40)}
GIVEN: dict[str, Any] = {"element": _line(200), "reason": _line(300)}
TAKEN: dict[str, Any] = {"reason": _line(300)}
SCHEMAS: dict[str, Any] = {"Managers": {"type": "object", "required": ["managers"]}}


def paths(operation: Callable[..., dict[str, Any]], posting: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The paths; `operation` and `posting` make one of them as all others are made."""
    number = {"name": "number", "in": "path", "required": True, "schema": _ID}

    def step(name: str, words: str, fields: dict[str, Any]) -> dict[str, Any]:
        post = posting(name, words, fields, tuple(fields), "200", "Managers")
        return {"parameters": [number], "post": post}

    return {
        "/managers": {
            "get": operation("listManagers", "All grid managers with their areas.", {"200": "Managers"}),
            "post": posting("addManager", "Add one, or take one back.", ADDED, ("name",), "201", "Managers"),
        },
        "/managers/{number}/change": step("changeManager", "Name, telephone, deputy, away.", CHANGED),
        "/managers/{number}/end": step("endManager", "Has left; all passes to the successor.", ENDED),
        "/managers/{number}/office": step("setOffice", "The office that the public is told to call.", OFFICE),
        "/managers/{number}/areas": step("giveArea", "Give all that is supplied by an element.", GIVEN),
        "/areas/{number}/end": step("endArea", "Take an area back.", TAKEN),
    }
