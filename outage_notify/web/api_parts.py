"""What the routes of the JSON interface share: bodies as the document describes them, keys, pages.

Promises: a body is taken only if it fits the schema that the OpenAPI document shows for it, so that the
two can't say different things; a request under an Idempotency-Key is done once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from flask import Response, g, request

from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services import machine_access
from outage_notify.services.machine_access import Machine
from outage_notify.web import openapi
from outage_notify.web.context import runtime

_KEY = re.compile(openapi.KEY_PATTERN, re.ASCII)
_TEXT = re.compile(openapi.TEXT_PATTERN)
E = TypeVar("E", bound=StrEnum)


def machine() -> Machine:
    found: Machine = g.machine
    return found


def body_of(fields: Mapping[str, Any], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON object of the request: known fields alone, each as its schema says."""
    data = _sent() if request.get_data() else {}
    if not isinstance(data, dict):
        raise InvalidInput("The body is no JSON object.", "Send one with Content-Type: application/json.")
    for name in data:
        if name not in fields:
            raise InvalidInput(f"{str(name)[:40]}: is not known here.", f"Fields are {', '.join(fields)}.")
    for name in needed:
        if name not in data:
            raise InvalidInput(f"{name}: is missing.", "Send it.")
    for name, value in data.items():
        if not fits(fields[name], value):
            raise InvalidInput(f"{name}: cannot be taken.", "The OpenAPI document says what belongs there.")
    return {name: int(value) if isinstance(value, float) else value for name, value in data.items()}


def _sent() -> object:
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None  # brackets in brackets without end


def fits(schema: Mapping[str, Any], value: object) -> bool:
    """Whether a value is what a schema of our document asks for. Knows the few words that the document uses."""
    if "enum" in schema:
        return isinstance(value, str) and value in schema["enum"]
    kind = schema["type"]
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and not isinstance(value, bool) and schema["minimum"] <= value <= schema["maximum"]
    if kind == "array":
        return (
            isinstance(value, list)
            and len(value) <= schema["maxItems"]
            and all(fits(schema["items"], one) for one in value)
        )
    if kind == "object":
        return (
            isinstance(value, dict)
            and len(value) >= schema.get("minProperties", 0)
            and all(
                name in schema["properties"] and fits(schema["properties"][name], one)
                for name, one in value.items()
            )
        )
    return isinstance(value, str) and len(value) <= schema["maxLength"] and _is_text(value)


def _is_text(value: str) -> bool:
    """No control characters (PostgreSQL takes no NUL), and nothing that UTF-8 can't hold."""
    return bool(_TEXT.fullmatch(value)) and not any("\ud800" <= one <= "\udfff" for one in value)


def once(
    call: Callable[[], str], status: int | Callable[[str], int], show: Callable[[str], tuple[object, str]]
) -> Response:
    """Do it under the request's Idempotency-Key. `call` returns what it made or changed, `show` turns that
    into what is there now and the address where it stands, `status` says what that is answered with."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            "The header Idempotency-Key is missing or can't be taken.", "Send a new UUID for each step."
        )
    rt, who = runtime(), machine()
    said = f"{request.method} {request.path}\n".encode() + request.get_data()
    held = machine_access.begin(rt, who, key, said)
    if held is not None:
        answer = Response(held[1], held[0], mimetype="application/json")
        answer.headers["Idempotent-Replayed"] = "true"
        return answer
    try:
        made = call()
    except OutageNotifyError:
        machine_access.end(rt, who, key, 400, "")
        raise
    shown, place = show(made)
    body, code = as_text(shown), status if isinstance(status, int) else status(made)
    machine_access.end(rt, who, key, code, body)
    answer = Response(body, code, mimetype="application/json")
    answer.headers["Location"] = place
    return answer


def member(words: type[E], name: str, text: str) -> E:
    try:
        return words(text)
    except ValueError:
        raise InvalidInput(f"{name}: {text[:40]!r} is none.", f"Use {', '.join(words)}.") from None


def number(name: str, default: int, least: int, most: int) -> int:
    """A number of the address."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise InvalidInput(f"{name}: must be a number from {least} to {most}.")
    return int(text)


def as_text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, default=str)


def answer_of(data: object) -> Response:
    return Response(as_text(data), mimetype="application/json")
