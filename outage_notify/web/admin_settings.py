"""What is set: senders and their health (to be held and let go), and the policy."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import hold_sender, settings_view
from outage_notify.web import admin_steps
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("settings", __name__, url_prefix="/desk/admin")


@pages.get("/senders")
def senders() -> str:
    return _senders()


@pages.post("/senders/<name>/hold")
def hold(name: str) -> Any:
    hours = request.form.get("hours", 0, type=int)
    try:
        hold_sender.hold(runtime(), by(), name, hours, request.form.get("reason", ""))
    except OutageNotifyError as error:
        return _senders(error), status_of(error)
    flash(_("Held. What is due waits."))
    return redirect(url_for(".senders"), 303)


@pages.post("/senders/<name>/resume")
def resume(name: str) -> Any:
    try:
        hold_sender.resume(runtime(), by(), name, request.form.get("reason", ""))
    except OutageNotifyError as error:
        return _senders(error), status_of(error)
    flash(_("It goes on."))
    return redirect(url_for(".senders"), 303)


def _senders(error: OutageNotifyError | None = None) -> str:
    return render_template("admin/senders.html", senders=settings_view.senders(runtime()), error=error)


@pages.get("/policy")
def policy() -> str:
    return admin_steps.page()
