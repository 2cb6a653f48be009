"""Webhooks: add one, see what was not taken, push it again, stop, start, change the secret, remove."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import webhooks
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("push", __name__, url_prefix="/desk/admin/webhooks")


@pages.get("")
def listing() -> str:
    return _listing({})


def _listing(form: dict[str, Any], **more: Any) -> str:
    return render_template("admin/webhooks.html", hooks=webhooks.listing(runtime()), form=form, **more)


@pages.post("")
def add() -> Any:
    form = request.form.to_dict()
    try:
        made = webhooks.add(runtime(), by(), form.get("name", ""), form.get("url", ""))
    except OutageNotifyError as error:
        return _listing(form, error=error), status_of(error)
    return _listing({}, made=made)


@pages.get("/<int:number>")
def one(number: int) -> str:
    found = webhooks.given_up(runtime(), number)
    hook = next(one for one in webhooks.listing(runtime()) if one.id == number)
    return render_template("admin/webhook.html", hook=hook, dead=found)


@pages.post("/<int:number>/<any(stop, start, remove, replay, secret):step>")
def step(number: int, step: str) -> Any:
    rt = runtime()
    if step == "replay":
        after = request.form.get("after", type=int)
        number_of = webhooks.replay(rt, by(), number, after)
        flash(_("%(num)s pushes are made again.", num=number_of))
    elif step == "secret":
        return _listing({}, made=webhooks.new_secret(rt, by(), number))
    elif step == "remove":
        webhooks.remove(rt, by(), number)
        flash(_("Removed."))
        return redirect(url_for(".listing"), 303)
    elif step == "stop":
        webhooks.stop(rt, by(), number)
        flash(_("Stopped. What becomes public waits."))
    else:
        webhooks.start(rt, by(), number)
        flash(_("Started."))
    return redirect(url_for(".one", number=number), 303)
