"""Which sender carries which channel: ours from plain settings, others' by entry point.

A foreign package offers a factory in the group `outage_notify.senders`; the name of
the entry point is the channel (`sms`, `voice`, `email`, `letter`), the factory takes the
`SenderConfig` and returns a `Sender`, or None to leave the channel as it is. Whatever
is not configured is simply not there: the caller says what that means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points

from channels.email import SmtpSender, SmtpServer
from channels.model import Channel
from channels.sender import Sender
from channels.sms import TwilioSms
from channels.twilio_client import API_BASE, build_client
from channels.voice import TwilioVoice

GROUP = "outage_notify.senders"
METHODS = ("send", "find", "fetch", "parse_receipt", "check")


@dataclass(frozen=True)
class SenderConfig:
    """All that the senders need to know.

    All but `now` may be left out: empty means "not configured". Secrets stay out of `repr`.
    """

    now: Callable[[], datetime]  # for the Date header of mail
    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    twilio_from: str = ""  # a number (+...), an alphanumeric sender, or a messaging service (MG...)
    twilio_voice_from: str = ""  # a number to call from; empty: twilio_from
    twilio_api_base: str = API_BASE
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""  # "Name <address>"
    connect_timeout: float = 5.0  # seconds
    read_timeout: float = 15.0  # seconds
    connections: int = 64  # kept-alive connections to Twilio; at least the number of sending threads
    ring_seconds: int = 40
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)  # settings of foreign senders


class RegistryError(Exception):
    """A sender cannot be built; the message names it and the remedy."""


def build_senders(config: SenderConfig, foreign: Iterable[EntryPoint] | None = None) -> dict[Channel, Sender]:
    """One sender per configured channel. Raises `RegistryError`.

    `foreign` replaces the installed entry points, in the order in which they apply; a
    later one replaces an earlier one and ours.
    """
    senders: dict[Channel, Sender] = {}
    try:
        if config.twilio_account_sid and config.twilio_auth_token:
            client = build_client(
                config.twilio_account_sid,
                config.twilio_auth_token,
                api_base=config.twilio_api_base,
                connect_timeout=config.connect_timeout,
                read_timeout=config.read_timeout,
                connections=config.connections,
            )
            senders[Channel.SMS] = TwilioSms(client, config.twilio_from)
            senders[Channel.VOICE] = TwilioVoice(
                client, config.twilio_voice_from or config.twilio_from, config.ring_seconds
            )
        if config.smtp_url:
            senders[Channel.EMAIL] = SmtpSender(
                SmtpServer.parse(config.smtp_url),
                config.mail_from,
                config.now,
                config.read_timeout,
            )
    except ValueError as error:
        raise RegistryError(f"A sender's settings cannot be used: {error}") from error
    points = entry_points(group=GROUP) if foreign is None else foreign
    for point in sorted(points, key=lambda one: one.name) if foreign is None else points:
        sender = _load(point, config)
        if sender is not None:
            senders[sender.channel] = sender
    return senders


def _load(point: EntryPoint, config: SenderConfig) -> Sender | None:
    """Build one foreign sender. A broken package is named, not skipped: messages would go astray unseen."""
    try:
        channel = Channel(point.name.partition(".")[0])
    except ValueError as error:
        raise RegistryError(
            f"Entry point {point.name!r} in {GROUP} is not a channel; name it sms, voice, email or letter."
        ) from error
    try:
        sender = point.load()(config)
    except Exception as error:  # Foreign code may raise anything; the person must learn whose it is.
        raise RegistryError(
            f"The sender {point.value!r} for {channel} cannot be built ({type(error).__name__}: {error}). "
            "Mend or uninstall its package."
        ) from error
    if sender is None:
        return None
    missing = [name for name in METHODS if not callable(getattr(sender, name, None))]
    if missing or getattr(sender, "channel", None) is not channel:
        raise RegistryError(
            f"The sender {point.value!r} does not keep the protocol of channels.sender: "
            f"{', '.join(missing) or f'its channel is not {channel}'}."
        )
    return sender
