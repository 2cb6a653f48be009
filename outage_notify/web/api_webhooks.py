"""Webhooks for machines: list, add, push again, change the secret, remove. For tokens of administrators.

The same blueprint as `api`: tokens, keys and refusals are as there. A secret is in the answer to the step that made
it, and in no stored answer: it is derived anew when the same request comes again under its key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Response, url_for

from outage_notify.domain.errors import NotFound
from outage_notify.services import machine_access, webhooks
from outage_notify.services.runtime import Runtime
from outage_notify.web import api_parts as parts
from outage_notify.web import openapi
from outage_notify.web.api import pages
from outage_notify.web.context import runtime


@pages.get("/webhooks")
def webhook_list() -> Response:
    machine_access.require_admin(runtime(), parts.machine())
    return parts.answer_of({"webhooks": [_listed(one) for one in webhooks.listing(runtime())]})


@pages.get("/webhooks/<int:number>")
def webhook_one(number: int) -> Response:
    """One webhook with what it did not take in all its tries."""
    machine_access.require_admin(runtime(), parts.machine())
    return parts.answer_of(_whole(number))


@pages.post("/webhooks")
def webhook_add() -> Response:
    body = parts.body_of(openapi.WEBHOOK, ("name", "url"))
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        return str(webhooks.add(rt, parts.machine().username, body["name"], body["url"]).id)

    return _with_secret(parts.once(call, 201, _shown))


@pages.post("/webhooks/<int:number>/secret")
def webhook_secret(number: int) -> Response:
    parts.body_of({})
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        return str(webhooks.new_secret(rt, parts.machine().username, number).id)

    return _with_secret(parts.once(call, 200, _shown))


@pages.post("/webhooks/<int:number>/replay")
def webhook_replay(number: int) -> Response:
    body = parts.body_of(openapi.REPLAY)
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        return str(webhooks.replay(rt, parts.machine().username, number, body.get("after")))

    return parts.once(
        call, 200, lambda pushes: ({"pushes": int(pushes)}, url_for("api.webhook_one", number=number))
    )


@pages.post("/webhooks/<int:number>/stop")
def webhook_stop(number: int) -> Response:
    return _stepped(number, webhooks.stop)


@pages.post("/webhooks/<int:number>/start")
def webhook_start(number: int) -> Response:
    return _stepped(number, webhooks.start)


@pages.post("/webhooks/<int:number>/remove")
def webhook_remove(number: int) -> Response:
    parts.body_of({})
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        webhooks.remove(rt, parts.machine().username, number)
        return str(number)

    return parts.once(call, 200, lambda _: ({"removed": number}, url_for("api.webhook_list")))


def _stepped(number: int, step: Callable[[Runtime, str, int], object]) -> Response:
    parts.body_of({})
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        step(rt, parts.machine().username, number)
        return str(number)

    return parts.once(call, 200, _shown)


def _listed(one: webhooks.Listed) -> dict[str, Any]:
    found = asdict(one)
    del found["counts"]
    counts = one.counts
    return found | {"waiting": counts.waiting, "given_up": counts.dead, "taken": counts.done}


def _whole(number: int) -> dict[str, Any]:
    dead = webhooks.given_up(runtime(), number)
    found = next((one for one in webhooks.listing(runtime()) if one.id == number), None)
    if found is None:
        raise NotFound(f"There is no webhook {number}.", "Look at the list of webhooks.")
    return _listed(found) | {"not_taken": [asdict(one) for one in dead]}


def _shown(number: str) -> tuple[object, str]:
    return _whole(int(number)), url_for("api.webhook_one", number=number)


def _with_secret(answer: Response) -> Response:
    """The answer with the present secret; as it is where the webhook was removed since."""
    found = json.loads(answer.get_data())
    try:
        found["secret"] = webhooks.secret(runtime(), found["id"])
    except NotFound:
        return answer
    answer.set_data(parts.as_text(found))
    return answer
