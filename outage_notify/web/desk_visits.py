"""The grid manager's round on the phone: the list in the order to go, and one door with its form.

Promises: works without script, then with the name alone in place of a drawn signature; what was typed comes back
with every refusal. Leaves to `visits` the order and the answer.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.errors import InvalidInput, NotFound, OutageNotifyError
from outage_notify.services import pictures, visits
from outage_notify.services.acknowledge import Answer
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal, status_of

pages = Blueprint("visits", __name__, url_prefix="/desk/visits")
_ANSWERS = (AckState.ACKNOWLEDGED, AckState.REFUSED, AckState.OBJECTED)


@pages.get("")
def listing() -> str:
    managers = visits.managers(runtime())
    wanted = request.args.get("manager", type=int)
    if "manager" not in request.args:
        # A grid manager who is signed in finds the own round first.
        wanted = next((one.id for one in managers if one.name == current_user.name), None)
    return render_template(
        "desk/visits.html", visits=visits.round_of(runtime(), wanted), managers=managers, wanted=wanted
    )


@pages.get("/<int:task_id>")
def one(task_id: int) -> str:
    return _page(task_id, {})


def _page(task_id: int, form: dict[str, str], error: OutageNotifyError | None = None) -> str:
    return render_template(
        "desk/visit.html",
        visit=visits.one(runtime(), task_id),
        form=form,
        error=error,
        answers=_ANSWERS,
        largest=pictures.LARGEST_PHOTO,
    )


@pages.post("/<int:task_id>")
def answer(task_id: int) -> Any:
    form = request.form.to_dict()
    try:
        handed = request.files.get("photo")
        raw = handed.read(pictures.LARGEST_PHOTO + 1) if handed else b""
        photo = pictures.photo(raw, form.get("keep_place") == "1") if raw else b""
        receipt = visits.answer(runtime(), by(), task_id, _answer(form), photo)
    except NotFound as error:
        # Somebody else was there, or the customer has signed by link.
        flash_refusal(error)
        return redirect(url_for(".listing"), 303)
    except OutageNotifyError as error:
        try:
            return _page(task_id, form, error), status_of(error)
        except NotFound:
            flash_refusal(error)
            return redirect(url_for(".listing"), 303)
    flash(_("Recorded as receipt number %(number)s.", number=receipt.sequence))
    return redirect(url_for(".listing"), 303)


def _answer(form: dict[str, str]) -> Answer:
    state = form.get("state", "")
    if state not in _ANSWERS:
        raise InvalidInput("The form is incomplete.", "Choose what was answered.")
    signed = state == AckState.ACKNOWLEDGED
    drawn = pictures.signature(form.get("signature", "")) if signed else b""
    return Answer(
        AckState(state),
        AckWay.VISIT,
        form.get("signer_name", ""),
        form.get("signer_role", ""),
        "" if signed else form.get("reason", ""),
        form.get("witness", "") if state == AckState.REFUSED else "",
        form.get("wished", "") if state == AckState.OBJECTED else "",
        scan=drawn,
        proof={"signature": "drawn on the screen"} if drawn else {},
    )
