"""One outage at the desk: what stands, what waits, and the steps that may be taken. The board is in `desk_board`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import NotFound, OutageNotifyError
from outage_notify.domain.outage import RevisionState
from outage_notify.services import (
    approve_outage,
    ask_approval,
    desk_map,
    desk_views,
    long_work,
    outage_watch,
    plan_outage,
    run_outage,
    start_gate,
)
from outage_notify.store.job_tables import JobKind
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("desk", __name__, url_prefix="/desk")
CHECKED = frozenset({RevisionState.DRAFT, RevisionState.SUBMITTED})


@pages.get("/outages/<reference>")
def outage(reference: str) -> str:
    view = desk_views.outage(runtime(), reference)
    checks = approve_outage.preflight(runtime(), reference) if view.shown.state in CHECKED else None
    approval = long_work.about(runtime(), reference, JobKind.APPROVAL) if checks else None
    return render_template(
        "desk/outage.html",
        view=view,
        checks=checks,
        told_share=outage_watch.told_share,
        approval=approval if approval and approval.state not in long_work.OVER else None,
    )


@pages.get("/outages/<reference>/area.geojson")
def outage_geojson(reference: str) -> Response:
    body = json.dumps(desk_map.outage_geojson(runtime(), reference))
    return Response(body, mimetype="application/geo+json")


@pages.post("/outages/<reference>/submit")
def submit(reference: str) -> Any:
    reason = request.form.get("exception_reason", "")
    return _act(
        reference,
        _("Submitted. Another person approves it."),
        lambda version: plan_outage.submit(runtime(), by(), reference, reason, version=version),
    )


@pages.post("/outages/<reference>/approve")
def approve(reference: str) -> Any:
    """Nobody waits for a page while a hundred thousand messages are written down: a big one is the worker's."""
    accept = request.form.get("accept_exception") == "1"
    reason = request.form.get("override_reason", "")
    jobs: list[int] = []

    def call(version: int) -> None:
        job = ask_approval.ask_approval(runtime(), by(), reference, accept, version, reason)
        jobs.extend([job] if job is not None else [])

    answer = _act(reference, _("Approved. The notices are on their way."), call, said=lambda: not jobs)
    return redirect(url_for("jobs.one", job_id=jobs[0]), 303) if jobs else answer


@pages.post("/outages/<reference>/send-back")
def send_back(reference: str) -> Any:
    reason = request.form.get("reason", "")
    return _act(
        reference,
        _("Sent back to the planner."),
        lambda version: plan_outage.send_back(runtime(), by(), reference, reason, version=version),
    )


@pages.post("/outages/<reference>/drop-revision")
def drop_revision(reference: str) -> Any:
    return _act(
        reference,
        _("The revision was dropped; the approved one goes on."),
        lambda version: plan_outage.drop_revision(runtime(), by(), reference, version=version),
    )


@pages.post("/outages/<reference>/cancel")
def cancel(reference: str) -> Any:
    reason = request.form.get("reason", "")
    return _act(
        reference,
        _("Cancelled. Everybody who was told is told so."),
        lambda version: run_outage.cancel(runtime(), by(), reference, reason, version=version),
    )


@pages.post("/outages/<reference>/go")
def go(reference: str) -> Any:
    reason = request.form.get("reason", "")
    return _act(
        reference,
        _("Decided. Another person may start it now."),
        lambda version: start_gate.decide(runtime(), by(), reference, reason, version=version),
    )


@pages.post("/outages/<reference>/start")
def start(reference: str) -> Any:
    return _act(
        reference,
        _("Started."),
        lambda version: run_outage.start(runtime(), by(), reference, version=version),
    )


@pages.post("/outages/<reference>/overrun")
def overrun(reference: str) -> Any:
    def call(version: int) -> int:
        end = forms.instant(request.form, "expected_end", runtime().zone)
        return run_outage.overrun(runtime(), by(), reference, end, version=version)

    return _act(reference, _("The new expected end is being told."), call)


@pages.post("/outages/<reference>/complete")
def complete(reference: str) -> Any:
    return _act(
        reference,
        _("Completed. Restoration is being told."),
        lambda version: run_outage.complete(runtime(), by(), reference, version=version),
    )


def _act(
    reference: str, done: str, call: Callable[[int], object], said: Callable[[], bool] = lambda: True
) -> Any:
    """Take one step on the version that the page showed, and show the page again with what came of it.

    `said`: whether `done` is to be said.
    """
    try:
        call(forms.version(request.form))
    except NotFound:
        raise
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        if said():
            flash(done)
    return redirect(url_for(".outage", reference=reference), 303)
