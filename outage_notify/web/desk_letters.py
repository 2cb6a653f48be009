"""Letters: print what waits for one outage, then enter when it was posted and delivered."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import desk_views, print_letters
from outage_notify.web import forms
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("letters", __name__, url_prefix="/desk/letters")


@pages.get("")
def listing() -> str:
    return render_template(
        "desk/letters.html",
        pending=print_letters.pending(runtime()),
        batches=desk_views.letter_batches(runtime()),
    )


@pages.post("/<reference>/print")
def print_batch(reference: str) -> Response:
    batch, pdf = print_letters.print_batch(runtime(), by(), reference)
    return _pdf(pdf, f"{reference}-letters-{batch}.pdf")


@pages.get("/batches/<int:batch>.pdf")
def reprint(batch: int) -> Response:
    return _pdf(print_letters.reprint(runtime(), batch), f"letters-{batch}.pdf")


@pages.post("/batches/<int:batch>/posted")
def posted(batch: int) -> Any:
    return _enter(print_letters.mark_posted, batch, _("Posting entered."))


@pages.post("/batches/<int:batch>/delivered")
def delivered(batch: int) -> Any:
    return _enter(print_letters.mark_delivered, batch, _("Delivery entered."))


def _enter(mark: Any, batch: int, done: str) -> Any:
    try:
        mark(runtime(), by(), batch, forms.day(request.form, "date"))
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(done)
    return redirect(url_for(".listing"), 303)


def _pdf(body: bytes, name: str) -> Response:
    response = make_response(body)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
