"""Phone calls by Twilio, and the script (TwiML) that a call follows.

A call reads the notice, asks for a key, repeats once and says goodbye. `DELIVERED`
here means that a person picked up; whether that is proof is decided by the service,
which knows whether a key was pressed. A machine is never a person reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from twilio.base import values
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.model import (
    Channel,
    FaultClass,
    Language,
    Message,
    Outcome,
    OutcomeKind,
    RenderedVoice,
    Report,
    ReportStatus,
    Sighting,
)
from channels.twilio_client import NO_ANSWER, PAGE, SLACK, check_account, outcome_of, recent
from channels.twilio_errors import DEAD_SIP, classify

EVENTS = ["initiated", "answered", "completed"]
ROUNDS = 2  # the notice is said, then repeated once

# Language tag and voice of each language.
SPEECH: Mapping[Language, tuple[str, str]] = {
    Language.ZH: ("cmn-CN", "Polly.Zhiyu"),
    Language.EN: ("en-GB", "Polly.Amy"),
}
LONGEST_SAY = 1_500  # characters; the speech engine refuses more than 3,000 in one piece

RUNNING: Mapping[str, ReportStatus] = {
    "queued": ReportStatus.PENDING,
    "initiated": ReportStatus.ACCEPTED,
    "ringing": ReportStatus.ACCEPTED,
    "in-progress": ReportStatus.ACCEPTED,
    "answered": ReportStatus.ACCEPTED,
}
UNREACHED = frozenset({"busy", "no-answer", "failed", "canceled"})


class TwilioVoice:
    """Calls from a number and lets Twilio fetch the script from `voice_url`."""

    channel = Channel.VOICE
    repeatable = False

    def __init__(self, client: Client, sender: str, ring_seconds: int = 40, suffix: str = "") -> None:
        self.name, self.provider = f"twilio-voice{suffix}", f"twilio{suffix}"
        self._client = client
        self._sender = sender
        self._ring_seconds = ring_seconds

    def send(self, message: Message) -> Outcome:
        """Place one call. Refused without asking if no number is set to call from."""
        if problem := self._sender_problem():
            return Outcome(OutcomeKind.REJECTED, code="21213", fault=FaultClass.CONFIGURATION, detail=problem)
        return outcome_of(
            lambda: (
                self._client.calls.create(
                    to=message.to,
                    from_=self._sender,
                    url=message.voice_url,
                    method="POST",
                    status_callback=message.callback_url or values.unset,
                    status_callback_event=EVENTS if message.callback_url else values.unset,
                    status_callback_method="POST" if message.callback_url else values.unset,
                    machine_detection="Enable",
                    timeout=self._ring_seconds,
                ).sid
            )
        )

    def find(self, message: Message, began: datetime, known_ids: frozenset[str]) -> list[Sighting] | None:
        """Calls to this number since `began`, less `SLACK`, that belong to no other delivery.

        A call carries no text, so the number, the time and `known_ids` must do. Asked
        without a start time, newest first: a call that still waits has not started.
        """
        since = began.astimezone(UTC) - SLACK
        try:
            return [
                _sighting(record)
                for record in recent(
                    self._client.calls.stream(to=message.to, from_=self._sender, page_size=PAGE), since
                )
                if record.sid not in known_ids
            ]
        except NO_ANSWER:
            return None

    def fetch(self, provider_id: str) -> Report | None:
        """The call's present state at Twilio."""
        try:
            record = self._client.calls(provider_id).fetch()
        except NO_ANSWER:
            return None
        return _report(
            provider_id,
            str(record.status or ""),
            str(record.answered_by or ""),
            "",
            "",
            {},
            record.end_time,
        )

    def parse_receipt(self, form: Mapping[str, str]) -> Report | None:
        """A status callback, or the request for the script, which tells that somebody answered."""
        return _report(
            form.get("CallSid", ""),
            form.get("CallStatus", ""),
            form.get("AnsweredBy", ""),
            form.get("ErrorCode", ""),
            form.get("SipResponseCode", ""),
            dict(form.items()),
            _moment(form.get("Timestamp", "")),
        )

    def check(self) -> str:
        """For `doctor`: whether the account answers and a number to call from is set."""
        return self._sender_problem() or check_account(self._client, self._client.account_sid)

    def _sender_problem(self) -> str:
        if self._sender.startswith("+"):
            return ""
        return "Calls need a number to call from: set TWILIO_VOICE_FROM (or TWILIO_FROM) to one (+...)."


def who_answered(answered_by: str) -> str:
    """Twilio's word reduced to `human`, `machine` or nothing known."""
    if answered_by == "human":
        return "human"
    if answered_by.startswith("machine") or answered_by == "fax":
        return "machine"
    return ""


def _moment(text: str) -> datetime | None:
    """A date as Twilio writes them in callbacks (RFC 2822), or none."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _report(
    sid: str,
    status: str,
    answered_by: str,
    code: str,
    sip: str,
    raw: dict[str, str],
    ended_at: datetime | None = None,
) -> Report | None:
    if not sid:
        return None
    who = who_answered(answered_by)
    if status in RUNNING:
        return Report(sid, RUNNING[status], answered_by=who, raw=raw)
    if status == "completed":
        if who == "machine":
            return Report(sid, ReportStatus.FAILED, code, FaultClass.UNREACHED, who, raw=raw)
        return Report(sid, ReportStatus.DELIVERED, code, answered_by=who, ended_at=ended_at, raw=raw)
    if status not in UNREACHED:
        return None
    fault = FaultClass.UNREACHED
    if sip in DEAD_SIP:
        fault = FaultClass.BAD_ADDRESS
    elif status == "failed" and code:
        classified = classify(code).fault
        fault = classified if classified is not FaultClass.UNKNOWN else FaultClass.UNREACHED
    return Report(sid, ReportStatus.FAILED, code or sip, fault, who, raw=raw)


def _sighting(record: CallInstance) -> Sighting:
    sid = str(record.sid)
    sent_at = record.start_time or record.date_created
    answered_by, end = str(record.answered_by or ""), record.end_time
    report = _report(sid, str(record.status or ""), answered_by, "", "", {}, end)
    if report is None:
        return Sighting(sid, ReportStatus.PENDING, sent_at=sent_at)
    return Sighting(sid, report.status, report.code, report.fault, sent_at, report.ended_at)


def notice_twiml(voice: RenderedVoice, answer_url: str, round: int = 1) -> str:
    """The script of a call: text, question, both once more, goodbye.

    The text stands outside the <Gather>, so that no key can be pressed before it was
    heard: a key press is a signature. `answer_url` is posted the pressed key (`Digits`).
    `round` is 1 at first; 2 after a key that means nothing, when one round is left;
    from 3 on only the goodbye is said.
    """
    script = VoiceResponse()
    for _ in range(max(0, ROUNDS + 1 - round)):
        _say(script, voice.language, voice.text)
        gather = Gather(num_digits=1, action=answer_url, method="POST", timeout=8)
        _say(gather, voice.language, voice.question)
        script.append(gather)
    _say(script, voice.language, voice.goodbye)
    script.hangup()
    return str(script)


def thanks_twiml(voice: RenderedVoice) -> str:
    """After a key that was understood: thanks, and the end of the call."""
    return _closing(voice.language, voice.thanks)


def machine_twiml(voice: RenderedVoice) -> str:
    """For an answering machine: the notice once, no question. It is not proof of anything."""
    return _closing(voice.language, voice.text)


def goodbye_twiml(voice: RenderedVoice) -> str:
    """Goodbye, and the end of the call."""
    return _closing(voice.language, voice.goodbye)


def information_twiml(spoken: Sequence[tuple[Language, Sequence[str]]]) -> str:
    """For somebody who calls us: sentences in one language or in several, and the end of the call."""
    script = VoiceResponse()
    for language, lines in spoken:
        for line in lines:
            _say(script, language, line)
    script.hangup()
    return str(script)


def _closing(language: Language, text: str) -> str:
    script = VoiceResponse()
    _say(script, language, text)
    script.hangup()
    return str(script)


def _say(parent: VoiceResponse | Gather, language: Language, text: str) -> None:
    tag, speaker = SPEECH[language]
    for piece in _pieces(text):
        parent.say(piece, language=tag, voice=speaker)


def _pieces(text: str) -> list[str]:
    """One piece per line, long lines cut behind a sentence, or anywhere if there is none."""
    pieces: list[str] = []
    for line in text.splitlines():
        rest = line.strip()
        while len(rest) > LONGEST_SAY:
            cut = max(rest.rfind(mark, 0, LONGEST_SAY) for mark in ("。", ". ", "；", "; ", "，", ", "))
            cut = cut + 1 if cut > 0 else LONGEST_SAY
            pieces.append(rest[:cut].strip())
            rest = rest[cut:].strip()
        if rest:
            pieces.append(rest)
    return pieces
