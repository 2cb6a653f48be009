"""The first customers' file of all, into empty tables: everybody is new, so nobody is looked for.

Promises the same rows as `customer_merge` would write, at a fifth of the cost: identifiers are
reserved beforehand, rows are bare values, references and indexes are made at the end, and the database
stores one batch while the next is made ready. At most two batches are in memory. A fault in
storing is raised by the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy.orm import Session

from outage_notify.services.customer_merge import IncomingCustomer
from outage_notify.services.import_report import Tally
from outage_notify.store import bulk
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site

Rows = list[tuple[Any, ...]]
_CUSTOMER = (
    "id",
    "feed_secret",
    "customer_id",
    "name",
    "kind",
    "tier",
    "life_support",
    "vulnerable",
    "language",
    "gone_at",
)
_SITE = ("id", "customer_ref", "site_id")
_POINT = ("service_point_id", "customer_ref", "site_ref", "element", "place", "grid_manager_ref")
_CONTACT = ("customer_ref", "channel", "address", "backup", "person", "position")


class FirstStore:
    """Stores batches in one session; the caller leaves the session alone until `finish`."""

    def __init__(
        self,
        session: Session,
        service_points: int,
        managers: Iterable[tuple[str, str]],
        new_secret: Callable[[], str],
    ) -> None:
        """`service_points` is how many rows will come at most, `managers` their grid managers."""
        self.session = session
        self.new_secret = new_secret
        self.customers = Tally()
        self.service_points = Tally()
        self.contacts = Tally()
        self._next_customer = iter(bulk.reserve_ids(session, Customer, service_points))
        self._next_site = iter(bulk.reserve_ids(session, Site, service_points))
        wanted = list(managers)
        ids = bulk.reserve_ids(session, GridManager, len(wanted))
        self._managers = dict(zip(wanted, ids, strict=True))
        rows = ((number, *one) for one, number in self._managers.items())
        bulk.insert_tuples(session, GridManager, ("id", "name", "phone"), rows)
        self._put_off = bulk.put_off(session, Customer, Site, ServicePoint, ContactPoint)
        self._writer = ThreadPoolExecutor(1, "customers")
        self._waiting: Future[None] | None = None

    def store(self, batch: Sequence[IncomingCustomer]) -> None:
        people: Rows = []
        sites: Rows = []
        points: Rows = []
        contacts: Rows = []
        for one in batch:
            number = next(self._next_customer)
            people.append((number, self.new_secret(), *one.row().values()))
            site_of: dict[str, int] = {}
            for cells in one.feeds:
                name = cells["site_id"]
                site = site_of.get(name)
                if site is None:
                    site = site_of[name] = next(self._next_site)
                    sites.append((site, number, name))
                manager = self._managers.get((cells["grid_manager"], cells["grid_manager_phone"]))
                points.append(
                    (cells["service_point_id"], number, site, cells["element"], cells["place"], manager)
                )
            contacts += [(number, *address) for address in one.addresses()]
        self.customers.added += len(people)
        self.service_points.added += len(points)
        self.contacts.added += len(contacts)
        self._settle()
        self._waiting = self._writer.submit(self._write, people, sites, points, contacts)

    def finish(self) -> None:
        """All is stored when this returns."""
        self._settle()
        self.close()
        bulk.make_up(self.session, self._put_off)
        bulk.analyse(self.session, Customer, Site, ServicePoint, ContactPoint)

    def close(self) -> None:
        """The session is the caller's again, whatever happened."""
        self._writer.shutdown(wait=True, cancel_futures=True)

    def _settle(self) -> None:
        if self._waiting is not None:
            self._waiting.result()

    def _write(self, people: Rows, sites: Rows, points: Rows, contacts: Rows) -> None:
        bulk.insert_tuples(self.session, Customer, _CUSTOMER, people)
        bulk.insert_tuples(self.session, Site, _SITE, sites)
        bulk.insert_tuples(self.session, ServicePoint, _POINT, points)
        bulk.insert_tuples(self.session, ContactPoint, _CONTACT, contacts)
