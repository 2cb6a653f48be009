"""Key customers as the desk sees them: the list, and one with places, contacts and calendar addresses.

Reads only.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from outage_notify.domain.errors import NotFound
from outage_notify.services import customer_plans, feed_addresses
from outage_notify.services.customer_plans import KeptPlan
from outage_notify.services.customer_supplies import SiteSupplies, supplies
from outage_notify.services.feed_addresses import Address
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store import customer_queries, own_key_queries, visit_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from outage_notify.store.own_key_tables import OwnKey
from outage_notify.store.people_tables import Customer

MOST_LISTED = 200


@dataclass(frozen=True)
class CustomerPage:
    customer: Customer
    sites: Sequence[SiteSupplies]
    addresses: tuple[Address, ...]
    kept: KeptPlan
    receipts: Sequence[tuple[SignedReceipt, Acknowledgement, bool]]
    own_keys: Sequence[OwnKey]
    photos: Set[int] = frozenset()


def listing(rt: Runtime, words: str = "") -> Sequence[Customer]:
    """The first `MOST_LISTED` key customers whose name or identifier holds `words`."""
    with rt.database.read() as session:
        return customer_queries.key_customers(session, " ".join(words.split())[:100], MOST_LISTED)


def page(rt: Runtime, customer_id: str) -> CustomerPage:
    """One customer. NotFound if there is none with this identifier."""
    with rt.database.read() as session:
        found = customer_queries.whole_customer(session, customer_id)
        if found is None:
            raise NotFound("There is no such customer.", "Look for the name in the list.")
        receipts = acks.receipts_of(session, found.id)
        photos = visit_queries.photos_among(session, {receipt.sequence for receipt, _, _ in receipts})
        keys = own_key_queries.keys_of(session, found.id)
        sites = supplies(session, found.service_points)
    return CustomerPage(
        found,
        sites,
        feed_addresses.listing(rt, customer_id),
        customer_plans.kept(rt, customer_id),
        receipts,
        keys,
        photos,
    )


def scan(rt: Runtime, customer_id: str, sequence: int) -> tuple[str, bytes]:
    """(media type, content) of the scanned slip of one receipt. NotFound if this customer has none there."""
    with rt.database.read() as session:
        found = acks.scan_of(session, feed_addresses.customer(session, customer_id).id, sequence)
    if found is None:
        raise NotFound("There is no scan of this receipt.", "Look at the list of receipts.")
    return found


def photo(rt: Runtime, customer_id: str, sequence: int) -> bytes:
    """The photograph (JPEG) of one receipt. NotFound if this customer has none there."""
    with rt.database.read() as session:
        found = visit_queries.photo_of(session, feed_addresses.customer(session, customer_id).id, sequence)
    if found is None:
        raise NotFound("There is no photograph of this receipt.", "Look at the list of receipts.")
    return found
