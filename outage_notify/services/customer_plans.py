"""One customer, one plan: the desk keeps it, the customer proposes, the planner's checks read it.

Promises: what a customer proposes from its own page changes nothing until the desk takes it, and a newer proposal
replaces an older one; each change is an event. Leaves to `domain.customer_plan` what a plan may say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.signing import BadToken
from outage_notify.domain.checks import CheckKind, Finding, Weight
from outage_notify.domain.customer_plan import CustomerPlan
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services import feed_addresses, links
from outage_notify.services.customer_supplies import SiteSupplies, supplies
from outage_notify.services.runtime import Runtime
from outage_notify.store import people_lookup
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.people_tables import Customer
from outage_notify.store.plan_tables import CustomerPlanRow
from outage_notify.store.work_queries import record

LARGEST_FILE = 4 * 1024 * 1024


@dataclass(frozen=True)
class KeptPlan:
    """The plan that stands and the proposal beside it, if there is one."""

    plan: CustomerPlan
    changed_at: datetime | None
    changed_by: str
    proposal: CustomerPlan | None
    proposed_at: datetime | None
    proposed_by: str
    file_name: str


def kept(rt: Runtime, customer_id: str) -> KeptPlan:
    """A customer's plan; an empty one where nothing was written yet."""
    with rt.database.read() as session:
        return _kept(session, feed_addresses.customer(session, customer_id).id)


def save(
    rt: Runtime, by: str, customer_id: str, plan: CustomerPlan, file: bytes = b"", file_name: str = ""
) -> None:
    """The desk writes the plan; a file (PDF) replaces the earlier one, none keeps it."""
    if file and (not file.startswith(b"%PDF-") or len(file) > LARGEST_FILE):
        raise InvalidInput("The emergency plan is no PDF, or too large.", "Use a PDF of at most 4 MB.")
    with rt.database.write() as session:
        row, now = _row(session, feed_addresses.customer(session, customer_id).id), rt.now(session)
        row.plan, row.changed_at, row.changed_by = plan.to_dict(), now, by
        if file:
            row.file, row.file_name = file, " ".join(file_name.split())[-200:] or "emergency-plan.pdf"
        record(session, now, by, "plan_changed", customer=row.customer_ref, file=bool(file))


def emergency_file(rt: Runtime, customer_id: str) -> bytes:
    """The PDF. NotFound if there is none."""
    with rt.database.read() as session:
        row = session.get(CustomerPlanRow, feed_addresses.customer(session, customer_id).id)
        if row is None or row.file is None:
            raise NotFound("This customer has no emergency plan on file.", "Upload it with the plan.")
        return row.file


def decide(rt: Runtime, by: str, customer_id: str, take: bool) -> None:
    """Take or dismiss what the customer proposed. Without a proposal nothing happens: somebody was faster."""
    with rt.database.write() as session:
        row, now = _row(session, feed_addresses.customer(session, customer_id).id), rt.now(session)
        if row.proposal is None:
            return
        if take:
            row.plan, row.changed_at, row.changed_by = row.proposal, now, by
        row.proposal, row.proposed_at, row.proposed_by = None, None, ""
        what = "plan_proposal_taken" if take else "plan_proposal_dismissed"
        record(session, now, by, what, customer=row.customer_ref)


def supplies_of_link(rt: Runtime, token: str) -> list[SiteSupplies]:
    """The sites and feeds of the customer behind a link to sign. Raises BadToken."""
    ack = links.acknowledgement_of(rt, token)
    with rt.database.read() as session:
        found = session.get(Acknowledgement, ack)
        if found is None:
            raise BadToken("unknown")
        return supplies(session, found.customer.service_points)


def of_link(rt: Runtime, token: str) -> tuple[Customer, KeptPlan]:
    """The customer behind a link to sign, and its plan. Raises BadToken."""
    ack = links.acknowledgement_of(rt, token)
    with rt.database.read() as session:
        found = session.get(Acknowledgement, ack)
        if found is None:
            raise BadToken("unknown")
        return found.customer, _kept(session, found.customer_ref)


def propose(rt: Runtime, token: str, name: str, change: Callable[[CustomerPlan], CustomerPlan]) -> None:
    """Keep what the customer proposes: the plan that stands with `change` made to it."""
    customer, standing = of_link(rt, token)
    name = " ".join(name.split())
    if not 0 < len(name) <= 200 or not name.isprintable():
        raise InvalidInput("signer_name is empty.", "Say who proposes this, in name.")
    proposal = change(standing.proposal or standing.plan)
    with rt.database.write() as session:
        row, now = _row(session, customer.id), rt.now(session)
        row.proposal, row.proposed_at, row.proposed_by = proposal.to_dict(), now, name
        record(session, now, "customer", "plan_proposed", customer=customer.id)


def proposals(rt: Runtime) -> list[Customer]:
    """Customers whose proposal waits for the desk, the oldest first."""
    with rt.database.read() as session:
        statement = (
            select(Customer)
            .join(CustomerPlanRow, CustomerPlanRow.customer_ref == Customer.id)
            .where(CustomerPlanRow.proposal.is_not(None))
            .order_by(CustomerPlanRow.proposed_at)
        )
        return list(session.scalars(statement))


_ADVICE = frozenset({CheckKind.SHORT_BACKUP, CheckKind.BACKUP_UNTESTED})


def findings(
    session: Session,
    people: Collection[int],
    without: Collection[int],
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[Finding]:
    """What the plans of affected `people` say against a window, one finding per kind; those `without` supply
    may have a backup that does not last, or that nobody has tested for long."""
    hurt: dict[CheckKind, list[tuple[int, str]]] = {}
    for row in people_lookup.plans_of(session, people):
        plan, one = CustomerPlan.from_dict(row.plan), row.customer_ref
        if times := plan.hurt(start, end, zone):
            hurt.setdefault(CheckKind.CRITICAL_TIME, []).append((one, "; ".join(times)))
        if plan.too_short(start, now):
            hours = str(plan.minimum_notice_hours)
            hurt.setdefault(CheckKind.CONTRACT_NOTICE, []).append((one, hours))
        if one in without and not plan.outlasts(start, end):
            hurt.setdefault(CheckKind.SHORT_BACKUP, []).append((one, f"{plan.backup_hours:g}"))
        if one in without and plan.untested(start, zone):
            tested = plan.backup_tested.isoformat() if plan.backup_tested else ""
            hurt.setdefault(CheckKind.BACKUP_UNTESTED, []).append((one, tested))
    for kind, found in hurt.items():
        weight = Weight.ADVICE if kind in _ADVICE else Weight.OVERRIDE
        yield Finding(
            kind,
            weight,
            customers=len(found),
            people=tuple(one for one, _ in found[:12]),
            detail="; ".join(dict.fromkeys(text for _, text in found if text))[:200],
        )


def _kept(session: Session, customer: int) -> KeptPlan:
    row = session.get(CustomerPlanRow, customer)
    if row is None:
        return KeptPlan(CustomerPlan(), None, "", None, None, "", "")
    proposal = CustomerPlan.from_dict(row.proposal) if row.proposal is not None else None
    return KeptPlan(
        CustomerPlan.from_dict(row.plan),
        row.changed_at,
        row.changed_by,
        proposal,
        row.proposed_at,
        row.proposed_by,
        row.file_name,
    )


def _row(session: Session, customer: int) -> CustomerPlanRow:
    row = session.get(CustomerPlanRow, customer)
    if row is None:
        row = CustomerPlanRow(customer_ref=customer, plan={})
        session.add(row)
    return row
