"""The ladder of channels and the escalation of an unanswered request, as data with pure functions.

A ladder is a list of rungs. A rung's channels are tried side by side. One climbs when nothing
of the present rung is alive or told; contacts of the same rung that were not tried yet
come before the next rung. A rung without a usable contact is skipped. A *required* rung (writing by post) is
sent beside the first one, whatever becomes of the others, and never holds up the climb.

"Alive or told" is `delivery.LIVE`: a text that a provider accepted counts, for key
customers too; that a key customer has not *answered* is the matter of the escalation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Final, Literal

from channels.model import Channel
from outage_notify.domain.delivery import LIVE, DeliveryState


class End(Enum):
    VISIT = "visit"


VISIT: Final = End.VISIT


@dataclass(frozen=True)
class Contact:
    """One address of one customer. `usable`: consented to, well formed and not known as dead."""

    id: int
    channel: Channel
    address: str
    backup: bool = False
    usable: bool = True


@dataclass(frozen=True)
class Target:
    channel: Channel
    contact: Contact


@dataclass(frozen=True)
class Tried:
    """A delivery of this notice that exists already."""

    channel: Channel
    address: str
    state: DeliveryState


@dataclass(frozen=True)
class Rung:
    """Channels side by side, to the customer or to the backup contact."""

    channels: tuple[Channel, ...]
    backup: bool = False
    required: bool = False


@dataclass(frozen=True)
class Ladder:
    """`visit`: a person goes there when every rung has failed."""

    rungs: tuple[Rung, ...]
    visit: bool = False

    def __post_init__(self) -> None:
        climbed = {channel for rung in self.rungs if not rung.required for channel in rung.channels}
        both = sorted(self.required & climbed)
        if both:
            # A letter on its way would otherwise both hold up the climb and not hold it up.
            raise ValueError(f"{', '.join(both)} cannot be on a required rung and on another one")

    @property
    def required(self) -> frozenset[Channel]:
        """Channels that are sent whatever becomes of the others."""
        return frozenset(channel for rung in self.rungs if rung.required for channel in rung.channels)


def targets(rung: Rung, contacts: Sequence[Contact], tried: Iterable[Tried] = ()) -> list[Target]:
    """Per channel of the rung the first usable contact that was not tried, in the order of `contacts`."""
    used = {(one.channel, one.address) for one in tried}
    found = []
    for channel in rung.channels:
        for contact in contacts:
            fits = contact.channel is channel and contact.backup is rung.backup and contact.usable
            if fits and (channel, contact.address) not in used:
                found.append(Target(channel, contact))
                break
    return found


def first(ladder: Ladder, contacts: Sequence[Contact]) -> list[Target]:
    """Where a new notice goes: the lowest rung with a usable contact, and every required rung.

    Empty: this customer cannot be reached by any channel; whoever calls makes a visit
    task of it if `ladder.visit`, and names the customer to the dispatcher in any case.
    """
    beside = [target for rung in ladder.rungs if rung.required for target in targets(rung, contacts)]
    for rung in ladder.rungs:
        climbed = [] if rung.required else targets(rung, contacts)
        if climbed:
            return beside + climbed
    return beside


def next(
    ladder: Ladder, contacts: Sequence[Contact], tried: Collection[Tried]
) -> list[Target] | Literal[End.VISIT] | None:
    """What follows when a delivery has failed.

    None: nothing, because something of the climb is still alive or told, or because the
    ladder ends without a visit. VISIT: every rung has failed and a person has to go.
    Called twice with the same `tried` it says the same.
    """
    if any(one.state in LIVE and one.channel not in ladder.required for one in tried):
        return None
    for rung in ladder.rungs:
        climbed = [] if rung.required else targets(rung, contacts, tried)
        if climbed:
            return climbed
    return VISIT if ladder.visit else None


class Action(StrEnum):
    """What is done while a key customer has not answered."""

    REMINDER = "reminder"
    CALL = "call"
    BACKUP = "backup"
    VISIT = "visit"


@dataclass(frozen=True)
class Step:
    """One step of an escalation: `after` the request, by `rung` (None for a visit)."""

    action: Action
    after: timedelta
    rung: Rung | None = None


@dataclass(frozen=True)
class Escalation:
    """Steps in order of time. `reserve` is kept free between the last step and the start."""

    steps: tuple[Step, ...] = ()
    reserve: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        spans = [step.after for step in self.steps]
        if spans != sorted(set(spans)) or any(span <= timedelta(0) for span in spans):
            raise ValueError("steps must be in order of time, each later than the one before")
        if self.reserve < timedelta(0):
            raise ValueError("reserve cannot be negative")

    def step_due(self, requested_at: datetime, start: datetime, step: int | Step) -> datetime:
        """When a step (or its index) is due, in UTC: its own time after the request, or, when too
        little is left until the start, all steps and the reserve shortened in proportion. At the
        start itself whoever has not answered is UNREACHED."""
        chosen = self.steps[step] if isinstance(step, int) else step
        asked = requested_at.astimezone(UTC)
        left = max(start.astimezone(UTC) - asked, timedelta(0))
        needed = self.steps[-1].after + self.reserve
        if left >= needed:
            return asked + chosen.after
        return asked + chosen.after * (left / needed)
