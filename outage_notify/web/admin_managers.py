"""Grid managers on a page: who they are, who stands in, which areas they were given, which office the public calls."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import grid_managers, manager_areas, publish_office
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal, status_of

pages = Blueprint("managers", __name__, url_prefix="/desk/admin/managers")


@pages.get("")
def listing() -> str:
    return _list()


@pages.post("")
def add() -> Any:
    form = request.form
    try:
        number = grid_managers.add(runtime(), by(), form.get("name", ""), form.get("phone", ""))
    except OutageNotifyError as error:
        return _list(form, error), status_of(error)
    flash(_("Added. Give her an area now, or let the next file of customers name her."))
    return redirect(url_for(".one", number=number), 303)


@pages.get("/<int:number>")
def one(number: int) -> str:
    return _page(number)


@pages.post("/<int:number>")
def change(number: int) -> Any:
    form = request.form
    try:
        grid_managers.change(
            runtime(),
            by(),
            number,
            _seen(form),
            form.get("name", ""),
            form.get("phone", ""),
            form.get("deputy", type=int),
            form.get("away") == "1",
        )
    except OutageNotifyError as error:
        return _page(number, form, error), status_of(error)
    flash(_("Saved. What is sent from now on names her so."))
    return redirect(url_for(".one", number=number), 303)


@pages.post("/<int:number>/office")
def office(number: int) -> Any:
    form = request.form
    try:
        publish_office.set_office(runtime(), by(), number, form.get("office", ""), form.get("phone", ""))
    except OutageNotifyError as error:
        return _page(number, form, error), status_of(error)
    flash(_("Saved. The public's pages follow."))
    return redirect(url_for(".one", number=number), 303)


@pages.post("/<int:number>/end")
def end(number: int) -> Any:
    form = request.form
    try:
        moved = grid_managers.end(
            runtime(), by(), number, _seen(form), form.get("successor", type=int), form.get("reason", "")
        )
    except OutageNotifyError as error:
        return _page(number, form, error), status_of(error)
    flash(
        ngettext("Ended. %(num)s service point passed on.", "Ended. %(num)s service points passed on.", moved)
    )
    return redirect(url_for(".listing"), 303)


@pages.post("/<int:number>/areas")
def give_area(number: int) -> Any:
    form = request.form
    try:
        moved = manager_areas.add(
            runtime(), by(), number, form.get("element", "")[:200], form.get("reason", "")
        )
    except OutageNotifyError as error:
        return _page(number, form, error), status_of(error)
    flash(
        ngettext(
            "Given. %(num)s service point changed hands.",
            "Given. %(num)s service points changed hands.",
            moved,
        )
    )
    return redirect(url_for(".one", number=number), 303)


@pages.post("/areas/<int:number>/end")
def end_area(number: int) -> Any:
    manager = request.form.get("manager", 0, type=int)
    try:
        moved = manager_areas.end(runtime(), by(), number, request.form.get("reason", ""))
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(
            ngettext(
                "Taken back. %(num)s service point changed hands.",
                "Taken back. %(num)s service points changed hands.",
                moved,
            )
        )
    return redirect(url_for(".one", number=manager) if manager else url_for(".listing"), 303)


def _list(form: MultiDict[str, str] | None = None, error: OutageNotifyError | None = None) -> str:
    every = grid_managers.listing(runtime())
    return render_template(
        "admin/managers.html",
        managers=[each for each in every if not each.ended],
        left=[each for each in every if each.ended],
        names={each.id: each.name for each in every},
        form=form or MultiDict(),
        error=error,
    )


def _page(
    number: int, form: MultiDict[str, str] | None = None, error: OutageNotifyError | None = None
) -> str:
    rt = runtime()
    every = grid_managers.listing(rt)
    return render_template(
        "admin/manager.html",
        one=grid_managers.show(rt, number),
        others=[each for each in every if not each.ended and each.id != number],
        areas=manager_areas.listing(rt, number),
        feeders=manager_areas.feeders(rt),
        form=form or MultiDict(),
        error=error,
    )


def _seen(form: MultiDict[str, str]) -> int:
    """The version that the form was made from; none that there is, where that is missing."""
    return form.get("seen", -1, type=int)
