"""The part of the OpenAPI document about the texts of notices, and the schemas that their bodies are held to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from channels.model import Channel, Language
from channels.texts import KINDS, LONGEST

_NUMBER = {"type": "integer", "minimum": 0, "maximum": 2147483647}


def _line(longest: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"}


_SENTENCES: dict[str, Any] = {
    "type": "array",
    "maxItems": 100,
    "items": {
        "type": "object",
        "properties": {"number": _NUMBER, "words": _line(LONGEST)},
        "required": ["number", "words"],
        "additionalProperties": False,
    },
}
TRIED: dict[str, Any] = {"sentences": _SENTENCES}
# `version`: the one that was read; somebody else's change in the meantime is refused with 409.
SAVED: dict[str, Any] = {
    "version": _NUMBER,
    "sentences": _SENTENCES,
    "reason": _line(300),
    "everywhere": {"type": "boolean"},
}
RESTORED: dict[str, Any] = {"version": _NUMBER, "to": _NUMBER, "reason": _line(300)}
SCHEMAS: dict[str, Any] = {
    "Texts": {"type": "object", "required": ["texts"]},
    "Text": {
        "type": "object",
        "required": ["name", "channel", "kind", "language", "version", "sentences", "versions", "examples"],
    },
    "Examples": {"type": "object", "required": ["outage", "examples"]},
}


def paths(operation: Callable[..., dict[str, Any]], posting: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The paths; `operation` and `posting` make one of them as all others are made."""
    names = [".".join(parts) for parts in product(Channel, KINDS, Language)]
    named = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": names}}]
    text = "/texts/{name}"
    schema = {"type": "object", "properties": TRIED, "required": ["sentences"], "additionalProperties": False}
    return {
        "/texts": {"get": operation("listTexts", "All texts of notices.", {"200": "Texts"})},
        text: {
            "parameters": named,
            "get": operation("showText", "One, with its versions and examples.", {"200": "Text"}),
        },
        f"{text}/try": {
            "parameters": named,
            "post": operation(
                "tryText",
                "How words would read, with the segments of an SMS. Stores nothing.",
                {"200": "Examples"},
                requestBody={"required": True, "content": {"application/json": {"schema": schema}}},
            ),
        },
        f"{text}/save": {
            "parameters": named,
            "post": posting(
                "saveText",
                "Word sentences anew, as the next version; `everywhere`: in all notices of the channel.",
                SAVED,
                ("version", "sentences", "reason"),
                "200",
                "Text",
            ),
        },
        f"{text}/restore": {
            "parameters": named,
            "post": posting(
                "restoreText",
                "Put the text back to a version, 0 for the delivered words.",
                RESTORED,
                ("version", "to", "reason"),
                "200",
                "Text",
            ),
        },
    }
