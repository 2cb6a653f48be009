"""The calendar of holidays by which business days are reckoned: seen by year, with days of the utility's own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import calendar_days
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import status_of

pages = Blueprint("days", __name__, url_prefix="/desk/admin/calendar")
# Years before and after the present one that can be looked at.
_BEFORE, _AFTER = 1, 3


@pages.get("")
def listing() -> str:
    return _page({})


@pages.post("")
def add() -> Any:
    form = request.form.to_dict()
    try:
        day = forms.day(form, "day")
        workday = form.get("workday") == "1"
        calendar_days.add(runtime(), by(), day, workday, form.get("name_zh", ""), form.get("name_en", ""))
    except OutageNotifyError as error:
        return _page(form, error), status_of(error)
    flash(_("Entered. Deadlines that are worked out from now on reckon with it."))
    return redirect(url_for(".listing", year=day.year), 303)


@pages.post("/<int:number>/remove")
def remove(number: int) -> Any:
    calendar_days.remove(runtime(), by(), number)
    flash(_("Taken out."))
    return redirect(url_for(".listing", year=request.args.get("year", type=int)), 303)


def _page(form: dict[str, str], error: OutageNotifyError | None = None) -> str:
    rt = runtime()
    with rt.database.read() as session:
        present = rt.now(session).astimezone(rt.zone).year
    year = request.args.get("year", present, type=int)
    year = min(max(year, present - _BEFORE), present + _AFTER)
    return render_template(
        "admin/calendar.html",
        days=calendar_days.of_year(rt, year),
        year=year,
        years=range(present - _BEFORE, present + _AFTER + 1),
        policy=rt.policy,
        form=form,
        error=error,
    )
