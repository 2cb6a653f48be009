"""The policy page with the utility's own stricter steps: what the law says, what is added, who changed it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.rules import CustomerClass
from outage_notify.services import own_steps, settings_view
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("steps", __name__, url_prefix="/desk/admin/policy/steps")


@pages.post("")
def add() -> Any:
    form = request.form
    try:
        own_steps.add(
            runtime(),
            by(),
            _seen(),
            form.get("applies_to", ""),
            form.getlist("work"),
            form.get("values", "")[:200],
            form.get("unit", ""),
            form.get("reason", ""),
        )
    except OutageNotifyError as error:
        return page(form, error), status_of(error)
    flash(_("Changed. It holds for what is approved from now on."))
    return redirect(url_for("settings.policy"), 303)


@pages.post("/<int:number>/remove")
def remove(number: int) -> Any:
    try:
        own_steps.remove(runtime(), by(), _seen(), number, request.form.get("reason", ""))
    except OutageNotifyError as error:
        return page(None, error), status_of(error)
    flash(_("Changed. It holds for what is approved from now on."))
    return redirect(url_for("settings.policy"), 303)


def page(form: MultiDict[str, str] | None = None, error: OutageNotifyError | None = None) -> str:
    seen, steps, sets = own_steps.view(runtime())
    return render_template(
        "admin/policy.html",
        policy=settings_view.policy(runtime()),
        seen=seen,
        steps=steps,
        sets=sets,
        classes=list(CustomerClass),
        kinds=[one for one in OutageKind if any(one in rule.work for rule in runtime().policy.rules)],
        form=form or MultiDict(),
        error=error,
    )


def _seen() -> int:
    """The set that the form was made from; none that there is, where that is missing."""
    return request.form.get("seen", -1, type=int)
