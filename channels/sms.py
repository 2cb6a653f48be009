"""Text messages by Twilio.

Promises what `channels.sender.Sender` asks: one request per `send`, no retries, no
exception for what the network or Twilio does. Takes texts as they are rendered.
Leaves to the caller: pacing, quiet hours, consent, and what follows from an outcome.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from twilio.base import values
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from channels.model import Channel, FaultClass, Message, Outcome, Report, ReportStatus, Sighting
from channels.twilio_client import NO_ANSWER, PAGE, check_account, outcome_of, recent
from channels.twilio_errors import classify

SHORTEST_VALIDITY, LONGEST_VALIDITY = 1, 36_000  # seconds, Twilio's limits
MOST_SKEW = timedelta(days=1)  # between our clock and Twilio's

STATUSES: Mapping[str, ReportStatus] = {
    "accepted": ReportStatus.ACCEPTED,
    "scheduled": ReportStatus.ACCEPTED,
    "queued": ReportStatus.ACCEPTED,
    "sending": ReportStatus.ACCEPTED,
    "sent": ReportStatus.ACCEPTED,
    # Some handsets of a chat channel only; the whole message is not there yet.
    "partially_delivered": ReportStatus.ACCEPTED,
    "delivered": ReportStatus.DELIVERED,
    "read": ReportStatus.DELIVERED,
    "undelivered": ReportStatus.FAILED,
    "failed": ReportStatus.FAILED,
    "canceled": ReportStatus.FAILED,
}


class TwilioSms:
    """Sends texts from a number, an alphanumeric sender or a messaging service (`MG...`)."""

    channel = Channel.SMS
    repeatable = False

    def __init__(self, client: Client, sender: str, suffix: str = "") -> None:
        self.name, self.provider = f"twilio-sms{suffix}", f"twilio{suffix}"
        self._client = client
        self._sender = sender
        self._service = sender.startswith("MG")

    def send(self, message: Message) -> Outcome:
        """Hand one text to Twilio; it expires there after `valid_for` seconds."""
        validity = min(max(message.valid_for, SHORTEST_VALIDITY), LONGEST_VALIDITY)
        return outcome_of(
            lambda: (
                self._client.messages.create(
                    to=message.to,
                    from_=values.unset if self._service else self._sender,
                    messaging_service_sid=self._sender if self._service else values.unset,
                    body=message.text,
                    status_callback=message.callback_url or values.unset,
                    validity_period=validity,
                ).sid
            )
        )

    def find(self, message: Message, began: datetime, known_ids: frozenset[str]) -> list[Sighting] | None:
        """Texts to this number since `began`, less a day, that carry the reference.

        The reference tells them from all others, so a wrong clock here or there must not hide one.

        Asked without a date, newest first, and cut off here: a text that Twilio still
        holds in its queue has no sending date, and a filter by it would hide the very
        one that is looked for. Behind a messaging service the number that sent is
        Twilio's choice, so the sender is not asked for either.
        """
        if not message.reference:
            return None  # Nothing would tell it apart from other texts.
        since = began.astimezone(UTC) - MOST_SKEW
        carries = re.compile(rf"(?<![A-Za-z0-9]){re.escape(message.reference)}(?![A-Za-z0-9])")
        own = values.unset if self._service else self._sender
        try:
            return [
                _sighting(record)
                for record in recent(
                    self._client.messages.stream(to=message.to, from_=own, page_size=PAGE), since
                )
                if record.sid not in known_ids and carries.search(record.body or "")
            ]
        except NO_ANSWER:
            return None

    def fetch(self, provider_id: str) -> Report | None:
        """The text's present state at Twilio."""
        try:
            record = self._client.messages(provider_id).fetch()
        except NO_ANSWER:
            return None
        return _report(provider_id, str(record.status or ""), _code(record.error_code), {})

    def parse_receipt(self, form: Mapping[str, str]) -> Report | None:
        """A status callback. Texts that come in (`receiving`, `received`) are not receipts."""
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        status = form.get("MessageStatus") or form.get("SmsStatus") or ""
        if not sid or status not in STATUSES:
            return None
        return _report(sid, status, form.get("ErrorCode", ""), dict(form.items()))

    def check(self) -> str:
        """For `doctor`: whether the account answers and a sender is set."""
        if not self._sender:
            return "No sender is set. Set TWILIO_FROM to a number (+...) or a messaging service (MG...)."
        return check_account(self._client, self._client.account_sid)


def _code(code: object) -> str:
    return "" if code is None else str(code)


def _report(sid: str, status: str, code: str, raw: dict[str, str]) -> Report | None:
    known = STATUSES.get(status)
    if known is None:
        return None
    return Report(sid, known, code, _fault(known, code), raw=raw)


def _fault(status: ReportStatus, code: str) -> FaultClass:
    return classify(code).fault if status is ReportStatus.FAILED else FaultClass.NONE


def _sighting(record: MessageInstance) -> Sighting:
    status = STATUSES.get(str(record.status or ""), ReportStatus.PENDING)
    code = _code(record.error_code)
    return Sighting(
        str(record.sid), status, code, _fault(status, code), record.date_sent or record.date_created
    )
