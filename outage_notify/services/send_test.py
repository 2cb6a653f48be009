"""One message to one address through the real sender, to see that a channel works.

Promises: no delivery is recorded and no customer is involved; what the provider said is
handed back as it is. Leaves showing it to the command line.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from channels.model import Channel, Language, Message, Outcome, OutcomeKind, RenderedEmail
from channels.phone_numbers import normalise
from outage_notify.domain.errors import InvalidInput, SettingsError
from outage_notify.services.doctor_senders import is_foreign

if TYPE_CHECKING:
    from outage_notify.services.runtime import Runtime

NEEDS = {
    Channel.SMS: ("twilio_account_sid", "twilio_auth_token", "twilio_from"),
    Channel.VOICE: ("twilio_account_sid", "twilio_auth_token", "twilio_from", "base_url"),
    Channel.EMAIL: ("smtp_url", "mail_from"),
}
SUBJECT = {Language.EN: "Test message", Language.ZH: "测试消息"}
TEXT = {
    Language.EN: "{utility}: this is a test of the outage notices, nothing is planned. Ref. {reference}",
    Language.ZH: "{utility}：停电通知系统测试，并无停电计划。编号 {reference}",
}
VALID_FOR = 600  # seconds; a test that comes later confuses


@dataclass(frozen=True)
class TestResult:
    """What came back. `status` is what the provider said when asked again, empty if it could not tell."""

    sender: str
    reference: str
    outcome: Outcome
    status: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "sender": self.sender,
            "reference": self.reference,
            "outcome": self.outcome.kind.value,
            "provider_id": self.outcome.provider_id,
            "code": self.outcome.code,
            "fault": self.outcome.fault.value,
            "detail": self.outcome.detail,
            "status": self.status,
        }


def send_test(
    rt: Runtime,
    channel: Channel,
    address: str,
    language: Language = Language.EN,
    *,
    text: str = "",
    subject: str = "",
) -> TestResult:
    """Send once; `text` and `subject` instead of the plain test's own words. Each call sends another message.
    SettingsError names what the channel lacks."""
    if not is_foreign(rt, channel):
        rt.settings.require(*NEEDS[channel])
    sender = rt.senders.get(channel)
    if sender is None:
        raise SettingsError(f"No sender is configured for {channel}.", "Run `outage-notify doctor`.")
    if channel is Channel.EMAIL:
        to = address.strip()
        if to.count("@") != 1 or any(one.isspace() for one in to):
            raise InvalidInput("This is not an e-mail address.", "Write one such as name@example.com.")
    else:
        to = normalise(address, rt.settings.phone_region)
    reference = "T-" + secrets.token_hex(4).upper()
    text = text or TEXT[language].format(utility=rt.settings.utility or "outage-notify", reference=reference)
    email = None
    if channel is Channel.EMAIL:
        html = escape(text.strip()).replace("\n", "<br>")
        email = RenderedEmail(
            subject or f"{SUBJECT[language]} {reference}",
            text + "\n",
            f'<p lang="{language.value}">{html}</p>',
        )
    message = Message(
        delivery=0,
        channel=channel,
        to=to,
        reference=reference,
        language=language,
        text=text,
        email=email,
        # A token that no delivery has: the call is answered with an apology, which is enough to hear that it works.
        voice_url=f"{rt.settings.base_url}/webhooks/twilio/voice/test" if channel is Channel.VOICE else "",
        message_id=f"<{reference.lower()}@{_mail_host(rt.settings.mail_from)}>",
        valid_for=VALID_FOR,
    )
    outcome = sender.send(message)
    status = ""
    if outcome.kind is OutcomeKind.ACCEPTED and outcome.provider_id:
        report = sender.fetch(outcome.provider_id)
        status = report.status.value if report is not None else ""
    return TestResult(sender.name, reference, outcome, status)


def _mail_host(mail_from: str) -> str:
    return mail_from.rpartition("@")[2].strip(" >") or "localhost"
