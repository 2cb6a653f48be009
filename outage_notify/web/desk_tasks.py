"""What a person must do: the list of tasks, ticking them off, and answers brought in by hand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import acknowledge, desk_views, finish_task
from outage_notify.store.work_tables import TaskKind
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("tasks", __name__, url_prefix="/desk")


@pages.get("/tasks")
def listing() -> str:
    kind = request.args.get("kind", "")
    wanted = kind if kind in set(TaskKind) else None
    found = desk_views.tasks(runtime(), wanted)
    return render_template("desk/tasks.html", tasks=found, wanted=wanted, kinds=list(TaskKind))


@pages.post("/tasks/<int:task_id>/done")
def done(task_id: int) -> Any:
    finish_task.finish(runtime(), by(), task_id)
    flash(_("Done."))
    return redirect(url_for(".listing", kind=request.form.get("kind") or None), 303)


@pages.post("/acknowledgements/<int:ack_id>/answer")
def paper(ack_id: int) -> Any:
    """An answer on paper or from a visit, entered by whoever holds the slip."""
    handed = request.files.get("scan")
    scan = handed.read(acknowledge.LARGEST_SCAN + 1) if handed else b""
    try:
        answer = forms.answer_by_hand(request.form, scan)
        receipt = acknowledge.answer(runtime(), ack_id, answer, by())
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(_("Recorded as receipt number %(number)s.", number=receipt.sequence))
    reference = request.form.get("reference", "")
    if reference:
        return redirect(url_for("desk.outage", reference=reference), 303)
    return redirect(url_for(".listing"), 303)
