"""People and their roles: add one, change roles, put out of use, give a new password, sign out everywhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import NotFound, OutageNotifyError
from outage_notify.services import manage_users, signed_in, users
from outage_notify.store.user_tables import Role
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal, status_of

pages = Blueprint("users", __name__, url_prefix="/desk/admin/users")


@pages.get("")
def listing() -> str:
    return _listing({})


def _listing(form: dict[str, Any], error: OutageNotifyError | None = None) -> str:
    found = users.list_users(runtime())
    return render_template("admin/users.html", users=found, roles=list(Role), form=form, error=error)


@pages.post("")
def add() -> Any:
    form = request.form
    username, roles = form.get("username", "").strip(), form.getlist("role")
    try:
        password = manage_users.invite(runtime(), by(), username, form.get("name", "").strip(), roles)
    except OutageNotifyError as error:
        return _listing({**form.to_dict(), "roles": roles}, error), status_of(error)
    return render_template("admin/password.html", username=username, password=password)


@pages.get("/<int:user_id>")
def one(user_id: int) -> str:
    return _one(user_id)


def _one(user_id: int, error: OutageNotifyError | None = None) -> str:
    rt = runtime()
    user = next((one for one in users.list_users(rt) if one.id == user_id), None)
    if user is None:
        raise NotFound("There is no such user.", "Look at the list of users again.")
    return render_template(
        "admin/user.html",
        user=user,
        roles=list(Role),
        sessions=signed_in.listing(rt, user_id),
        error=error,
    )


@pages.post("/<int:user_id>")
def change(user_id: int) -> Any:
    try:
        form = request.form
        manage_users.set_roles(runtime(), by(), user_id, form.get("name", ""), form.getlist("role"))
    except NotFound:
        raise
    except OutageNotifyError as error:
        return _one(user_id, error), status_of(error)
    flash(_("Saved."))
    return redirect(url_for(".listing"), 303)


@pages.post("/<int:user_id>/activity")
def activity(user_id: int) -> Any:
    active = request.form.get("active") == "1"
    try:
        manage_users.set_active(runtime(), by(), user_id, active)
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("In use again.") if active else _("Out of use, and signed out everywhere."))
    return redirect(url_for(".one", user_id=user_id), 303)


@pages.post("/<int:user_id>/reset")
def reset(user_id: int) -> Any:
    password = manage_users.reset(runtime(), by(), user_id)
    user = next(one for one in users.list_users(runtime()) if one.id == user_id)
    return render_template("admin/password.html", username=user.username, password=password)


@pages.post("/<int:user_id>/sessions/end")
def end_sessions(user_id: int) -> Any:
    signed_in.end_others(runtime(), by(), user_id)
    flash(_("Signed out everywhere."))
    return redirect(url_for(".one", user_id=user_id), 303)
