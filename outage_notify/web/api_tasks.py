"""What is left to people, for machines: tasks, answers brought in by hand, announcements entered wrongly.

The same blueprint as `api`: tokens, keys and refusals are as there.
"""

from __future__ import annotations

from datetime import date

from flask import Response, request, url_for

from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.errors import InvalidInput
from outage_notify.services import acknowledge, announce, finish_task, machine_access, task_views
from outage_notify.services.acknowledge import Answer
from outage_notify.store.work_tables import TaskKind
from outage_notify.web import api_parts as parts
from outage_notify.web import openapi
from outage_notify.web.api import LARGEST_PAGE, pages
from outage_notify.web.context import runtime


@pages.get("/tasks")
def task_list() -> Response:
    limit, offset = parts.number("limit", 50, 1, LARGEST_PAGE), parts.number("offset", 0, 0, 1_000_000)
    text = request.args.get("kind")
    kind = None if text is None else parts.member(TaskKind, "kind", text)
    found = task_views.open_tasks(runtime(), kind, limit + 1, offset)
    more = len(found) > limit
    following = url_for("api.task_list", kind=kind, limit=limit, offset=offset + limit) if more else None
    return parts.answer_of({"tasks": found[:limit], "next": following})


@pages.post("/tasks/<int:number>/done")
def task_done(number: int) -> Response:
    parts.body_of({})
    rt = runtime()

    def call() -> str:
        machine_access.require_worker(rt, parts.machine())
        finish_task.finish(rt, parts.machine().username, number)
        return str(number)

    return parts.once(call, 200, lambda _: (task_views.task(rt, number), url_for("api.task_list")))


@pages.post("/acknowledgements/<int:number>/answer")
def answer_by_hand(number: int) -> Response:
    body = parts.body_of(openapi.ANSWER, openapi.ANSWER_NEEDED)
    state, rt = AckState(body["state"]), runtime()
    given = Answer(
        state,
        AckWay(body["way"]),
        body["signer_name"],
        body.get("signer_role", ""),
        body.get("reason", "") if state is not AckState.ACKNOWLEDGED else "",
        body.get("witness", "") if state is AckState.REFUSED else "",
        slip_date=_day(body["slip_date"]) if "slip_date" in body else None,
    )
    said = {"receipt": 0, "jws": ""}

    def call() -> str:
        machine_access.require_worker(rt, parts.machine())
        receipt = acknowledge.answer(rt, number, given, parts.machine().username)
        said.update(receipt=receipt.sequence, jws=receipt.jws)
        return task_views.outage_of_answer(rt, number)

    return parts.once(call, 200, lambda reference: (said, url_for("api.show", reference=reference)))


@pages.post("/announcements/<int:number>/take-back")
def take_back(number: int) -> Response:
    body = parts.body_of(openapi.TAKING_BACK, ("reason",))
    rt = runtime()

    def call() -> str:
        return announce.take_back(rt, parts.machine().username, number, body["reason"])

    def show(reference: str) -> tuple[object, str]:
        return announce.announcements(rt, reference), url_for("api.announcements", reference=reference)

    return parts.once(call, 200, show)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("slip_date: that is not a date.", "Write it as 2026-12-01.") from None
