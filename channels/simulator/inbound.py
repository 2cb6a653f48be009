"""People who write or call of their own accord: posted to the product's webhooks like Twilio does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from channels.simulator.callbacks import Webhooks
from channels.simulator.calls import Calls
from channels.simulator.ledger import Ledger
from channels.simulator.messages import E164, Messages, segments
from channels.simulator.resources import API_VERSION
from channels.simulator.script import Behaviour
from channels.simulator.twiml import replies


class Inbound:
    """Texts and calls towards the product."""

    def __init__(
        self,
        account_sid: str,
        messages: Messages,
        calls: Calls,
        ledger: Ledger,
        webhooks: Webhooks,
        now: Callable[[], datetime],
        text_url: str,
        call_url: str,
    ) -> None:
        self._account_sid = account_sid
        self._messages = messages
        self._calls = calls
        self._ledger = ledger
        self._webhooks = webhooks
        self._now = now
        self._text_url = text_url
        self._call_url = call_url

    def reply(self, given: dict[str, Any]) -> dict[str, Any]:
        """`{"from", "body", "to"?, "url"?}`: a person writes. Texts in the answer reach that person."""
        sender, to = self._parties(given)
        url = str(given.get("url") or self._text_url)
        if not url:
            raise ValueError('No webhook is set for texts that come in; give "url".')
        record = self._messages.received(sender, to, str(given["body"]))
        form = {
            "MessageSid": record.sid,
            "SmsSid": record.sid,
            "SmsMessageSid": record.sid,
            "SmsStatus": "received",
            "AccountSid": self._account_sid,
            "ApiVersion": API_VERSION,
            "From": sender,
            "To": to,
            "Body": str(given["body"]),
            "NumMedia": "0",
            "NumSegments": str(segments(str(given["body"]))),
        }
        answer = self._webhooks.call(url, form)
        sent = list(replies(answer[1])) if answer and answer[0] < 400 else []
        for text in sent:
            back = self._messages.received(to, sender, text, "outbound-reply")
            self._ledger.reached("sms", sender, back.sid, self._now(), text=text)
        return {"sid": record.sid, "status": answer[0] if answer else None, "replies": sent}

    def call(self, given: dict[str, Any]) -> dict[str, Any]:
        """`{"from", "to"?, "keys"?, "url"?}`: a person calls and listens; what was heard."""
        sender, to = self._parties(given)
        url = str(given.get("url") or self._call_url)
        if not url:
            raise ValueError('No webhook is set for calls that come in; give "url".')
        record = self._calls.place({"To": to, "From": sender, "Url": url}, Behaviour(), "inbound")
        transcript = self._calls.converse(record, url, "POST", tuple(given.get("keys", ())))
        self._calls.note(record, transcript)
        self._calls.records.change(record, status="completed", settled=True)
        return {
            "sid": record.sid,
            "heard": transcript.heard,
            "digits": transcript.digits,
            "problem": transcript.problem,
        }

    def _parties(self, given: dict[str, Any]) -> tuple[str, str]:
        sender = str(given.get("from", ""))
        if not E164.fullmatch(sender):
            raise ValueError('"from" is a number such as +447700900123.')
        to = given.get("to") or self._our_number(sender)
        if not to:
            raise ValueError('Nobody wrote to or called this number yet; give "to".')
        return sender, str(to)

    def _our_number(self, person: str) -> str:
        """The number that last wrote to or called this person."""
        for records in (self._messages.records, self._calls.records):
            for one in records.listed(person):
                if one["direction"].startswith("outbound") and one["from"]:
                    return str(one["from"])
        return ""
