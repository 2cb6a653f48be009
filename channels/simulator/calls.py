"""The Calls resource: places calls, lets people, machines or nobody answer, follows the script."""

from __future__ import annotations

from typing import Any, ClassVar

from channels.simulator.answers import Answer, Form, fault, scripted
from channels.simulator.callbacks import Receipts
from channels.simulator.collection import Collection
from channels.simulator.messages import E164
from channels.simulator.resources import API_VERSION, Record, new_sid, rfc2822
from channels.simulator.script import CALL_OUTCOMES, Behaviour
from channels.simulator.twiml import CallScript, Transcript

ANSWERED_BY = {"human": "human", "machine": "machine_start", "fax": "fax", "unknown": "unknown"}
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
SECONDS_PER_SENTENCE = 6


class Calls(Collection):
    """Create, list, fetch; then rung, answered or not, heard, with callbacks."""

    key = "calls"
    date = ("start_time", "StartTime")
    filters: ClassVar = {"From": "from", "Status": "status"}

    def create(self, form: Form) -> Answer:
        """POST Calls.json. Called twice, it rings twice."""
        to = form.get("To", "")
        if not E164.fullmatch(to):
            return fault(400, 21211, "Invalid 'To' Phone Number")
        if not E164.fullmatch(form.get("From", "")):
            return fault(400, 21212, "Invalid 'From' Phone Number")
        if not form.get("Url", "").startswith(("http://", "https://")):
            return fault(400, 21205, "Url is not a valid URL")
        behaviour = self._script.draw("voice", to)

        return scripted(behaviour, self.taking(lambda: self.place(form, behaviour, "outbound-api")))

    def place(self, form: Form, behaviour: Behaviour, direction: str) -> Record:
        """Keep a new call."""
        now = self._now()
        sid = new_sid("CA")
        uri = f"/{API_VERSION}/Accounts/{self._account_sid}/Calls/{sid}"
        shown = {
            "sid": sid,
            "account_sid": self._account_sid,
            "parent_call_sid": None,
            "to": form["To"],
            "to_formatted": form["To"],
            "from": form["From"],
            "from_formatted": form["From"],
            "phone_number_sid": None,
            "status": "queued",
            "direction": direction,
            "answered_by": None,
            "start_time": None,
            "end_time": None,
            "duration": None,
            "date_created": rfc2822(now),
            "date_updated": rfc2822(now),
            "price": None,
            "price_unit": "USD",
            "forwarded_from": None,
            "caller_name": None,
            "group_sid": None,
            "queue_time": "0",  # milliseconds
            "trunk_sid": None,
            "stir_verstat": None,
            "api_version": API_VERSION,
            "uri": f"{uri}.json",
            "subresource_uris": {"recordings": f"{uri}/Recordings.json", "events": f"{uri}/Events.json"},
        }
        record = Record(
            sid,
            now,
            shown,
            behaviour,
            callback_url=form.get("StatusCallback", ""),
            callback_events=tuple(form.get("StatusCallbackEvent", "completed").split()),
            url=form.get("Url", ""),
            method=form.get("Method", "POST"),
            detect=form.get("MachineDetection", "") in ("Enable", "DetectMessageEnd"),
        )
        self.records.take(record)
        return record

    def go_on(self, record: Record) -> None:
        """Ring. After a restart: a call that somebody heard is not made again."""
        behaviour = record.behaviour
        receipts = Receipts(self._webhooks, self._timeline, record.callback_url, behaviour)
        said = _Events(self, record, receipts)
        if record.shown["status"] in ENDED or self._heard(record):
            self._end(record, said, "completed" if self._heard(record) else record.shown["status"])
            return
        said.tell("initiated", "initiated")
        self.records.change(record, status="ringing")
        said.tell("ringing", "ringing")
        self._timeline.run(lambda: self._answer(record, said), after=behaviour.delay)

    def _heard(self, record: Record) -> bool:
        return self._ledger.holds("voice", record.shown["to"], record.sid)

    def _answer(self, record: Record, said: _Events) -> None:
        outcome = record.behaviour.outcome
        outcome = outcome if outcome in CALL_OUTCOMES else "human"
        if outcome not in ANSWERED_BY:
            self._end(record, said, outcome)
            return
        answered_by = ANSWERED_BY[outcome] if record.detect else None
        self.records.change(
            record, status="in-progress", start_time=rfc2822(self._now()), answered_by=answered_by
        )
        said.tell("answered", "in-progress")
        keys = record.behaviour.keys if outcome in ("human", "unknown") else ()
        transcript = self.converse(record, record.url, record.method, keys)
        if outcome in ("human", "unknown"):
            self.note(record, transcript)
        self._end(record, said, "completed", len(transcript.heard))

    def converse(self, record: Record, url: str, method: str, keys: tuple[str, ...]) -> Transcript:
        """Follow the script at `url` as one party of this call."""
        form = self.form(record, "in-progress")

        def fetch(address: str, fields: Any, how: str) -> tuple[int, str] | None:
            return self._webhooks.call(address, fields, how)

        return CallScript(fetch, form, keys).run(url, method)

    def note(self, record: Record, transcript: Transcript) -> None:
        """A person was on the line: write down what that person heard, if anything."""
        if not transcript.heard:
            return
        inbound = record.shown["direction"] == "inbound"
        self._ledger.reached(
            "voice",
            record.shown["from" if inbound else "to"],
            record.sid,
            self._now(),
            text=transcript.text,
            digits=transcript.digits,
            questions=transcript.questions,
            languages=sorted(transcript.languages),
            problem=transcript.problem,
        )

    def _end(self, record: Record, said: _Events, status: str, sentences: int = 0) -> None:
        seconds = str(sentences * SECONDS_PER_SENTENCE)
        if record.shown["status"] not in ENDED:
            ended: dict[str, Any] = {"status": status, "end_time": rfc2822(self._now())}
            if status == "completed":
                ended["duration"] = seconds
            self.records.change(record, **ended)
        said.tell("completed", record.shown["status"])
        said.receipts.finish(lambda: self.records.change(record, settled=True))

    def form(self, record: Record, status: str) -> dict[str, str]:
        """The fields that every request about this call carries."""
        form = {
            "CallSid": record.sid,
            "AccountSid": self._account_sid,
            "ApiVersion": API_VERSION,
            "To": record.shown["to"],
            "From": record.shown["from"],
            "Called": record.shown["to"],
            "Caller": record.shown["from"],
            "Direction": record.shown["direction"],
            "CallStatus": status,
        }
        if record.shown["answered_by"]:
            form["AnsweredBy"] = record.shown["answered_by"]
        return form


class _Events:
    """The callbacks of one call, numbered, for the events that were asked for."""

    def __init__(self, calls: Calls, record: Record, receipts: Receipts) -> None:
        self._calls = calls
        self._record = record
        self._number = 0
        self.receipts = receipts

    def tell(self, event: str, status: str) -> None:
        """Post one event, if it was asked for."""
        if event not in self._record.callback_events:
            return
        form = self._calls.form(self._record, status)
        form |= {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._number),
            "Timestamp": rfc2822(self._calls._now()) or "",
        }
        self._number += 1
        if status == "completed":
            seconds = int(self._record.shown["duration"] or 0)
            form |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
        code = self._record.behaviour.error_code
        if status == "failed":
            form |= {"ErrorCode": str(code)} if code else {"SipResponseCode": "404"}
        elif status == "busy":
            form["SipResponseCode"] = "486"
        self.receipts.say(form)
