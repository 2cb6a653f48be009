"""The one protocol behind which every channel stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from channels.model import Channel, Message, Outcome, Report, Sighting


class Sender(Protocol):
    """Carries messages of one channel to one provider.

    Thread-safe. Never retries by itself and never raises for anything that the
    network or the provider does: that is an `Outcome`. No call takes longer than the
    time-out that it was built with.
    """

    # Constant and unlike every other one's: it stands beside each delivery that this sender was handed,
    # so that a doubtful one is asked about at the provider that may have taken it.
    name: str
    channel: Channel
    # Whether a message that may or may not have been taken can be sent again unharmed
    # (an e-mail with the same Message-ID); if not, `find` settles the doubt.
    repeatable: bool

    def send(self, message: Message) -> Outcome:
        """Hand one message over. Called twice with the same message, it may reach the person twice."""

    def find(self, message: Message, began: datetime, known_ids: frozenset[str]) -> list[Sighting] | None:
        """Messages at the provider that can be this one: same addressee, sent at or after
        `began` less a minute, carrying its reference (voice: not among `known_ids`, the
        provider ids that already belong to other deliveries). None: could not ask."""

    def fetch(self, provider_id: str) -> Report | None:
        """The present state of one message at the provider. None: could not ask."""

    def parse_receipt(self, form: Mapping[str, str]) -> Report | None:
        """A status callback's form, parsed. None: not one of ours."""

    def check(self) -> str:
        """For `doctor`: empty if credentials and endpoint work, else what is missing in plain words."""
