"""A delivery: one notice to one address by one channel. Its states and legal moves.

The table here is the law; every UPDATE's WHERE in the store holds the legal
predecessors of its target and tells whether it won.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class DeliveryState(StrEnum):
    READY = "READY"
    CLAIMED = "CLAIMED"
    SUBMITTING = "SUBMITTING"
    IN_DOUBT = "IN_DOUBT"
    ACCEPTED = "ACCEPTED"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    WITHDRAWN = "WITHDRAWN"


S = DeliveryState

DELIVERY_MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    # READY > ACCEPTED | DELIVERED: the provider reports, late, that it did take an earlier
    # attempt which had been given up for lost; sending again would tell the person twice.
    # READY | CLAIMED > IN_DOUBT: a mail that may have been taken waits to be sent again, and is
    # cancelled or replaced meanwhile; it can't be taken back, since it may be out.
    S.READY: frozenset({S.CLAIMED, S.WITHDRAWN, S.IN_DOUBT, S.ACCEPTED, S.DELIVERED}),
    S.CLAIMED: frozenset({S.SUBMITTING, S.READY, S.WITHDRAWN, S.IN_DOUBT, S.ACCEPTED, S.DELIVERED}),
    S.SUBMITTING: frozenset({S.ACCEPTED, S.DELIVERED, S.FAILED, S.READY, S.IN_DOUBT}),
    S.IN_DOUBT: frozenset({S.ACCEPTED, S.DELIVERED, S.FAILED, S.READY, S.WITHDRAWN}),
    # ACCEPTED > READY: a call was taken, but our words could not be fetched: nobody heard anything.
    S.ACCEPTED: frozenset({S.DELIVERED, S.FAILED, S.READY}),
    # A late "delivered" outranks a "failed" that came before it out of order.
    S.FAILED: frozenset({S.DELIVERED}),
    S.DELIVERED: frozenset(),
    S.WITHDRAWN: frozenset(),
}

TOLD = frozenset({S.ACCEPTED, S.DELIVERED})
UNSENT = frozenset({S.READY, S.CLAIMED})
UNSETTLED = frozenset({S.SUBMITTING, S.IN_DOUBT})
LIVE = UNSENT | UNSETTLED | TOLD
ENDED = frozenset({S.FAILED, S.WITHDRAWN})


def predecessors(target: DeliveryState) -> frozenset[DeliveryState]:
    """The states from which `target` may be entered."""
    return frozenset(state for state, moves in DELIVERY_MOVES.items() if target in moves)
