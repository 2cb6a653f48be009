"""What the telephony provider posts to us: status reports, calls in progress, incoming texts.

Promises: nothing of Twilio's is believed without a signature of one of our accounts over the
public address and the whole form; what is signed is stored before it is understood, even where its
token is unknown. Other providers report to an address that holds a signed token, which
only they were given. Leaves the meaning to the services.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, make_response, request

from channels import twilio_signature
from channels.signing import BadToken
from outage_notify.domain.errors import InvalidInput
from outage_notify.services import answer_call, links, read_reply, speak_notice
from outage_notify.services.report_intake import Intake, Told
from outage_notify.web.context import runtime
from outage_notify.web.report_lane import UNKNOWN, channel_of
from outage_notify.web.security import WEBHOOK_LIMIT, limiter

hooks = Blueprint("webhooks", __name__, url_prefix="/webhooks/twilio")
reports = Blueprint("reports", __name__, url_prefix="/webhooks")
INTAKE = "outage_notify.report_intake"
NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@hooks.before_request
@limiter.limit(WEBHOOK_LIMIT)
def verify() -> None:
    """Refuse what does not carry the provider's signature. The address is the public one by our settings:
    behind a proxy the request's own may differ."""
    settings = runtime().settings
    query = request.query_string.decode("ascii", "replace")
    url = settings.base_url + request.path + (f"?{query}" if query else "")
    signature = request.headers.get(twilio_signature.HEADER, "")
    accounts = (settings.twilio_auth_token, settings.second_twilio_auth_token)
    if not any(twilio_signature.verify(one, url, request.form, signature) for one in accounts):
        abort(_plain(403, "The signature does not fit this address and form."))


@hooks.post("/status/<token>")
def status(token: str) -> Response:
    """Whatever `report_lane` has not taken: a token that is not ours, or an unusual form."""
    rt, form = runtime(), request.form.to_dict()
    channel = channel_of(form)
    try:
        delivery = links.subject_of(rt, links.CALLBACK, token)
    except BadToken:
        _intake().take(Told(channel, None, form))
        return _plain(404, UNKNOWN.decode().strip())
    _intake().take(Told(channel, delivery, form))
    return make_response("", 204)


@reports.post("/report/<token>")
@limiter.limit(WEBHOOK_LIMIT)
def report(token: str) -> Response:
    """A report of any other provider, as a form or as JSON; its sender reads it (`parse_receipt`)."""
    try:
        delivery = links.subject_of(runtime(), links.CALLBACK, token)
    except BadToken:
        return _plain(404, "No delivery is known by this address.")
    _intake().take(Told(None, delivery, _fields()))
    return make_response("", 204)


def _intake() -> Intake:
    found: Intake = current_app.extensions[INTAKE]
    return found


def _fields() -> dict[str, str]:
    """The form, or a JSON object flattened to texts: {"a": {"b": 1}} is {"a.b": "1"}."""
    if not request.is_json:
        return request.form.to_dict()
    found: dict[str, str] = {}

    def flatten(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                flatten(f"{name}.{key}" if name else str(key), inner)
        elif value is not None:
            found[name] = str(value)

    flatten("", request.get_json())
    return found


@hooks.post("/voice/<token>")
def voice(token: str) -> Response:
    delivery = _called(token)
    return _twiml(speak_notice.call_script(runtime(), delivery, _round(), request.form.get("AnsweredBy", "")))


@hooks.post("/answer/<token>")
def answer(token: str) -> Response:
    delivery = _called(token)
    return _twiml(speak_notice.take_key(runtime(), delivery, request.form.get("Digits", ""), _round()))


@hooks.post("/inbound")
def inbound() -> Response:
    try:
        read_reply.read_reply(runtime(), request.form)
    except InvalidInput as error:
        return _plain(400, str(error))
    return _twiml(NO_ANSWER)


@hooks.post("/inbound-call")
def inbound_call() -> Response:
    try:
        return _twiml(answer_call.answer_call(runtime(), request.form))
    except InvalidInput as error:
        return _plain(400, str(error))


def _called(token: str) -> int:
    try:
        return links.subject_of(runtime(), links.VOICE, token)
    except BadToken:
        abort(_plain(404, "No call is known by this address."))


def _round() -> int:
    return request.args.get("round", 1, type=int)


def _twiml(script: str) -> Response:
    return Response(script, mimetype="text/xml")


def _plain(code: int, text: str) -> Response:
    return Response(text + "\n", code, mimetype="text/plain")
