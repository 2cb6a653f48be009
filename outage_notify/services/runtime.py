"""What every service gets: settings and the parts that were built from them.

Built once per process by `app.py`. The costly parts are made when first used, so that
a command asks only for the settings that it needs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from channels.own_words import OwnWords
from channels.registry import RegistryError, SenderConfig, build_lines
from channels.sender import Sender
from channels.signing import KeyFault, SigningKey, make_token, new_key
from outage_notify.clock import Clock, machine_instant
from outage_notify.domain.calendar import DaysOff
from outage_notify.domain.errors import SettingsError
from outage_notify.domain.policy import Policy
from outage_notify.policies import days_off, load_policy
from outage_notify.services.feed_cache import FeedCache
from outage_notify.settings import Settings
from outage_notify.store import calendar_queries
from outage_notify.store import tables as _all_tables  # noqa: F401 - a foreign key may point at any of them
from outage_notify.store.database import Database
from outage_notify.store.user_tables import Role

if TYPE_CHECKING:
    from channels.identity import Provider
    from channels.pdf_signing import PdfSigner


_OWN_DAYS = "own days"


@dataclass
class Runtime:
    settings: Settings
    database: Database
    clock: Clock
    # Tests hand in their own senders; otherwise they are built from the settings.
    given_senders: dict[Channel, Sender] = field(default_factory=dict)
    # The utility's own words by their number, as this process read them; what a number says never changes.
    own_words: dict[int, OwnWords] = field(default_factory=dict)

    @classmethod
    def build(cls, settings: Settings) -> Runtime:
        return cls(settings, Database(settings.database_url), Clock(settings.simulator))

    def now(self, session: Session) -> datetime:
        return self.clock.now(session)

    @cached_property
    def policy(self) -> Policy:
        return load_policy(self.settings.policy)

    @property
    def zone(self) -> ZoneInfo:
        return self.settings.zone

    @cached_property
    def senders(self) -> dict[Channel, Sender]:
        """Who carries each channel that is configured. Letters have none: people post them."""
        if self.given_senders:
            return self.given_senders
        return {channel: line[0] for channel, line in self._lines.items()}

    @cached_property
    def stand_ins(self) -> dict[Channel, tuple[Sender, ...]]:
        """Who stands in, in this order, while the first sender of a channel fails."""
        if self.given_senders:
            return {}
        return {channel: line[1:] for channel, line in self._lines.items()}

    def line(self, channel: Channel) -> tuple[Sender, ...]:
        """All senders of a channel, the one that usually carries it first."""
        first = self.senders.get(channel)
        return (first, *self.stand_ins.get(channel, ())) if first else ()

    def sender_named(self, channel: Channel, name: str) -> Sender | None:
        """The sender that was handed a delivery. None: it is not configured any more, nobody can be asked.

        A delivery without a name is from a release that knew one sender for each channel.
        """
        line = self.line(channel)
        if not name:
            return line[0] if line else None
        return next((one for one in line if one.name == name), None)

    @cached_property
    def _lines(self) -> dict[Channel, tuple[Sender, ...]]:
        settings = self.settings
        first = SenderConfig(
            now=self._now_alone,
            twilio_account_sid=settings.twilio_account_sid,
            twilio_auth_token=settings.twilio_auth_token,
            twilio_from=settings.twilio_from,
            twilio_voice_from=settings.twilio_voice_from,
            twilio_api_base=settings.twilio_api_base,
            smtp_url=settings.smtp_url,
            mail_from=settings.mail_from,
            connect_timeout=settings.provider_timeout / 2,
            read_timeout=settings.provider_timeout,
            connections=max(8, 2 * settings.send_threads),
            extra=settings.foreign_options,
        )
        second = replace(
            first,
            twilio_account_sid=settings.second_twilio_account_sid,
            twilio_auth_token=settings.second_twilio_auth_token,
            twilio_from=settings.second_twilio_from,
            twilio_voice_from=settings.second_twilio_voice_from,
            twilio_api_base=settings.second_twilio_api_base,
            smtp_url=settings.second_smtp_url,
            suffix="-2",
        )
        order = {one: settings.order(one) for one in (Channel.SMS, Channel.VOICE, Channel.EMAIL)}
        try:
            # In simulator mode nothing real may be sent: a sender of another package counts if it is named.
            return build_lines([first, second], order, only_named=settings.simulator)
        except RegistryError as error:
            raise SettingsError(str(error)) from error

    def _now_alone(self) -> datetime:
        """Now, for whoever has no transaction open."""
        with self.database.read() as session:
            return self.now(session)

    @cached_property
    def signing_key(self) -> SigningKey:
        """The one secret of ours. In simulator mode it is made when it is missing."""
        self.settings.require("signing_key_file")
        path = Path(self.settings.signing_key_file)
        if self.settings.simulator:
            _make(path, new_key)
        try:
            return SigningKey.load(path)
        except KeyFault as error:
            raise SettingsError(str(error)) from error

    @cached_property
    def feeds(self) -> FeedCache:
        """Calendar feeds as this process rendered them."""
        return FeedCache()

    @cached_property
    def public_feeds(self) -> FeedCache:
        """The public ones, kept apart and few: anybody may ask for any name."""
        return FeedCache(most_feeds=1_000)

    @cached_property
    def pdf_signer(self) -> PdfSigner | None:
        """What signs the PDFs of receipts; None where no certificate is set. In simulator mode it is made."""
        # Loaded when it is needed: most commands never sign a PDF.
        from channels.pdf_signing import PdfSigner, new_certificate

        settings = self.settings
        path = Path(settings.pdf_certificate_file or Path(settings.state_dir) / "simulator-certificate.pem")
        if not settings.pdf_certificate_file:
            if not settings.simulator:
                return None
            _make(path, lambda: new_certificate(settings.utility, machine_instant()).decode("ascii"))
        try:
            return PdfSigner.load(path)
        except KeyFault as error:
            raise SettingsError(str(error)) from error

    @cached_property
    def provider(self) -> Provider | None:
        """The OpenID provider that people may sign in with; None where none is set.

        SettingsError where the settings map a group to a role that there is not.
        """
        # Loaded when it is needed: most processes let nobody in.
        from channels.identity import Client, Provider

        settings = self.settings
        if not settings.oidc_issuer:
            return None
        for group, roles in settings.role_map.items():
            for role in roles:
                if role not in set(Role):
                    raise SettingsError(
                        f"OUTAGE_NOTIFY_OIDC_ROLES: {group!r} means {role!r}, which is no role.",
                        f"Roles are {', '.join(Role)}.",
                    )
        return Provider(
            Client(
                settings.oidc_issuer,
                settings.oidc_client_id,
                settings.oidc_client_secret,
                f"{settings.base_url}/desk/sign-in/provider/back",
                settings.oidc_scope,
                settings.provider_timeout,
            )
        )

    def link_token(self, purpose: str, subject: int, expires: datetime) -> str:
        """A signed, expiring token for one purpose, short enough for a text message."""
        return make_token(self._link_key, purpose, subject, expires)

    @cached_property
    def _link_key(self) -> bytes:
        return self.signing_key.derive("links")

    @cached_property
    def link_keys(self) -> tuple[bytes, ...]:
        """What link tokens are read with: those made before a rotation of the key are still taken."""
        return self.signing_key.derive_all("links")

    def holidays(self, session: Session, around: datetime) -> DaysOff:
        """Public holidays of the policy's country in the years around `around`, and what the utility has added.

        The utility's own days are read once per transaction.
        """
        year = around.year
        own = session.info.get(_OWN_DAYS)
        if own is None:
            own = session.info[_OWN_DAYS] = calendar_queries.own_days(session)
        return days_off(self.policy, [year - 1, year, year + 1], own)


def _make(path: Path, new: Callable[[], str]) -> None:
    """A key or certificate for the simulator. Of several processes that start at once, one wins and all use its key."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        draft.write(new())
    try:
        os.link(draft.name, path)
    except FileExistsError:
        # Another process was faster; its key is as good.
        return
    finally:
        Path(draft.name).unlink()
