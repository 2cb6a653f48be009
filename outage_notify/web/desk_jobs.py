"""Long work on an outage as a page: how far the worker is, what came of it, the file that it made.

The same page after a reload, in another tab and for a colleague. Asking for it is the outage's and the papers' pages'.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import NotFound, OutageNotifyError
from outage_notify.services import long_work
from outage_notify.store.job_tables import IMPORTS, Job
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("jobs", __name__, url_prefix="/desk/work")


@pages.get("/<int:job_id>")
def one(job_id: int) -> str:
    return render_template("desk/job.html", **_shown(job_id))


@pages.get("/<int:job_id>/state")
def state(job_id: int) -> Response:
    """The part of the page that changes, for a browser that asks again and again; says when that may end."""
    shown = _shown(job_id)
    answer = Response(render_template("desk/job_state.html", **shown))
    answer.headers["X-Over"] = "1" if shown["over"] else "0"
    return answer


@pages.get("/<int:job_id>/file")
def file(job_id: int) -> Response:
    job = _job(job_id)
    answer = Response(b"".join(long_work.made(runtime(), job_id)), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{job.file_name}.zip"'
    return answer


@pages.post("/<int:job_id>/again")
def again(job_id: int) -> Any:
    try:
        long_work.start_again(runtime(), by(), _job(job_id).id)
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("Waits for the worker again."))
    return redirect(url_for(".one", job_id=job_id), 303)


def _job(job_id: int) -> Job:
    """One piece of work on an outage; imports have pages of their own."""
    job = long_work.one(runtime(), job_id)
    if job.kind in IMPORTS:
        raise NotFound("There is no such work.", "Look at the outage again.")
    return job


def _shown(job_id: int) -> dict[str, Any]:
    job = _job(job_id)
    return {"job": job, "over": job.state in long_work.OVER, "again": job.state in long_work.AGAIN}
