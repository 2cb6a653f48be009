"""The audit log: who did what and when, by filter; whether its chain holds; out as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import StringIO
from typing import Any

from flask import Blueprint, Response, render_template, request

from outage_notify.services import audit_trail
from outage_notify.store.trail_queries import Wanted
from outage_notify.web import forms
from outage_notify.web.context import runtime

pages = Blueprint("trail", __name__, url_prefix="/desk/admin/audit")


@pages.get("")
def listing() -> str:
    rt = runtime()
    entries, more = audit_trail.page(rt, _wanted())
    kept = {name: value for name, value in request.args.items() if name in _FILTERS and value}
    return render_template(
        "admin/audit.html",
        entries=entries,
        older=kept | {"before": str(entries[-1].event.id)} if more else None,
        words=audit_trail.words(rt),
        args=request.args,
        kept=kept,
        report=audit_trail.verify(rt) if request.args.get("check") == "1" else None,
    )


@pages.get("/events.csv")
def export() -> Response:
    rows = audit_trail.rows(runtime(), replace(_wanted(), before=None))
    return Response(
        _csv(rows),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=audit.csv"},
    )


_FILTERS = ("actor", "what", "outage", "from", "to")


def _wanted() -> Wanted:
    """What is no date or number is ignored, since it comes from an address."""
    args, zone = request.args, runtime().zone
    first, last = _day("from"), _day("to")
    before = args.get("before", type=int)
    return Wanted(
        actor=args.get("actor", "").strip()[:100],
        what=args.get("what", "")[:60],
        outage=args.get("outage", "").strip()[:40],
        since=forms.span_of(first, first, zone)[0] if first else None,
        until=forms.span_of(last, last, zone)[1] if last else None,
        before=before if before is not None and 0 < before < 2**62 else None,
    )


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _csv(rows: Iterator[list[str]]) -> Iterator[str]:
    yield "\ufeff"
    for row in rows:
        out: Any = StringIO()
        # A cell that a spreadsheet would take for a formula is kept a text.
        csv.writer(out).writerow([f"'{cell}" if cell[:1] in tuple("=+-@") else cell for cell in row])
        yield out.getvalue()
