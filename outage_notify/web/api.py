"""The JSON interface beside the pages, for an OMS, an ERP or a GIS: the same services underneath.

Bearer tokens (`machine_access`), an Idempotency-Key on every POST, RFC 9457 problems, pages by
limit and offset; described by /api/v1/openapi.json. Roles are those of the token's user.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, Response, g, request, url_for
from werkzeug.exceptions import HTTPException

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.announcement import Medium
from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.domain.window import local_instant
from outage_notify.services import (
    announce,
    approve_outage,
    machine_access,
    outage_views,
    papers,
    plan_outage,
    run_outage,
    start_gate,
)
from outage_notify.services.announce import Announced
from outage_notify.services.machine_access import Machine
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.resolve_audience import Switching, page_of
from outage_notify.web import openapi
from outage_notify.web.context import runtime
from outage_notify.web.errors import note_defect, status_of

pages = Blueprint("api", __name__, url_prefix="/api/v1")
LARGEST_PAGE = 200
LONGEST_KEY = 200
E = TypeVar("E", bound=StrEnum)


@pages.before_request
def who() -> Response | None:
    """401 unless the request carries a token that is in use; the document itself is open."""
    if request.endpoint == "api.describe":
        return None
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    machine = machine_access.machine_of(runtime(), secret.strip()) if scheme.lower() == "bearer" else None
    if machine is None:
        answer = _problem(401, "Unauthorized", "A token that is in use is needed.")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    g.machine = machine
    return None


@pages.errorhandler(OutageNotifyError)
def refused(error: OutageNotifyError) -> Response:
    return _problem(status_of(error), type(error).__name__, str(error))


@pages.errorhandler(HTTPException)
def failed(error: HTTPException) -> Response:
    return _problem(error.code or 500, error.name, error.description or "")


@pages.errorhandler(Exception)
def defect(error: Exception) -> Response:
    return _problem(500, "Internal Server Error", f"A defect of the program; incident {note_defect(error)}.")


@pages.get("/openapi.json")
def describe() -> Response:
    return _json(openapi.document(runtime().settings.base_url))


@pages.get("/outages")
def listing() -> Response:
    limit, offset = _number("limit", 50, 1, LARGEST_PAGE), _number("offset", 0, 0, 1_000_000)
    state = request.args.get("state", "")
    if state and state not in set(OutageState):
        raise InvalidInput(f"state: {state[:40]!r} is none.", f"States are {', '.join(OutageState)}.")
    states = [OutageState(state)] if state else []
    found = outage_views.outage_list(runtime(), states, limit + 1, offset)
    more = len(found) > limit
    following = url_for(".listing", state=state or None, limit=limit, offset=offset + limit) if more else None
    return _json({"outages": found[:limit], "next": following})


@pages.get("/outages/<reference>")
def show(reference: str) -> Response:
    return _json(outage_views.outage_view(runtime(), reference))


@pages.get("/outages/<reference>/checks")
def checks(reference: str) -> Response:
    seen = approve_outage.preflight(runtime(), reference)
    found = dataclasses.asdict(seen) | {
        "findings": [
            {"check": one.key, "weight": one.weight.value, "finding": one.sentence} for one in seen.findings
        ],
        "wave_plans": [one.as_dict() for one in seen.wave_plans],
        "announcements": [announce.duty_dict(one) for one in seen.announcements],
    }
    return _json(found)


@pages.post("/resolve")
def resolve() -> Response:
    """What a switching would mean. Stores nothing, so it needs no key."""
    body = _body(openapi.SWITCHING, ())
    limit, offset = _number("limit", 50, 0, LARGEST_PAGE), _number("offset", 0, 0, 100_000_000)
    rt = runtime()
    with rt.database.read() as session:
        found = page_of(
            session, rt, Switching.from_dict(body), offset, limit, request.args.get("loads") == "all"
        )
    more = limit and offset + limit < found["total"]
    return _json(found | {"next_offset": offset + limit if more else None})


@pages.get("/outages/<reference>/papers")
def paper_texts(reference: str) -> Response:
    """Each paper in both languages with the hash of its words."""
    found = papers.all_papers(runtime(), reference)
    return _json(
        {
            which.value: {
                language.value: {"text": one.text, "sha256": one.sha256, "revision": one.revision}
                for language, one in made.items()
            }
            for which, made in found.items()
        }
    )


@pages.post("/outages")
def plan() -> Response:
    body = _body(openapi.PLAN, openapi.PLAN_NEEDED)
    wanted = _plan(body)
    return _once(lambda: plan_outage.plan(runtime(), _machine().username, wanted), 201)


@pages.post("/outages/<reference>/revise")
def revise(reference: str) -> Response:
    body = _body(openapi.PLAN | {"version": {}}, openapi.PLAN_NEEDED)
    wanted = _plan(body)

    def call() -> str:
        plan_outage.revise(runtime(), _machine().username, reference, wanted, body.get("version"))
        return reference

    return _once(call, 200)


@pages.post("/outages/<reference>/<step>")
def step(reference: str, step: str) -> Response:
    if step not in openapi.STEPS:
        return _problem(404, "Not Found", f"Steps are revise, {', '.join(openapi.STEPS)}.")
    _, fields, needed = openapi.STEPS[step]
    body = _body(fields | {"version": {}}, needed)

    def call() -> str:
        _take(step, reference, body)
        return reference

    return _once(call, 200)


def _take(step: str, reference: str, body: Mapping[str, Any]) -> None:
    rt, by, version = runtime(), _machine().username, body.get("version")
    reason = body.get("reason", "")
    if step == "submit":
        plan_outage.submit(rt, by, reference, body.get("exception_reason", ""), version)
    elif step == "send-back":
        plan_outage.send_back(rt, by, reference, reason, version)
    elif step == "approve":
        accept, why = body.get("accept_exception", False), body.get("override_reason", "")
        approve_outage.approve(rt, by, reference, accept, version, override_reason=why)
    elif step == "cancel":
        run_outage.cancel(rt, by, reference, reason, version)
    elif step == "go":
        start_gate.decide(rt, by, reference, reason, version)
    elif step == "start":
        run_outage.start(rt, by, reference, version)
    elif step == "announce":
        announce.announce(rt, by, reference, _announced(body))
    elif step == "overrun":
        run_outage.overrun(rt, by, reference, local_instant(body["until"], rt.zone, field="until"), version)
    else:
        run_outage.complete(rt, by, reference, version)


def _once(call: Callable[[], str], status: int) -> Response:
    """Do it under the request's Idempotency-Key, and answer with the outage as it is then."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > LONGEST_KEY:
        raise InvalidInput(
            "The header Idempotency-Key is missing or too long.", "Send a new UUID for each step."
        )
    rt, machine = runtime(), _machine()
    said = f"{request.method} {request.path}\n".encode() + request.get_data()
    held = machine_access.begin(rt, machine, key, said)
    if held is not None:
        answer = Response(held[1], held[0], mimetype="application/json")
        answer.headers["Idempotent-Replayed"] = "true"
        return answer
    try:
        reference = call()
    except OutageNotifyError:
        machine_access.end(rt, machine, key, 400, "")
        raise
    body = json.dumps(outage_views.outage_view(rt, reference), ensure_ascii=False, default=str)
    machine_access.end(rt, machine, key, status, body)
    answer = Response(body, status, mimetype="application/json")
    answer.headers["Location"] = url_for(".show", reference=reference)
    return answer


def _machine() -> Machine:
    machine: Machine = g.machine
    return machine


def _body(fields: Mapping[str, Any], needed: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object of the request: known fields of the right type alone."""
    data = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(data, dict):
        raise InvalidInput("The body is no JSON object.", "Send one with Content-Type: application/json.")
    for name in data:
        if name not in fields:
            raise InvalidInput(f"{str(name)[:40]}: is not known here.", f"Fields are {', '.join(fields)}.")
    for name in needed:
        if name not in data:
            raise InvalidInput(f"{name}: is missing.", "Send it.")
    for name, value in data.items():
        if not _fits(name, value):
            raise InvalidInput(f"{name}: cannot be taken.", "The OpenAPI document says what belongs there.")
    return data


def _fits(name: str, value: object) -> bool:
    if name == "version":
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    if name in {"close_ties", "accept_exception"}:
        return isinstance(value, bool)
    if name in {"work", "out", "close"}:
        return isinstance(value, list) and len(value) <= 500 and all(_is_text(one, 100) for one in value)
    if name == "reason" and isinstance(value, dict):
        return bool(value) and set(value) <= {"zh-CN", "en"} and all(_is_text(one) for one in value.values())
    if name == "kind":
        return isinstance(value, str) and value in set(OutageKind)
    return _is_text(value, 300 if name in {"area", "line"} else 4000)


def _is_text(value: object, most: int = 4000) -> bool:
    """PostgreSQL takes no NUL in a text."""
    return isinstance(value, str) and len(value) <= most and "\0" not in value and value.isprintable()


def _plan(body: Mapping[str, Any]) -> PlanRequest:
    zone = runtime().zone
    if not isinstance(body["reason"], dict):
        raise InvalidInput("reason: is no object.", 'Write it as {"en": "..."}.')
    return PlanRequest(
        OutageKind(body["kind"]),
        local_instant(body["start"], zone, field="start"),
        local_instant(body["end"], zone, field="end"),
        dict(body["reason"]),
        body.get("area", ""),
        body.get("line", ""),
        tuple(body.get("work", ())),
        tuple(body.get("out", ())),
        tuple(body.get("close", ())),
        body.get("close_ties", False),
    )


def _announced(body: Mapping[str, Any]) -> Announced:
    at = local_instant(body["at"], runtime().zone, field="at") if body.get("at") else None
    return Announced(
        _member(Paper, body, "paper"),
        _member(Medium, body, "medium"),
        _member(Language, body, "language"),
        body.get("place", ""),
        at,
        body.get("sha256", ""),
    )


def _member(words: type[E], body: Mapping[str, Any], name: str) -> E:
    try:
        return words(body[name])
    except ValueError:
        raise InvalidInput(f"{name}: {body[name][:40]!r} is none.", f"Use {', '.join(words)}.") from None


def _number(name: str, default: int, least: int, most: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        raise InvalidInput(f"{name}: must be a number from {least} to {most}.")
    return int(text)


def _json(data: object) -> Response:
    return Response(json.dumps(data, ensure_ascii=False, default=str), mimetype="application/json")


def _problem(status: int, title: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")
