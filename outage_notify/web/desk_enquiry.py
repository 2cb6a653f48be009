"""The hotline's page: who calls, what concerns him, what he was told; log, correct, send again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from channels.model import Channel
from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services import answer_enquiry, correct_contact, resend_notice
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal, status_of

pages = Blueprint("enquiry", __name__, url_prefix="/desk/enquiry")
CHANNELS = (Channel.SMS, Channel.VOICE, Channel.EMAIL)


@pages.get("")
def page() -> Any:
    text, customer = request.args.get("q", ""), request.args.get("customer", "")
    shown: dict[str, Any] = {"text": text, "answer": None, "channels": CHANNELS}
    if not (text.strip() or customer):
        return render_template("desk/enquiry.html", **shown)
    try:
        shown["answer"] = answer_enquiry.look_up(runtime(), text, customer)
    except OutageNotifyError as error:
        return render_template("desk/enquiry.html", error=error, **shown), status_of(error)
    return render_template("desk/enquiry.html", **shown)


@pages.post("/log")
def log() -> Any:
    form = request.form
    return _act(
        _("Noted down."),
        lambda customer: answer_enquiry.log_enquiry(
            runtime(), by(), customer, form.get("reference", ""), form.get("note", "")
        ),
    )


@pages.post("/contact")
def contact() -> Any:
    form = request.form
    old = form.get("instead_of", "")
    return _act(
        _("The contact is corrected. Have it corrected in the customer system too."),
        lambda customer: correct_contact.correct(
            runtime(),
            by(),
            customer,
            _channel(form.get("channel", "")),
            form.get("address", ""),
            int(old) if old.isascii() and old.isdigit() and len(old) < 19 else None,
        ),
    )


@pages.post("/resend")
def resend() -> Any:
    form = request.form
    way = form.get("channel", "")
    return _act(
        _("It is sent again."),
        lambda customer: resend_notice.resend(
            runtime(), by(), form.get("reference", ""), customer, _channel(way) if way else None
        ),
    )


def _channel(text: str) -> Channel:
    if text not in {one.value for one in CHANNELS}:
        raise InvalidInput("That is no channel.", "Choose one of the list.")
    return Channel(text)


def _act(done: str, call: Callable[[str], object]) -> Any:
    """Do one thing for the customer of the page, and show the page again with what came of it."""
    customer = request.form.get("customer", "")
    try:
        call(customer)
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        flash(done)
    return redirect(url_for(".page", customer=customer), 303)
