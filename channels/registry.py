"""Which senders carry which channel: ours from plain settings, others' by entry point.

A foreign package offers a factory in the group `outage_notify.senders`; the name of
the entry point is the channel (`sms`, `voice`, `email`, or `sms.anything`), the factory
takes the `SenderConfig` and returns a `Sender`, or None to leave the channel as it is.

Each channel has a line: the first of it carries, the others stand in when the first
fails. Whatever is not configured is simply not there: the caller says what that means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    suffix: str = ""  # added to the names of our senders where a second account stands in


class RegistryError(Exception):
    """A sender cannot be built; the message names it and the remedy."""


def build_senders(config: SenderConfig, foreign: Iterable[EntryPoint] | None = None) -> dict[Channel, Sender]:
    """The first of each line, where there is one account. Raises `RegistryError`."""
    return {channel: line[0] for channel, line in build_lines([config], foreign=foreign).items()}


def build_lines(
    accounts: Sequence[SenderConfig],
    order: Mapping[Channel, Sequence[str]] | None = None,
    foreign: Iterable[EntryPoint] | None = None,
    only_named: bool = False,
) -> dict[Channel, tuple[Sender, ...]]:
    """Each configured channel's senders: who carries it, then who stands in. Raises `RegistryError`.

    `order` names a channel's senders. Without it: a foreign one alone if there is any (the last of
    several), else ours, those of the first of `accounts` first. Foreign senders get the settings of
    the first account. `foreign` replaces the installed entry points, in the order in which they apply;
    with `only_named` those count alone whose channel has an `order`.
    """
    ours: dict[Channel, list[Sender]] = {}
    theirs: dict[Channel, list[Sender]] = {}
    for account in accounts:
        for sender in _own(account):
            ours.setdefault(sender.channel, []).append(sender)
    points = sorted(entry_points(group=GROUP), key=lambda one: one.name) if foreign is None else foreign
    for point in points:
        if only_named and not (order or {}).get(_channel_of(point)):
            continue
        foreigner = _load(point, accounts[0])
        if foreigner is not None:
            theirs.setdefault(foreigner.channel, []).append(foreigner)
    lines: dict[Channel, tuple[Sender, ...]] = {}
    for channel in Channel:
        known = {one.name: one for one in [*ours.get(channel, ()), *theirs.get(channel, ())]}
        wanted = (order or {}).get(channel, ())
        if missing := [name for name in wanted if name not in known]:
            raise RegistryError(
                f"There is no sender {missing[0]!r} for {channel}; there are: {', '.join(known) or 'none'}. "
                "Configure it, or take it out of the channel's list of senders."
            )
        line = [known[name] for name in wanted] or theirs.get(channel, [])[-1:] or ours.get(channel, [])
        if line:
            lines[channel] = tuple(line)
    return lines


def _own(config: SenderConfig) -> list[Sender]:
    """Our senders as far as they are configured."""
    senders: list[Sender] = []
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
            caller = config.twilio_voice_from or config.twilio_from
            senders.append(TwilioSms(client, config.twilio_from, config.suffix))
            senders.append(TwilioVoice(client, caller, config.ring_seconds, config.suffix))
        if config.smtp_url:
            server = SmtpServer.parse(config.smtp_url)
            senders.append(
                SmtpSender(server, config.mail_from, config.now, config.read_timeout, config.suffix)
            )
    except ValueError as error:
        raise RegistryError(f"A sender's settings cannot be used: {error}") from error
    return senders


def _channel_of(point: EntryPoint) -> Channel:
    try:
        return Channel(point.name.partition(".")[0])
    except ValueError as error:
        raise RegistryError(
            f"Entry point {point.name!r} in {GROUP} is not a channel; name it sms, voice, email or letter."
        ) from error


def _load(point: EntryPoint, config: SenderConfig) -> Sender | None:
    """Build one foreign sender. A broken package is named, not skipped: messages would go astray unseen."""
    channel = _channel_of(point)
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
