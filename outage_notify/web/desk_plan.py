"""The planner's form: plan, edit a draft, revise what is approved; with a preview before anything is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.domain.outage import OutageKind
from outage_notify.services import desk_views, plan_outage
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.preview_plan import preview_plan
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("plan", __name__, url_prefix="/desk")


@pages.route("/plan", methods=["GET", "POST"])
def new() -> Any:
    return _form(
        "new", "", {"kind": OutageKind.PLANNED.value}, lambda plan: plan_outage.plan(runtime(), by(), plan)
    )


@pages.route("/outages/<reference>/edit", methods=["GET", "POST"])
def edit(reference: str) -> Any:
    def save(plan: PlanRequest) -> str:
        plan_outage.edit(runtime(), by(), reference, plan, forms.version(request.form))
        return reference

    return _form("edit", reference, _stored(reference), save)


@pages.route("/outages/<reference>/revise", methods=["GET", "POST"])
def revise(reference: str) -> Any:
    def save(plan: PlanRequest) -> str:
        plan_outage.revise(runtime(), by(), reference, plan, forms.version(request.form))
        return reference

    return _form("revise", reference, _stored(reference), save)


@pages.get("/elements")
def elements() -> Response:
    """Elements that a planner may mean while typing."""
    text = request.args.get("q", "").strip()[:60]
    return jsonify(elements=desk_views.elements(runtime(), text) if len(text) > 1 else [])


def _stored(reference: str) -> dict[str, str]:
    return forms.filled_from(desk_views.version_of(runtime(), reference))


def _form(purpose: str, reference: str, filled: dict[str, str], save: Callable[[PlanRequest], str]) -> Any:
    """Show the form; on POST preview it, or store it and go to the outage. Nothing that was typed is lost."""
    page: dict[str, Any] = {"purpose": purpose, "reference": reference, "kinds": list(OutageKind)}
    if request.method == "GET":
        return render_template("desk/plan.html", form=filled, twice=set(), **page)
    form = request.form.to_dict()
    page |= {"form": form, "twice": forms.happens_twice(form, runtime().zone)}
    try:
        plan = forms.plan_request(form, runtime().zone)
        if form.get("step") == "save":
            return redirect(url_for("desk.outage", reference=save(plan)), 303)
        return render_template("desk/plan.html", found=preview_plan(runtime(), plan, reference), **page)
    except OutageNotifyError as error:
        return render_template("desk/plan.html", error=error, **page), status_of(error)
