"""Every text of one outage before it is sent, and a test of one to oneself."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from channels.model import Channel, Language, OutcomeKind
from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services import preview_texts
from outage_notify.store.user_tables import WORKING
from outage_notify.web import i18n
from outage_notify.web.context import by, runtime
from outage_notify.web.errors import flash_refusal

pages = Blueprint("texts", __name__, url_prefix="/desk/outages/<reference>/texts")


@pages.get("")
def listing(reference: str) -> str:
    written = request.args.get("in", "")
    return render_template(
        "desk/texts.html",
        found=preview_texts.texts(runtime(), reference, request.args.get("for", type=int)),
        written=Language(written) if written in set(Language) else i18n.language(),
        languages=list(Language),
        tested=preview_texts.TESTED,
        may_test=any(current_user.may(role) for role in WORKING),
    )


@pages.post("")
def send(reference: str) -> Any:
    form = request.form
    language, channel = form.get("language", ""), form.get("channel", "")
    try:
        if language not in set(Language) or channel not in set(Channel):
            raise InvalidInput("The form is incomplete.", "Choose what to send, and how.")
        result = preview_texts.send_sample(
            runtime(),
            by(),
            reference,
            form.get("kind", ""),
            Language(language),
            Channel(channel),
            form.get("address", ""),
            form.get("for", type=int),
        )
    except OutageNotifyError as error:
        flash_refusal(error)
    else:
        if result.outcome.kind is OutcomeKind.ACCEPTED:
            flash(_("Sent, as a test."))
        else:
            flash(
                _("Not taken: %(names)s", names=result.outcome.code or result.outcome.kind.value), "refusal"
            )
    kept: dict[str, Any] = {"in": language, "for": form.get("for")}
    return redirect(url_for(".listing", reference=reference, **kept), 303)
