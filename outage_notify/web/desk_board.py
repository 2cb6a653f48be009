"""The board: outages as a list, a calendar or a map; filters stand in the address, views are kept by name."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.services import board_views, desk_views, saved_views
from outage_notify.store.desk_queries import BoardFilter
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal
from outage_notify.web.labels import WORDS

pages = Blueprint("board", __name__, url_prefix="/desk")
VIEWS = ("list", "calendar", "map")
# What a filter may hold, in an address and in a view that is kept.
KEPT = ("q", "state", "kind", "week", "day", "month", "mine", "needs", "view")


@pages.get("/")
def page() -> str:
    now = _now()
    shown = {"calendar": "calendar", "map": "map"}.get(request.args.get("view", ""), "list")
    wanted = forms.board_filter(request.args, runtime().zone, by(), now)
    kept = _kept(request.args.items())
    common: dict[str, Any] = {
        "wanted": wanted,
        "kept": kept,
        "shown": shown,
        "states": list(OutageState),
        "kinds": list(OutageKind),
        "views": saved_views.listing(runtime(), by()),
        "address": address,
    }
    board = desk_views.board(runtime(), wanted, max(1, request.args.get("page", 1, type=int)))
    if shown == "calendar":
        return render_template("desk/board_calendar.html", board=board, **common, **_calendar(wanted, now))
    monday = forms.monday_of(request.args.get("week", ""))
    weeks = [forms.week_of((monday or _monday(now)) + timedelta(days=7 * n)) for n in (-1, 0, 1)]
    template = "desk/board_map.html" if shown == "map" else "desk/board.html"
    phases = {str(key).lower(): str(words) for key, words in WORDS["outage_state"].items()}
    words = phases | {key: str(text) for key, text in WORDS["phase"].items()}
    return render_template(template, board=board, weeks=weeks, monday=monday, words=words, **common)


@pages.get("/board.geojson")
def geojson() -> Response:
    wanted = forms.board_filter(request.args, runtime().zone, by(), _now())
    body = json.dumps(board_views.board_geojson(runtime(), wanted))
    return Response(body, mimetype="application/geo+json")


@pages.post("/views")
def save_view() -> Any:
    """Keep the filter of the page that the form stands on under a name."""
    kept = _kept(parse_qsl(request.form.get("query", "")))
    try:
        saved_views.save(runtime(), by(), request.form.get("name", ""), urlencode(kept))
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("View saved."))
    return redirect(address(kept), 303)


@pages.post("/views/<int:number>/remove")
def drop_view(number: int) -> Any:
    saved_views.remove(runtime(), by(), number)
    flash(_("View removed."))
    return redirect(url_for(".page"), 303)


def address(kept: dict[str, Any], **changed: object) -> str:
    """The board with this filter, some of it changed; None takes a part away."""
    given = {**kept, **changed}
    query = urlencode({name: value for name, value in given.items() if value not in (None, "")})
    return url_for("board.page") + (f"?{query}" if query else "")


def _kept(pairs: Any) -> dict[str, str]:
    return {name: value[:200] for name, value in pairs if name in KEPT and value}


def _calendar(wanted: BoardFilter, now: datetime) -> dict[str, Any]:
    """A month, or a week where one is asked for."""
    zone = runtime().zone
    monday = forms.monday_of(request.args.get("week", ""))
    if monday is not None:
        first, last = monday, monday + timedelta(days=6)
        around = [{"week": forms.week_of(monday + timedelta(days=7 * n)), "month": None} for n in (-1, 1)]
        other = {"week": None, "month": f"{monday:%Y-%m}"}
    else:
        first = forms.month_of(request.args.get("month", "")) or now.astimezone(zone).date().replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        last = following - timedelta(days=1)
        around = [{"month": f"{one:%Y-%m}", "week": None} for one in ((first - timedelta(days=1)), following)]
        today = now.astimezone(zone).date()
        inside = today if first <= today <= last else first
        other = {"week": forms.week_of(inside), "month": None}
    low = first - timedelta(days=first.weekday())
    high = last + timedelta(days=6 - last.weekday())
    covering = BoardFilter(
        wanted.states, wanted.text, forms.span_of(low, high, zone), wanted.kind, wanted.by, wanted.needs
    )
    return {
        "calendar": board_views.calendar(runtime(), covering, first, last),
        "first": first,
        "last": last,
        "around": around,
        "other": other,
        "weekly": monday is not None,
    }


def _monday(now: datetime) -> date:
    today = now.astimezone(runtime().zone).date()
    return today - timedelta(days=today.weekday())


def _now() -> datetime:
    with runtime().database.read() as session:
        return runtime().now(session)
