"""Imports on the page: upload a file, watch how far the worker is, read what was wrong, start it again."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

import geo.readers
from outage_notify.domain.errors import InvalidInput, NotFound, OutageNotifyError
from outage_notify.services import long_work
from outage_notify.services.long_work import Wish
from outage_notify.store.job_tables import IMPORTS, Job, JobKind
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal, status_of

pages = Blueprint("imports", __name__, url_prefix="/desk/admin/imports")
LARGEST_MAPPING = 64 * 1024
FAULTS_SHOWN = 200


@pages.get("")
def listing() -> str:
    return _listing({})


def _listing(form: dict[str, str], error: OutageNotifyError | None = None) -> str:
    return render_template(
        "admin/imports.html",
        jobs=long_work.listing(runtime()),
        kinds=[one for one in JobKind if one in IMPORTS],
        formats=geo.readers.FORMATS,
        form=form,
        error=error,
        over=long_work.OVER,
    )


@pages.post("")
def upload() -> Any:
    form = request.form
    handed = request.files.get("file")
    try:
        job = long_work.ask(
            runtime(),
            by(),
            _wish(),
            (handed.filename or "") if handed else "",
            handed.stream if handed else BytesIO(),
        )
    except OutageNotifyError as error:
        return _listing(form.to_dict(), error), status_of(error)
    return redirect(url_for(".one", job_id=job), 303)


def _wish() -> Wish:
    kind = request.form.get("kind", "")
    if kind not in IMPORTS:
        raise InvalidInput("The form is incomplete.", "Choose what the file holds.")
    mapping = request.files.get("mapping")
    text = mapping.read(LARGEST_MAPPING + 1) if mapping else b""
    if len(text) > LARGEST_MAPPING:
        raise InvalidInput("The mapping is larger than 64 kB.", "Choose the YAML file of the mapping.")
    try:
        written = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("The mapping is not UTF-8.", "Save it as UTF-8.") from None
    return Wish(
        JobKind(kind), request.form.get("format", "auto"), request.form.get("dry_run") == "1", written
    )


@pages.get("/<int:job_id>")
def one(job_id: int) -> str:
    job = _import(job_id)
    return render_template("admin/import.html", **_shown(job))


@pages.get("/<int:job_id>/state")
def state(job_id: int) -> Response:
    """The part of the page that changes, for a browser that asks again and again; says when that may end."""
    job = _import(job_id)
    answer = Response(render_template("admin/import_state.html", **_shown(job)))
    answer.headers["X-Over"] = "1" if job.state in long_work.OVER else "0"
    return answer


def _import(job_id: int) -> Job:
    """One import; other work has its page at the outage."""
    job = long_work.one(runtime(), job_id)
    if job.kind not in IMPORTS:
        raise NotFound("There is no such import.", "Look at the list again.")
    return job


def _shown(job: Any) -> dict[str, Any]:
    return {
        "job": job,
        "over": job.state in long_work.OVER,
        "again": job.state in long_work.AGAIN,
        "faults": job.result.get("faults", [])[:FAULTS_SHOWN],
        "all_faults": len(job.result.get("faults", [])) + job.result.get("more", 0),
        "warnings": job.result.get("warnings", []),
    }


@pages.post("/<int:job_id>/again")
def again(job_id: int) -> Any:
    try:
        long_work.start_again(runtime(), by(), _import(job_id).id)
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("Waits for the worker again."))
    return redirect(url_for(".one", job_id=job_id), 303)


@pages.get("/<int:job_id>/faults.csv")
def faults(job_id: int) -> Response:
    """Every fault that was kept, for whoever mends the file."""
    job = _import(job_id)
    out = StringIO()
    rows = csv.writer(out)
    rows.writerow(["file", "row", "field", "message", "remedy"])
    for one in [*job.result.get("faults", []), *job.result.get("warnings", [])]:
        cells = (one["file"], one["line"] or "", one["field"], one["message"], one["remedy"])
        # A cell that a spreadsheet would take for a formula is kept a text.
        rows.writerow([f"'{cell}" if str(cell)[:1] in "=+-@" and cell else cell for cell in cells])
    return Response(
        "\ufeff" + out.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=faults-{job_id}.csv"},
    )
