"""Protected dates (保电): the list, adding one, taking one out of force."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import protected_dates
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("protected", __name__, url_prefix="/desk/protected")


@pages.get("")
def listing() -> str:
    return render_template("desk/protected.html", dates=protected_dates.listing(runtime()), form={})


@pages.post("")
def add() -> Any:
    form = request.form.to_dict()
    try:
        first = forms.day(form, "first")
        last = forms.day(form, "last") if form.get("last") else first
        protected_dates.add(runtime(), by(), first, last, form.get("name", ""))
    except OutageNotifyError as error:
        dates = protected_dates.listing(runtime())
        return render_template("desk/protected.html", dates=dates, form=form, error=error), status_of(error)
    flash(_("Protected. Plans that touch it have to be answered for."))
    return redirect(url_for(".listing"), 303)


@pages.post("/<int:number_id>/remove")
def remove(number_id: int) -> Any:
    protected_dates.remove(runtime(), by(), number_id)
    flash(_("Released."))
    return redirect(url_for(".listing"), 303)
