"""Go or no-go: who has not signed is named before the work starts, and a second person decides.

Work that danger calls for waits for no signature. A decision is about one revision; the next
one asks everybody anew.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from outage_notify.domain.acknowledgement import UNSIGNED
from outage_notify.domain.errors import Blocked, IllegalMove, InvalidInput
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.services.plan_outage import changing
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries, user_lookup
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.outage_tables import Outage
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

URGENT = frozenset({OutageKind.FAULT, OutageKind.HAZARD_REMOVAL})
NAMED = 12


def unsigned(session: Session, outage: Outage) -> list[Acknowledgement]:
    """Key customers of the standing revision who were asked and have not signed (or have objected)."""
    asked = acknowledgement_queries.of_revision(session, outage.id, outage.revision)
    return [one for one in asked if one.state in UNSIGNED]


def may_start(outage: Outage, missing: int, by: str) -> bool:
    """Whether `by` may start it, as far as signatures go."""
    if not missing or outage.kind in URGENT:
        return True
    return outage.go_revision == outage.revision and outage.go_by != by


def decide(rt: Runtime, by: str, reference: str, reason: str, version: int | None = None) -> int:
    """An approver answers for a start without all signatures. Returns how many are missing.

    Called again, the later reason stands. Somebody else has to start.
    """
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.APPROVER)
        if outage.state is not OutageState.APPROVED:
            raise IllegalMove(f"{reference} is {outage.state}.", "Only an approved outage waits to start.")
        if not reason.strip():
            raise InvalidInput("The reason is missing.", "Say why it may start without the signatures.")
        missing = unsigned(session, outage)
        if not missing:
            raise IllegalMove(f"Nobody's signature is missing for {reference}.", "Start it.")
        outage.go_revision, outage.go_by = outage.revision, by
        outage.go_reason, outage.go_at = reason.strip()[:500], now
        record(
            session, now, by, "go_decided", outage=outage.id, missing=len(missing), reason=outage.go_reason
        )
        return len(missing)


def require(session: Session, outage: Outage, by: str) -> None:
    """Blocked, naming who has not signed, unless everybody has or a second person decided."""
    missing = unsigned(session, outage)
    if may_start(outage, len(missing), by):
        return
    names = ", ".join(sorted(one.customer.customer_id for one in missing[:NAMED]))
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    if outage.go_revision == outage.revision and outage.go_by == by:
        raise Blocked(f"{by} decided that {outage.reference} may start.", "Somebody else has to start it.")
    raise Blocked(
        f"{outage.reference}: {len(missing)} key customer{'s have' if len(missing) != 1 else ' has'} "
        f"not signed ({names}{more}).",
        "Have them sign, or let a second person decide with a reason (`outage-notify outage go`).",
    )
