"""Grid managers and their areas for machines: list, add, change, end, give and take back. For tokens of administrators.

The same blueprint as `api`: tokens, keys and refusals are as there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Response, url_for

from outage_notify.services import grid_managers, machine_access, manager_areas, publish_office
from outage_notify.services.runtime import Runtime
from outage_notify.web import api_parts as parts
from outage_notify.web import openapi_managers as schemas
from outage_notify.web.api import pages
from outage_notify.web.context import runtime


@pages.get("/managers")
def manager_list() -> Response:
    machine_access.require_admin(runtime(), parts.machine())
    return parts.answer_of(_all())


@pages.post("/managers")
def manager_add() -> Response:
    body = parts.body_of(schemas.ADDED, ("name",))
    return _done(lambda rt, by: grid_managers.add(rt, by, body["name"], body.get("phone", "")), 201)


@pages.post("/managers/<int:number>/change")
def manager_change(number: int) -> Response:
    """Name and number as sent; deputy 0 for none."""
    body = parts.body_of(schemas.CHANGED, ("version", "name", "phone", "deputy", "away"))
    return _done(
        lambda rt, by: grid_managers.change(
            rt,
            by,
            number,
            body["version"],
            body["name"],
            body["phone"],
            body["deputy"] or None,
            body["away"],
        )
    )


@pages.post("/managers/<int:number>/end")
def manager_end(number: int) -> Response:
    body = parts.body_of(schemas.ENDED, ("version", "successor", "reason"))
    return _done(
        lambda rt, by: grid_managers.end(
            rt, by, number, body["version"], body["successor"] or None, body["reason"]
        )
    )


@pages.post("/managers/<int:number>/office")
def manager_office(number: int) -> Response:
    body = parts.body_of(schemas.OFFICE, ("office", "phone"))
    return _done(lambda rt, by: publish_office.set_office(rt, by, number, body["office"], body["phone"]))


@pages.post("/managers/<int:number>/areas")
def manager_area(number: int) -> Response:
    body = parts.body_of(schemas.GIVEN, ("element", "reason"))
    return _done(lambda rt, by: manager_areas.add(rt, by, number, body["element"], body["reason"]))


@pages.post("/areas/<int:number>/end")
def area_end(number: int) -> Response:
    body = parts.body_of(schemas.TAKEN, ("reason",))
    return _done(lambda rt, by: manager_areas.end(rt, by, number, body["reason"]))


def _done(change: Callable[[Runtime, str], object], status: int = 200) -> Response:
    """Do it under the request's key, and answer with all managers as they are then."""
    rt = runtime()

    def call() -> str:
        machine_access.require_admin(rt, parts.machine())
        change(rt, parts.machine().username)
        return ""

    return parts.once(call, status, lambda _: (_all(), url_for("api.manager_list")))


def _all() -> dict[str, Any]:
    areas: dict[int, list[dict[str, Any]]] = {}
    for area in manager_areas.listing(runtime()):
        areas.setdefault(area.manager, []).append(asdict(area))
    managers = []
    for one in grid_managers.listing(runtime()):
        found = asdict(one)
        found["version"] = found.pop("seen")
        managers.append(found | {"areas": areas.get(one.id, [])})
    return {"managers": managers}
