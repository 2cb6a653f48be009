"""Bring a batch of customers from a file into the tables, beside what is there already.

Promises: rows that stay keep their ids; only what differs is written; the tallies tell
added, changed, gone and same. Leaves to the caller who is gone altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from channels.model import Channel, Language
from outage_notify.domain.audience import Tier
from outage_notify.services.import_report import Tally
from outage_notify.store import bulk, manager_queries, people_queries
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site

_TIERS = {one.value: one for one in Tier}
_LANGUAGES = {one.value: one for one in Language}


@dataclass
class IncomingCustomer:
    """One customer as the file has it: merged values, and one dict of cells per service point."""

    customer_id: str
    line: int
    values: dict[str, str]
    feeds: list[dict[str, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return {
            "customer_id": self.customer_id,
            "name": self.values["name"],
            "kind": self.values["kind"],
            "tier": _TIERS[self.values["tier"]],
            "life_support": self.values["life_support"] == "1",
            "vulnerable": self.values["vulnerable"] == "1",
            "language": _LANGUAGES[self.values["language"]],
            "gone_at": None,
        }

    def addresses(self) -> list[tuple[Channel, str, bool, str, int]]:
        """(channel, address, backup, person, position): the customer's own ones first, then the backup's.

        The letter goes to the first service point. A backup is told by text and by call. No two are of the
        same channel and side.
        """
        values = self.values
        wanted = [
            (Channel.SMS, values["sms"], False, "", 0),
            (Channel.VOICE, values["voice"], False, "", 1),
            (Channel.EMAIL, values["email"], False, "", 2),
            (Channel.LETTER, self.feeds[0]["place"], False, "", 3),
        ]
        if backup := values["backup_phone"]:
            person = values["backup_name"]
            wanted += [(Channel.SMS, backup, True, person, 4), (Channel.VOICE, backup, True, person, 5)]
        return [one for one in wanted if one[1]]

    def contacts(self) -> dict[tuple[Channel, str, bool], dict[str, Any]]:
        """The addresses by (channel, address, backup)."""
        return {
            (channel, address, backup): {"person": person, "position": position}
            for channel, address, backup, person, position in self.addresses()
        }


class Merge:
    """Stores batches in one session; the tallies grow with each."""

    def __init__(
        self,
        session: Session,
        now: datetime,
        new_secret: Callable[[], str],
        managed: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        """`managed`: load to the (area, manager) that decides it, whomever the file names."""
        self.session = session
        self._managed = managed or {}
        self.now = now
        self.new_secret = new_secret
        self.customers = Tally()
        self.service_points = Tally()
        self.contacts = Tally()
        self._managers = manager_queries.known_as(session)
        bulk.prefer_indexes(session)

    def store(self, batch: Sequence[IncomingCustomer]) -> None:
        ids = self._store_customers(batch)
        self._store_feeds(batch, ids)
        self._store_contacts(batch, ids)

    def finish(self) -> None:
        """After the last batch."""
        bulk.analyse(self.session, Customer, Site, ServicePoint, ContactPoint)

    def close(self) -> None:
        """Nothing is open: every batch was stored when `store` returned."""

    def _store_customers(self, batch: Sequence[IncomingCustomer]) -> dict[str, int]:
        """Row id by customer_id."""
        there = people_queries.customers_by_id(self.session, [one.customer_id for one in batch])
        ids = {name: row.id for name, row in there.items()}
        new, changed = [], []
        for customer in batch:
            row = customer.row()
            if customer.customer_id not in there:
                new.append({**row, "feed_secret": self.new_secret()})
            elif _differs(there[customer.customer_id], row):
                changed.append({"id": ids[customer.customer_id], **row})
                _count(self.customers, there[customer.customer_id])
            else:
                self.customers.same += 1
        for row, number in zip(new, people_queries.insert_rows(self.session, Customer, new), strict=True):
            ids[row["customer_id"]] = number
        people_queries.update_rows(self.session, Customer, changed)
        self.customers.added += len(new)
        return ids

    def _store_feeds(self, batch: Sequence[IncomingCustomer], ids: dict[str, int]) -> None:
        sites = self._sites(batch, ids)
        names = [cells["service_point_id"] for customer in batch for cells in customer.feeds]
        there = people_queries.service_points_by_id(self.session, names)
        new, changed = [], []
        for customer in batch:
            for cells in customer.feeds:
                owner = ids[customer.customer_id]
                row = {
                    "service_point_id": cells["service_point_id"],
                    "customer_ref": owner,
                    "site_ref": sites[owner, cells["site_id"]],
                    "element": cells["element"],
                    "place": cells["place"],
                    **self._responsible(cells),
                    "gone_at": None,
                }
                known = there.get(cells["service_point_id"])
                if known is None:
                    new.append(row)
                elif _differs(known, row):
                    changed.append({"id": known.id, **row})
                    _count(self.service_points, known)
                else:
                    self.service_points.same += 1
        people_queries.insert_rows(self.session, ServicePoint, new)
        people_queries.update_rows(self.session, ServicePoint, changed)
        self.service_points.added += len(new)

    def _sites(self, batch: Sequence[IncomingCustomer], ids: dict[str, int]) -> dict[tuple[int, str], int]:
        there = people_queries.sites_of(self.session, list(ids.values()))
        wanted = dict.fromkeys(
            (ids[customer.customer_id], cells["site_id"]) for customer in batch for cells in customer.feeds
        )
        new = [key for key in wanted if key not in there]
        rows = [{"customer_ref": owner, "site_id": name} for owner, name in new]
        for key, number in zip(new, people_queries.insert_rows(self.session, Site, rows), strict=True):
            there[key] = number
        return there

    def _responsible(self, cells: dict[str, str]) -> dict[str, int | None]:
        named = self._manager(cells["grid_manager"], cells["grid_manager_phone"])
        if cells["element"] not in self._managed:
            return {"grid_manager_ref": named, "area_ref": None, "named_manager_ref": None}
        area, manager = self._managed[cells["element"]]
        return {"grid_manager_ref": manager, "area_ref": area, "named_manager_ref": named}

    def _manager(self, name: str, phone: str) -> int | None:
        if not name:
            return None
        if (name, phone) not in self._managers:
            (number,) = people_queries.insert_rows(
                self.session, GridManager, [{"name": name, "phone": phone}]
            )
            self._managers[name, phone] = number
        return self._managers[name, phone]

    def _store_contacts(self, batch: Sequence[IncomingCustomer], ids: dict[str, int]) -> None:
        there = people_queries.contacts_of(self.session, list(ids.values()))
        new, moved, back, left = [], [], [], []
        for customer in batch:
            owner = ids[customer.customer_id]
            wanted = customer.contacts()
            for known in there.get(owner, []):
                row = wanted.pop((known.channel, known.address, known.backup), None)
                if row is None:
                    # A mark that the provider set says more than ours; it stays.
                    if known.bad_at is None:
                        left.append({"id": known.id, "bad_at": self.now, "bad_reason": people_queries.LEFT})
                    continue
                if known.bad_at is not None and known.bad_reason == people_queries.LEFT:
                    back.append({"id": known.id, "bad_at": None, "bad_reason": "", **row})
                elif _differs(known, row):
                    moved.append({"id": known.id, **row})
                else:
                    self.contacts.same += 1
            for (channel, address, is_backup), row in wanted.items():
                new.append(
                    {
                        "customer_ref": owner,
                        "channel": channel,
                        "address": address,
                        "backup": is_backup,
                        **row,
                    }
                )
        people_queries.insert_rows(self.session, ContactPoint, new)
        for rows in (moved, back, left):
            people_queries.update_rows(self.session, ContactPoint, rows)
        self.contacts.added += len(new) + len(back)
        self.contacts.changed += len(moved)
        self.contacts.gone += len(left)


def _differs(known: Any, row: dict[str, Any]) -> bool:
    return any(getattr(known, name) != value for name, value in row.items())


def _count(tally: Tally, known: Any) -> None:
    """Who comes back counts as added: to the reader the customer is new again."""
    if known.gone_at is not None:
        tally.added += 1
    else:
        tally.changed += 1
