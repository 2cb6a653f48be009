"""An outage: its kinds, its states and the legal moves between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from outage_notify.domain.errors import IllegalMove


class OutageKind(StrEnum):
    """What kind of work or event interrupts supply; policies choose rules by it."""

    PLANNED = "planned"
    TEMPORARY = "temporary"
    CURTAILMENT = "curtailment"
    HAZARD_REMOVAL = "hazard_removal"
    FAULT = "fault"
    ARREARS = "arrears"
    CLOSURE = "closure"


class OutageState(StrEnum):
    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class RevisionState(StrEnum):
    """A revision n+1 is drafted and submitted beside the standing revision n."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    SUPERSEDED = "SUPERSEDED"
    DROPPED = "DROPPED"


OUTAGE_MOVES: Mapping[OutageState, frozenset[OutageState]] = {
    OutageState.DRAFT: frozenset({OutageState.SUBMITTED, OutageState.CANCELLED}),
    OutageState.SUBMITTED: frozenset({OutageState.APPROVED, OutageState.DRAFT, OutageState.CANCELLED}),
    OutageState.APPROVED: frozenset({OutageState.ACTIVE, OutageState.CANCELLED}),
    OutageState.ACTIVE: frozenset({OutageState.COMPLETED}),
    OutageState.COMPLETED: frozenset(),
    OutageState.CANCELLED: frozenset(),
}

REVISION_MOVES: Mapping[RevisionState, frozenset[RevisionState]] = {
    RevisionState.DRAFT: frozenset({RevisionState.SUBMITTED, RevisionState.DROPPED}),
    RevisionState.SUBMITTED: frozenset({RevisionState.APPROVED, RevisionState.DRAFT, RevisionState.DROPPED}),
    RevisionState.APPROVED: frozenset({RevisionState.SUPERSEDED}),
    RevisionState.SUPERSEDED: frozenset(),
    RevisionState.DROPPED: frozenset(),
}

# An outage in one of these states is shown to the public and in feeds.
PUBLIC_STATES = frozenset(
    {OutageState.APPROVED, OutageState.ACTIVE, OutageState.COMPLETED, OutageState.CANCELLED}
)


def require_move(reference: str, now: OutageState, to: OutageState) -> None:
    """Raise IllegalMove unless `now` may become `to`."""
    if to not in OUTAGE_MOVES[now]:
        allowed = ", ".join(sorted(OUTAGE_MOVES[now])) or "nothing more"
        raise IllegalMove(f"{reference} is {now}; it cannot become {to}.", f"From here: {allowed}.")
