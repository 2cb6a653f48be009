"""What every service gets: settings and the parts that were built from them.

Built once per process by `app.py`. The costly parts are made when first used, so that
a command asks only for the settings that it needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from channels.registry import SenderConfig, build_senders
from channels.sender import Sender
from channels.signing import SigningKey
from outage_notify.clock import Clock
from outage_notify.domain.policy import Policy
from outage_notify.policies import holiday_set, load_policy
from outage_notify.settings import Settings
from outage_notify.store.database import Database


@dataclass
class Runtime:
    settings: Settings
    database: Database
    clock: Clock
    # Tests hand in their own senders; otherwise they are built from the settings.
    given_senders: dict[Channel, Sender] = field(default_factory=dict)

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
        """One sender per channel that is configured. Letters have none: people post them."""
        if self.given_senders:
            return self.given_senders
        settings = self.settings
        config = SenderConfig(
            twilio_account_sid=settings.twilio_account_sid,
            twilio_auth_token=settings.twilio_auth_token,
            twilio_from=settings.twilio_from,
            twilio_api_base=settings.twilio_api_base,
            smtp_url=settings.smtp_url,
            mail_from=settings.mail_from,
            timeout=settings.provider_timeout,
        )
        return build_senders(config)

    @cached_property
    def signing_key(self) -> SigningKey:
        """The one secret of ours. In simulator mode it is made when it is missing."""
        self.settings.require("signing_key_file")
        path = Path(self.settings.signing_key_file)
        if self.settings.simulator and not path.exists():
            SigningKey.create(path)
        return SigningKey.load(path)

    def holidays(self, around: datetime) -> frozenset[date]:
        """Public holidays of the policy's country in the years around `around`."""
        year = around.year
        return holiday_set(self.policy, [year - 1, year, year + 1])
