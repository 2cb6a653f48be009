"""The planner's screen: plan, edit a draft, revise what is approved, on a map or without one.

Everything is a field of one form: the map, the search and the suggestions only write into it, so that each step
works without script too (a button of the form sends `step`). While one types, the page asks `live` for what the
same form would show.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import Conflict, InvalidInput, OutageNotifyError
from outage_notify.domain.outage import OutageKind
from outage_notify.services import (
    desk_views,
    find_picks,
    merge_outages,
    network_map,
    plan_outage,
    plan_screen,
)
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("plan", __name__, url_prefix="/desk")
# A version's tiles never change; nobody but the browser of who is signed in may keep them.
TILE_CACHE = "private, max-age=86400"


@pages.route("/plan", methods=["GET", "POST"])
def new() -> Any:
    def save(plan: PlanRequest) -> str:
        return merge_outages.merge(runtime(), by(), plan, forms.elements(request.form, "merged"))

    return _form("new", "", {"kind": OutageKind.PLANNED.value}, save)


@pages.route("/outages/<reference>/edit", methods=["GET", "POST"])
def edit(reference: str) -> Any:
    def save(plan: PlanRequest) -> str:
        others, version = forms.elements(request.form, "merged"), forms.version(request.form)
        return merge_outages.merge(runtime(), by(), plan, others, reference, version)

    return _form("edit", reference, _stored(reference), save)


@pages.route("/outages/<reference>/revise", methods=["GET", "POST"])
def revise(reference: str) -> Any:
    def save(plan: PlanRequest) -> str:
        plan_outage.revise(runtime(), by(), reference, plan, forms.version(request.form))
        return reference

    # A customer's objection comes with the start that it wishes for.
    filled = forms.moved_to(_stored(reference), request.args.get("start", ""))
    return _form("revise", reference, filled, save)


@pages.post("/plan/live")
def live() -> Response:
    """What the form as typed so far would show, and what lights up on the map."""
    form = request.form.to_dict()
    try:
        draft = forms.plan_draft(form, runtime().zone, form.get("reference", "")[:20])
        screen = plan_screen.look(runtime(), draft)
    except OutageNotifyError as error:
        return jsonify(html=render_template("parts/refusal.html", error=error), features=[])
    features = screen.network.features if screen.network else []
    return jsonify(html=render_template("desk/plan_found.html", screen=screen, form=form), features=features)


@pages.post("/plan/find")
def find() -> str:
    """What a name, an address or a customer may mean. Posted: what is looked for stays out of addresses."""
    return render_template("desk/plan_places.html", **_places(request.form.get("find", "")))


@pages.post("/plan/within")
def within() -> Response | tuple[Response, int]:
    """What lies in an area that was drawn on the map, given as GeoJSON in `area`."""
    try:
        area = json.loads(request.form.get("area", ""))
        if not isinstance(area, dict):
            raise InvalidInput("That is no area.", "Draw a closed shape.")
        return jsonify(html=render_template("desk/plan_area.html", area=find_picks.enclosed(runtime(), area)))
    except (OutageNotifyError, ValueError, RecursionError) as error:
        known = (
            error
            if isinstance(error, OutageNotifyError)
            else InvalidInput("That is no GeoJSON.", "Draw it again.")
        )
        return jsonify(html=render_template("parts/refusal.html", error=known)), status_of(known)


def _places(text: str) -> dict[str, Any]:
    """What the search shows: `places`, or why there are none."""
    try:
        return {"asked": text, "places": find_picks.look_for(runtime(), text)}
    except OutageNotifyError as error:
        return {"asked": text, "places": [], "places_error": error}


@pages.get("/elements")
def elements() -> Response:
    """Elements that a planner may mean while typing."""
    text = request.args.get("q", "").strip()[:60]
    return jsonify(elements=desk_views.elements(runtime(), text) if len(text) > 1 else [])


@pages.get("/network.json")
def network() -> Response:
    """Which network is in force, and where it lies."""
    return jsonify(network_map.network_view(runtime()))


@pages.get("/network/<int:version>/<int:z>/<int:x>/<int:y>.json")
def network_tile(version: int, z: int, x: int, y: int) -> Response:
    answer = jsonify(network_map.network_tile(runtime(), version, z, x, y))
    answer.headers["Cache-Control"] = TILE_CACHE
    return answer


def _map_words() -> dict[str, str]:
    """What the scripts say; ID and NUM are filled in there."""
    return {
        "open": _("open"),
        "closed": _("closed"),
        "draw": _("Click the corners of the area; a double click or the button ends it, Escape gives up."),
        "finish": _("Finish the area"),
        "too_few": _("An area has three corners or more."),
        "tie": _("Closing it keeps NUM customers"),
        "picked": _("ID picked"),
        "dropped": _("ID dropped"),
        "no_feeder": _("ID belongs to no feeder."),
        "signed_out": _(
            "You are signed out. Sign in again in another window and go on here: nothing that you typed is lost."
        ),
        "not_loaded": _(
            "The answer could not be fetched. The Preview button does the same; nothing that you typed is lost."
        ),
    }


def _stored(reference: str) -> dict[str, str]:
    return forms.filled_from(desk_views.version_of(runtime(), reference))


def _form(purpose: str, reference: str, filled: dict[str, str], save: Callable[[PlanRequest], str]) -> Any:
    """Show the form; on POST preview it, or store it and go to the outage. Nothing that was typed is lost."""
    page: dict[str, Any] = {"purpose": purpose, "reference": reference, "kinds": list(OutageKind)}
    page["map_words"] = _map_words()
    if request.method == "GET":
        return render_template("desk/plan.html", form=filled, twice=set(), **page)
    form = forms.after_step(request.form.to_dict())
    page |= {"form": form, "twice": forms.happens_twice(form, runtime().zone)}
    try:
        verb, _colon, other = form.get("step", "").partition(":")
        if verb == "merge":
            (taken,) = merge_outages.look_at(runtime(), [other])
            form = page["form"] = forms.with_taken(form, taken, runtime().zone)
        if form.get("step") == "save":
            plan = forms.plan_request(form, runtime().zone)
            return redirect(url_for("desk.outage", reference=save(plan)), 303)
        if form.get("step") == "find":
            page |= _places(form.get("find", ""))
        screen = plan_screen.look(runtime(), forms.plan_draft(form, runtime().zone, reference))
        status = 200
        if form.get("step") == "preview":
            forms.plan_request(form, runtime().zone)
            if screen.network is None and screen.network_fault is None:
                raise InvalidInput(
                    "Nothing is worked on or taken out.", "Name an element, such as line:12, or pick one."
                )
            fault = screen.network_fault or screen.window_fault
            status = status_of(fault) if fault else 200
        return render_template("desk/plan.html", screen=screen, **page), status
    except OutageNotifyError as error:
        if isinstance(error, Conflict) and reference:
            page |= _meanwhile(reference, form)
        return render_template("desk/plan.html", error=error, **page), status_of(error)


def _meanwhile(reference: str, form: dict[str, str]) -> dict[str, Any]:
    """What stands now where somebody else was faster, beside what was typed. Who has seen it may save it all the same:
    the form carries the version that it was shown."""
    stands = _stored(reference)
    differs = [
        (name, text) for name, text in stands.items() if name != "version" and text != form.get(name, "")
    ]
    fresh = form | {"version": stands.get("version", form.get("version", ""))}
    return {"meanwhile": differs, "form": fresh}
