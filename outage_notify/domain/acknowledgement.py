"""A key customer's signed answer (签收) to one revision: states, ways and legal moves."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class AckState(StrEnum):
    REQUESTED = "REQUESTED"
    ESCALATED = "ESCALATED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    OBJECTED = "OBJECTED"
    REFUSED = "REFUSED"
    UNREACHED = "UNREACHED"
    SUPERSEDED = "SUPERSEDED"


class AckWay(StrEnum):
    """How the answer was given. Opening a link is not a way: scanners open links."""

    LINK = "link"
    KEY_PRESS = "key_press"
    REPLY = "reply"
    PAPER = "paper"
    VISIT = "visit"
    OWN_KEY = "own_key"  # a registered key of the customer's, through the JSON interface
    PASSKEY = "passkey"  # a registered device of the customer's, on the page


class Level(StrEnum):
    """How strongly an answer is tied to a person: named in the receipt, explained in docs/legal.md."""

    CONTACT = "contact"  # somebody at the customer's number answered
    ADDRESS = "address"  # whoever opened the link sent to the customer's own address, giving name and role
    WITNESSED = "witnessed"  # an employee of the utility was there
    HANDWRITTEN = "handwritten"  # signed by hand; the slip is kept
    OWN_KEY = "own_key"  # signed by a key that only the customer holds; the signature is in the receipt


LEVELS: Mapping[AckWay, Level] = {
    AckWay.LINK: Level.ADDRESS,
    AckWay.KEY_PRESS: Level.CONTACT,
    AckWay.REPLY: Level.CONTACT,
    AckWay.PAPER: Level.HANDWRITTEN,
    AckWay.VISIT: Level.WITNESSED,
    AckWay.OWN_KEY: Level.OWN_KEY,
    AckWay.PASSKEY: Level.OWN_KEY,
}

# Ways that end in a signature of the customer's own beside ours.
SIGNED_BY_CUSTOMER = frozenset({AckWay.OWN_KEY, AckWay.PASSKEY})

A = AckState

ACK_MOVES: Mapping[AckState, frozenset[AckState]] = {
    A.REQUESTED: frozenset({A.ACKNOWLEDGED, A.OBJECTED, A.REFUSED, A.ESCALATED, A.UNREACHED, A.SUPERSEDED}),
    A.ESCALATED: frozenset({A.ACKNOWLEDGED, A.OBJECTED, A.REFUSED, A.UNREACHED, A.SUPERSEDED}),
    # An objection can be settled by talking; the customer then signs after all.
    A.OBJECTED: frozenset({A.ACKNOWLEDGED, A.REFUSED, A.SUPERSEDED}),
    A.ACKNOWLEDGED: frozenset({A.SUPERSEDED}),
    A.REFUSED: frozenset({A.ACKNOWLEDGED, A.SUPERSEDED}),
    A.UNREACHED: frozenset({A.SUPERSEDED}),
    A.SUPERSEDED: frozenset(),
}

OPEN = frozenset({A.REQUESTED, A.ESCALATED})
# Whom the decision to start without a signature is about; a refusal before a witness is an answer.
UNSIGNED = OPEN | {A.OBJECTED}
ANSWERED = frozenset({A.ACKNOWLEDGED, A.OBJECTED, A.REFUSED})


def ack_predecessors(target: AckState) -> frozenset[AckState]:
    """The states from which `target` may be entered."""
    return frozenset(state for state, moves in ACK_MOVES.items() if target in moves)
