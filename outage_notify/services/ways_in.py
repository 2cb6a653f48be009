"""By which link somebody answers: the customer's own, or one that was passed on to a colleague.

Promises: a link that was passed on leads to its one notice and to nothing else of the customer's; revoked, it is
refused like one that never was (`BadToken`). Leaves to others: passing on and revoking (`delegate`).
"""

from __future__ import annotations

from dataclasses import dataclass

from channels.signing import BadToken
from outage_notify.services import links
from outage_notify.services.runtime import Runtime
from outage_notify.store.delegation_tables import Delegation


@dataclass(frozen=True)
class WayIn:
    """`ack`: the acknowledgement (database id). `delegation`: set where a colleague answers."""

    ack: int
    delegation: Delegation | None = None


def way_in(rt: Runtime, token: str) -> WayIn:
    """Where a link to answer leads. Raises BadToken."""
    try:
        return WayIn(links.acknowledgement_of(rt, token))
    except BadToken:
        # Whatever is wrong with it is not told here: the next question refuses it in the same time for all.
        pass
    number = links.subject_of(rt, links.DELEGATE, token)
    with rt.database.read() as session:
        found = session.get(Delegation, number)
        if found is None or found.revoked_at is not None:
            raise BadToken("revoked")
        return WayIn(found.acknowledgement_ref, found)


def acknowledgement(rt: Runtime, token: str) -> int:
    """The acknowledgement that a link leads to. Raises BadToken."""
    return way_in(rt, token).ack
