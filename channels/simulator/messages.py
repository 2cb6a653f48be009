"""The Messages resource: takes texts, carries them to handsets, reports what became of them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from channels.simulator.answers import Answer, Form, fault, scripted
from channels.simulator.callbacks import Receipts
from channels.simulator.collection import Collection
from channels.simulator.resources import API_VERSION, Record, new_sid, rfc2822
from channels.simulator.script import SMS_OUTCOMES, Behaviour

E164 = re.compile(r"\+[1-9]\d{6,14}")
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_TWICE = frozenset("^{}\\[~]|€\f")
LONGEST = 1600
EXPIRED = 30036
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})


def segments(text: str) -> int:
    """How many segments a text takes: 160 or 153 septets, 70 or 67 UTF-16 units."""
    if all(letter in GSM_7 or letter in GSM_7_TWICE for letter in text):
        length = sum(2 if letter in GSM_7_TWICE else 1 for letter in text)
        single, part = 160, 153
    else:
        length = len(text.encode("utf-16-le")) // 2
        single, part = 70, 67
    return 1 if length <= single else -(-length // part)


class Messages(Collection):
    """Create, list, fetch; then sent, delivered or not, with callbacks."""

    key = "messages"
    date = ("date_sent", "DateSent")
    filters: ClassVar = {"From": "from"}

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._stopped: set[str] = set()
        for shown in reversed(list(self.records.listed())):
            if shown["direction"] == "inbound":
                self._heed(shown["from"], shown["body"])

    def create(self, form: Form) -> Answer:
        """POST Messages.json. Called twice, it sends twice: there is no idempotency key, as at Twilio."""
        to, body = form.get("To", ""), form.get("Body", "")
        if not to:
            return fault(400, 21604, "A 'To' phone number is required.")
        if not E164.fullmatch(to):
            return fault(400, 21211, "Invalid 'To' Phone Number")
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return fault(400, 21603, "A 'From' phone number is required.")
        if to in self._stopped:
            return fault(400, 21610, "Attempt to send to unsubscribed recipient")
        if not body:
            return fault(400, 21602, "Message body is required.")
        if len(body) > LONGEST:
            return fault(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        validity = form.get("ValidityPeriod", "36000")
        if not validity.isdigit() or not 1 <= int(validity) <= 36_000:
            return fault(400, 21624, "Invalid validity period value")
        behaviour = self._script.draw("sms", to)

        return scripted(behaviour, self.taking(lambda: self._new(form, behaviour, "outbound-api", "queued")))

    def _new(self, form: Form, behaviour: Behaviour, direction: str, status: str) -> Record:
        now = self._now()
        sid = new_sid("SM")
        uri = f"/{API_VERSION}/Accounts/{self._account_sid}/Messages/{sid}"
        service = form.get("MessagingServiceSid") or None
        shown = {
            "sid": sid,
            "account_sid": self._account_sid,
            "messaging_service_sid": service,
            "to": form["To"],
            "from": form.get("From") or None,
            "body": form["Body"],
            "status": "accepted" if service else status,
            "direction": direction,
            "num_segments": "0" if service else str(segments(form["Body"])),
            "num_media": "0",
            "date_created": rfc2822(now),
            "date_updated": rfc2822(now),
            "date_sent": rfc2822(now) if status == "received" else None,
            "price": None,
            "price_unit": "USD",
            "error_code": None,
            "error_message": None,
            "api_version": API_VERSION,
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }
        record = Record(
            sid,
            now,
            shown,
            behaviour,
            callback_url=form.get("StatusCallback", ""),
            validity=int(form.get("ValidityPeriod", 36_000)),
        )
        self.records.take(record)
        return record

    def go_on(self, record: Record) -> None:
        """From the queue to the carrier. Gone through again after a restart; the ledger holds."""
        behaviour = record.behaviour
        receipts = Receipts(self._webhooks, self._timeline, record.callback_url, behaviour)
        outcome = behaviour.outcome if behaviour.outcome in SMS_OUTCOMES else "delivered"
        if outcome == "queued":
            self.records.change(record, settled=True)
            return
        expired = behaviour.delay > record.validity
        if outcome != "failed" and not expired:
            if record.shown["status"] in ("queued", "accepted"):
                self.records.change(record, status="sent", date_sent=rfc2822(self._now()))
            receipts.say(self._form(record, "sent"))
        if expired:
            outcome = "failed"
        wait = min(behaviour.delay, record.validity)
        if wait > 0 and record.shown["status"] != outcome:
            # What a restart interrupted waits for the rest of its time only.
            wait -= (self._now() - record.created).total_seconds()
        if wait > 0:
            self._timeline.run(lambda: self._arrive(record, receipts, outcome, expired), after=wait)
        else:
            self._arrive(record, receipts, outcome, expired)

    def _arrive(self, record: Record, receipts: Receipts, outcome: str, expired: bool) -> None:
        code = EXPIRED if expired else record.behaviour.error_code
        if outcome in ("delivered", "sent"):
            # "sent" for good: the handset has it, but the carrier gives no receipt.
            self._ledger.reached(
                "sms", record.shown["to"], record.sid, self._now(), text=record.shown["body"]
            )
        elif not code:
            code = 30008
        if outcome != "sent":
            shown: dict[str, Any] = {"status": outcome}
            if outcome != "delivered":
                shown |= {"error_code": code, "error_message": "The message was not delivered."}
            self.records.change(record, **shown)
            receipts.say(self._form(record, outcome))
        receipts.finish(lambda: self.records.change(record, settled=True))

    def _form(self, record: Record, status: str) -> dict[str, str]:
        form = {
            "MessageSid": record.sid,
            "SmsSid": record.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "AccountSid": self._account_sid,
            "ApiVersion": API_VERSION,
            "To": record.shown["to"],
            "From": record.shown["from"] or "",
        }
        if record.shown["messaging_service_sid"]:
            form["MessagingServiceSid"] = record.shown["messaging_service_sid"]
        if status in ("undelivered", "failed") and record.shown["error_code"]:
            form["ErrorCode"] = str(record.shown["error_code"])
        return form

    def received(self, sender: str, to: str, body: str, direction: str = "inbound") -> Record:
        """A text that a person sent to the product, as it stands in the list."""
        record = self._new({"To": to, "From": sender, "Body": body}, Behaviour(), direction, "received")
        self.records.change(record, settled=True)
        if direction == "inbound":
            self._heed(sender, body)
        return record

    def _heed(self, sender: str, body: str) -> None:
        """The provider itself blocks whoever writes STOP, until START; it answers neither here."""
        word = body.strip().upper()
        if word in STOP_WORDS:
            self._stopped.add(sender)
        elif word in START_WORDS:
            self._stopped.discard(sender)

    def clear(self) -> None:
        """Forget everything."""
        self.records.clear()
        self._stopped.clear()
