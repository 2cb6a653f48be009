"""The JSON interface beside the pages, for an OMS, an ERP or a GIS: the same services underneath.

Bearer tokens (`machine_access`), an Idempotency-Key on every POST, RFC 9457 problems, pages by
limit and offset; described by /api/v1/openapi.json. Roles are those of the token's user.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

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
    ask_approval,
    machine_access,
    merge_outages,
    outage_views,
    papers,
    plan_outage,
    run_outage,
    start_gate,
)
from outage_notify.services.announce import Announced
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.resolve_audience import Switching, page_of
from outage_notify.web import api_jobs, openapi, problems
from outage_notify.web import api_parts as parts
from outage_notify.web.context import runtime
from outage_notify.web.errors import note_defect, status_of

pages = Blueprint("api", __name__, url_prefix="/api/v1")
LARGEST_PAGE = 200
# What may stand in an address behind the question mark; a misspelt filter must not answer with everything.
QUERY = {
    "api.listing": ("state", "limit", "offset"),
    "api.task_list": ("kind", "limit", "offset"),
    "api.resolve": ("limit", "offset", "loads"),
}


@pages.before_request
def who() -> Response | None:
    """401 unless the request carries a token that is in use; the document itself is open."""
    if request.endpoint == "api.describe":
        return None
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    machine = machine_access.machine_of(runtime(), secret.strip()) if scheme.lower() == "bearer" else None
    if machine is None:
        answer = problems.problem(401, "Unauthorized", "A token that is in use is needed.")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    g.machine = machine
    known = QUERY.get(request.endpoint or "", ())
    for name, values in request.args.lists():
        if name not in known:
            raise InvalidInput(
                f"{name[:40]!r} is no parameter here.", f"There are: {', '.join(known) or 'none'}."
            )
        if len(values) > 1:
            raise InvalidInput(f"{name}: is there twice.", "Send it once.")
    return None


@pages.errorhandler(OutageNotifyError)
def refused(error: OutageNotifyError) -> Response:
    return problems.problem(status_of(error), type(error).__name__, str(error))


@pages.errorhandler(HTTPException)
def failed(error: HTTPException) -> Response:
    return problems.of_http(error)


@pages.errorhandler(Exception)
def defect(error: Exception) -> Response:
    return problems.problem(
        500, "Internal Server Error", f"A defect of the program; incident {note_defect(error)}."
    )


@pages.get("/openapi.json")
def describe() -> Response:
    return parts.answer_of(openapi.document(runtime().settings.base_url))


@pages.get("/jobs/<int:number>")
def job(number: int) -> Response:
    return parts.answer_of(api_jobs.shown(runtime(), number)[0])


@pages.get("/outages")
def listing() -> Response:
    limit, offset = parts.number("limit", 50, 1, LARGEST_PAGE), parts.number("offset", 0, 0, 1_000_000)
    state = request.args.get("state")
    states = [] if state is None else [parts.member(OutageState, "state", state)]
    found = outage_views.outage_list(runtime(), states, limit + 1, offset)
    more = len(found) > limit
    following = url_for(".listing", state=state, limit=limit, offset=offset + limit) if more else None
    return parts.answer_of({"outages": found[:limit], "next": following})


@pages.get("/outages/<reference>")
def show(reference: str) -> Response:
    return parts.answer_of(outage_views.outage_view(runtime(), reference))


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
    return parts.answer_of(found)


@pages.post("/resolve")
def resolve() -> Response:
    """What a switching would mean. Stores nothing, so it needs no key."""
    body = parts.body_of(openapi.SWITCHING, ())
    limit, offset = parts.number("limit", 50, 0, LARGEST_PAGE), parts.number("offset", 0, 0, 100_000_000)
    if request.args.get("loads", "all") != "all":
        raise InvalidInput("loads: is not known here.", "Leave it out, or send all.")
    rt = runtime()
    with rt.database.read() as session:
        found = page_of(
            session, rt, Switching.from_dict(body), offset, limit, request.args.get("loads") == "all"
        )
    more = limit and offset + limit < found["total"]
    return parts.answer_of(found | {"next_offset": offset + limit if more else None})


@pages.get("/outages/<reference>/papers")
def paper_texts(reference: str) -> Response:
    """Each paper in both languages with the hash of its words."""
    found = papers.all_papers(runtime(), reference)
    return parts.answer_of(
        {
            which.value: {
                language.value: {"text": one.text, "sha256": one.sha256, "revision": one.revision}
                for language, one in made.items()
            }
            for which, made in found.items()
        }
    )


@pages.get("/outages/<reference>/announcements")
def announcements(reference: str) -> Response:
    return parts.answer_of(announce.announcements(runtime(), reference))


@pages.post("/outages")
def plan() -> Response:
    body = parts.body_of(openapi.MERGING, openapi.PLAN_NEEDED)
    wanted, merged = _plan(body), body.get("merged", ())
    return _once(lambda: merge_outages.merge(runtime(), _user(), wanted, merged), 201)


@pages.post("/outages/<reference>/edit")
def edit(reference: str) -> Response:
    """The draft anew; what is left out of the body is empty then."""
    body = parts.body_of(openapi.EDITING, openapi.PLAN_NEEDED)
    wanted, merged, version = _plan(body), body.get("merged", ()), body.get("version")
    return _once(lambda: merge_outages.merge(runtime(), _user(), wanted, merged, reference, version), 200)


@pages.post("/outages/<reference>/revise")
def revise(reference: str) -> Response:
    body = parts.body_of(openapi.REVISION, openapi.PLAN_NEEDED)
    wanted = _plan(body)

    def call() -> str:
        plan_outage.revise(runtime(), _user(), reference, wanted, body.get("version"))
        return reference

    return _once(call, 200)


@pages.post("/outages/<reference>/<step>")
def step(reference: str, step: str) -> Response:
    if step not in openapi.STEPS:
        return problems.problem(404, "Not Found", f"Steps are edit, revise, {', '.join(openapi.STEPS)}.")
    body = parts.body_of(openapi.step_fields(step), openapi.STEPS[step][2])
    if step == "approve":
        return _approve(reference, body)

    def call() -> str:
        _take(step, reference, body)
        return reference

    return _once(call, 200)


def _approve(reference: str, body: Mapping[str, Any]) -> Response:
    """200 and the outage; or 202 and the job, where the worker does it."""
    rt, by = runtime(), _user()
    accept, why = body.get("accept_exception", False), body.get("override_reason", "")

    def call() -> str:
        job = ask_approval.ask_approval(rt, by, reference, accept, body.get("version"), why)
        return "" if job is None else str(job)

    def show(job: str) -> tuple[object, str]:
        return api_jobs.shown(rt, int(job)) if job else _shown(reference)

    return parts.once(call, lambda job: 202 if job else 200, show)


def _take(step: str, reference: str, body: Mapping[str, Any]) -> None:
    rt, by, version = runtime(), _user(), body.get("version")
    reason = body.get("reason", "")
    if step == "submit":
        plan_outage.submit(rt, by, reference, body.get("exception_reason", ""), version)
    elif step == "send-back":
        plan_outage.send_back(rt, by, reference, reason, version)
    elif step == "cancel":
        run_outage.cancel(rt, by, reference, reason, version)
    elif step == "drop-revision":
        plan_outage.drop_revision(rt, by, reference, version)
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
    """Do it under the request's key, and answer with the outage as it is then."""

    return parts.once(call, status, _shown)


def _shown(reference: str) -> tuple[object, str]:
    return outage_views.outage_view(runtime(), reference), url_for("api.show", reference=reference)


def _user() -> str:
    return parts.machine().username


def _plan(body: Mapping[str, Any]) -> PlanRequest:
    zone = runtime().zone
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
        Paper(body["paper"]),
        Medium(body["medium"]),
        Language(body["language"]),
        body.get("place", ""),
        at,
        body.get("sha256", ""),
    )
