"""What is set, to be read: senders and their health, the policy with its articles, grid managers and their areas."""

from __future__ import annotations

from flask import Blueprint, render_template

from outage_notify.services import settings_view
from outage_notify.web import admin_steps
from outage_notify.web.context import runtime

pages = Blueprint("settings", __name__, url_prefix="/desk/admin")


@pages.get("/senders")
def senders() -> str:
    return render_template("admin/senders.html", senders=settings_view.senders(runtime()))


@pages.get("/policy")
def policy() -> str:
    return admin_steps.page()


@pages.get("/managers")
def managers() -> str:
    return render_template("admin/managers.html", managers=settings_view.managers(runtime()))
