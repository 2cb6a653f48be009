"""Keys of customers' own: the interface for their machines, and passkeys on the customer's page.

Promises: a machine proves itself by what it signs, and whatever is wrong with that is answered alike; a device is
asked by the page's own script and its answer is checked here; guessing is slow. A registered device
signs nothing until the desk has confirmed it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, jsonify, render_template, request, session, url_for
from flask_babel import gettext as _

from channels.keys import KeyFault
from channels.own_keys import LONGEST, BadAnswer
from channels.signing import BadToken
from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services import own_keys, sign_by_passkey
from outage_notify.web.context import runtime
from outage_notify.web.customer import guessing
from outage_notify.web.errors import heading, status_of
from outage_notify.web.security import SIGN_LIMIT, limiter

machines = Blueprint("own_keys", __name__, url_prefix="/keys/v1")
pages = Blueprint("passkeys", __name__)
_ASKED = "passkey"


@machines.errorhandler(BadAnswer)
@machines.errorhandler(KeyFault)
def not_taken(error: Exception) -> Response:
    words = "This was not signed by a key that is registered and confirmed, for what this key may answer."
    return _problem(401, "Unauthorized", words)


@machines.errorhandler(OutageNotifyError)
def refused(error: OutageNotifyError) -> Response:
    return _problem(status_of(error), type(error).__name__, f"{error.message} {error.remedy}".strip())


@machines.post("/notices")
@guessing
@limiter.limit(SIGN_LIMIT)
def notices() -> Response:
    """What the key's owner is asked to answer."""
    return jsonify({"notices": own_keys.notices(runtime(), _signed())})


@machines.post("/answers")
@guessing
@limiter.limit(SIGN_LIMIT)
def answers() -> Any:
    """One answer, signed."""
    receipt = own_keys.answer(runtime(), _signed())
    body = {"sequence": receipt.sequence, "sha256": receipt.sha256, "receipt": receipt.jws}
    return jsonify(body), 201


@pages.errorhandler(BadToken)
def no_such_link(error: BadToken) -> tuple[str, int]:
    return render_template("customer/not_taken.html"), 404


@pages.get("/s/<token>/keys")
@guessing
def page(token: str) -> str:
    customer, keys = sign_by_passkey.keys_of_link(runtime(), token)
    return render_template("customer/keys.html", customer=customer, keys=keys, token=token)


@pages.post("/s/<token>/keys/ask")
@guessing
@limiter.limit(SIGN_LIMIT)
def ask_to_register(token: str) -> Any:
    options = sign_by_passkey.ask_to_register(runtime(), token)
    session[_ASKED] = options["challenge"]
    return jsonify({"options": options})


@pages.post("/s/<token>/keys")
@guessing
@limiter.limit(SIGN_LIMIT)
def register(token: str) -> Any:
    given = _json()
    challenge = session.pop(_ASKED, "")

    def step() -> str:
        label = str(given.get("label", ""))
        sign_by_passkey.register(runtime(), token, challenge, given.get("credential"), label)
        flash(_("This device is registered. It counts as soon as we have confirmed it with you."))
        return url_for(".page", token=token)

    return _done(step)


@pages.post("/s/<token>/passkey/ask")
@guessing
@limiter.limit(SIGN_LIMIT)
def ask_to_sign(token: str) -> Any:
    given = {name: str(text)[:4000] for name, text in _json().items()}
    try:
        return jsonify(sign_by_passkey.ask_to_sign(runtime(), token, given))
    except BadAnswer:
        return jsonify({"error": _("No registered device can sign here.")}), 409


@pages.post("/s/<token>/passkey")
@guessing
@limiter.limit(SIGN_LIMIT)
def sign(token: str) -> Any:
    given = _json()

    def step() -> str:
        statement = str(given.get("statement", ""))[:LONGEST]
        sign_by_passkey.answer(runtime(), token, statement, given.get("credential"))
        return url_for("customer.sign_page", token=token)

    return _done(step)


def _done(step: Callable[[], str]) -> Any:
    """{"next": where to go} or {"error": what to read}."""
    try:
        return jsonify({"next": step()})
    except BadAnswer:
        return jsonify({"error": _("The device's answer does not fit. Please try again.")}), 409
    except OutageNotifyError as error:
        return jsonify({"error": f"{heading(error)}. {error.message}"}), status_of(error)


def _json() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise InvalidInput("The request is no JSON object.", "Load the page again.")
    return given


def _signed() -> str:
    body = request.get_data(cache=False)[: LONGEST + 1]
    return body.decode("ascii", "replace").strip()


def _problem(status: int, title: str, detail: str) -> Response:
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "detail": detail})
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer
