"""Many customers at once, behind one line: for measurements and for waves that are disturbed.

Rows are inserted in bulk, not one by one; what happens to them afterwards is the product's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel, Language
from outage_notify.domain.audience import Tier
from outage_notify.domain.outage import OutageKind
from outage_notify.services import approve_outage, plan_outage
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.runtime import Runtime
from outage_notify.store import bulk, network_queries
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint, Site
from outage_notify.store.user_tables import Role, User
from tests.factories.small_networks import street

ZONE = ZoneInfo("Asia/Shanghai")
CHUNK = 5000


def address(channel: Channel, number: int) -> str:
    return f"p{number}@example.com" if channel is Channel.EMAIL else f"+86139{number:08d}"


def fill(rt: Runtime, people: int, by_channel: Sequence[Channel] = (Channel.SMS,)) -> list[str]:
    """The street, two users and `people` households on `load:2`, each with one address; returns these."""
    with rt.database.write() as session:
        network_queries.insert_version(
            session,
            street().to_rows(),
            imported_at=rt.now(session),
            imported_by="crowd",
            file_name="street",
            format="auto",
            sha256="0" * 64,
        )
        for name, role in (("petra", Role.PLANNER), ("anton", Role.APPROVER)):
            session.add(User(username=name, name=name, password_hash="-", roles=[role.value]))
        for at in range(1, people + 1, CHUNK):
            _chunk(session, range(at, min(at + CHUNK, people + 1)), by_channel)
        # As an import does, so that the database does not plan for an empty table.
        bulk.analyse(session, Customer, Site, ServicePoint, ContactPoint)
    return [address(by_channel[number % len(by_channel)], number) for number in range(1, people + 1)]


def _chunk(session: Session, numbers: Iterable[int], by_channel: Sequence[Channel]) -> None:
    customers: list[dict[str, Any]] = []
    sites: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    contacts: list[dict[str, Any]] = []
    for number in numbers:
        channel = by_channel[number % len(by_channel)]
        customers.append(
            {
                "id": number,
                "customer_id": f"C{number}",
                "name": f"N{number}",
                "kind": "household",
                "tier": Tier.LOW_VOLTAGE,
                "language": Language.EN,
                "feed_secret": f"{number:032x}",
            }
        )
        sites.append({"id": number, "customer_ref": number, "site_id": "S"})
        points.append(
            {
                "service_point_id": f"P{number}",
                "customer_ref": number,
                "site_ref": number,
                "element": "load:2",
                "place": f"{number} River Road",
            }
        )
        contacts.append(
            {"customer_ref": number, "channel": channel, "address": address(channel, number), "backup": False}
        )
    tables = ((Customer, customers), (Site, sites), (ServicePoint, points), (ContactPoint, contacts))
    for table, rows in tables:
        bulk.insert_rows(session, table, rows)


def submitted(rt: Runtime, days: int = 10) -> tuple[str, datetime]:
    """A planned outage of everybody, put to the approver at ten o'clock; returns its reference and that time."""
    with rt.database.write() as session:
        now = rt.now(session).astimezone(ZONE)
        day = (now + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
        rt.clock.turn_to(session, day)
    reference = plan_outage.plan(rt, "petra", request(day + timedelta(days=days)))
    plan_outage.submit(rt, "petra", reference)
    return reference, day


def request(start: datetime) -> PlanRequest:
    """Four hours of work that leave everybody without supply."""
    why = {"en": "line maintenance"}
    return PlanRequest(OutageKind.PLANNED, start, start + timedelta(hours=4), why, work=("line:2",))


def approved(rt: Runtime) -> tuple[str, datetime]:
    """The same, approved; returns its reference and when the first wave is due."""
    reference, day = submitted(rt)
    approve_outage.approve(rt, "anton", reference)
    return reference, day + timedelta(days=2, seconds=1)


def turn_to(rt: Runtime, instant: datetime) -> None:
    with rt.database.write() as session:
        rt.clock.turn_to(session, instant)
