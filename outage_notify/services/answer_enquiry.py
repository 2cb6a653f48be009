"""The hotline: is this place affected, when, why, till when, and was the customer told, by which channel?

Finds customers by phone, account, meter, name or place; shows what stands; logs what was asked.
Correcting a contact is `correct_contact`'s, sending again `resend_notice`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy.orm import Session

from channels.phone_numbers import PhoneNumberError, normalise
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.names_in_force import names_in_force
from outage_notify.services.numbers_in_force import whose_number_ends
from outage_notify.services.runtime import Runtime
from outage_notify.store import enquiry_queries, explain_queries, outage_queries, user_lookup
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.enquiry_tables import Enquiry
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.people_tables import Customer
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

MOST_FOUND = 20
SHORTEST = 2
SHOWN_AFTER_END = timedelta(days=7)
ENQUIRIES_SHOWN = 10
# The next ones of a customer; more are said to be there.
MOST_CONCERNS = 20


@dataclass(frozen=True)
class Concern:
    """One outage that concerns a customer: where, how much, and what was told."""

    outage: Outage
    revision: OutageRevision
    places: tuple[tuple[str, str], ...]  # (place, impact)
    deliveries: Sequence[Delivery]

    @property
    def until(self) -> datetime:
        return self.outage.expected_end or self.revision.end


@dataclass(frozen=True)
class Caller:
    customer: Customer
    concerns: Sequence[Concern]
    enquiries: Sequence[tuple[Enquiry, str | None]]
    more: bool = False  # outages that are not shown


@dataclass(frozen=True)
class Answer:
    """Up to MOST_FOUND customers; details only of a single one, so that nobody reads out a neighbour's."""

    found: Sequence[Customer]
    caller: Caller | None
    more: bool


def look_up(rt: Runtime, text: str, customer_id: str = "") -> Answer:
    """Who may be meant, and everything about the one that is. InvalidInput for less than two letters."""
    words = " ".join(text.split())[:200]
    with rt.database.read() as session:
        if customer_id:
            customer = explain_queries.customer_by_id(session, customer_id)
            if customer is None:
                raise NotFound(f"There is no customer {customer_id!r}.", "Search again.")
            return Answer([customer], _caller(session, rt, customer), False)
        if len(words) < SHORTEST:
            raise InvalidInput(
                "Type at least two letters or digits.", "A phone number, account, name or place."
            )
        found = enquiry_queries.by_number(session, words, _phones(words, rt.policy.country), MOST_FOUND + 1)
        if not found:
            named = islice(names_in_force(session, rt).holding(words), MOST_FOUND + 1)
            found = enquiry_queries.by_ids(session, list(named), MOST_FOUND + 1)
        if not found and (ending := _ending(words)):
            found = enquiry_queries.by_ids(session, whose_number_ends(session, rt, ending), MOST_FOUND + 1)
        caller = _caller(session, rt, found[0]) if len(found) == 1 else None
        return Answer(found[:MOST_FOUND], caller, len(found) > MOST_FOUND)


def log_enquiry(rt: Runtime, by: str, customer_id: str, reference: str, note: str) -> None:
    """Note down that a customer asked. Twice makes two entries: people do call twice."""
    words = note.strip()[:4000]
    if not words:
        raise InvalidInput("The note is empty.", "Write down what was asked.")
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.DESK)
        customer = explain_queries.customer_by_id(session, customer_id)
        if customer is None:
            raise NotFound(f"There is no customer {customer_id!r}.", "Search again.")
        outage = outage_queries.outage_by_reference(session, reference) if reference else None
        about = outage.id if outage else None
        session.add(Enquiry(at=now, taken_by=by, customer_ref=customer.id, outage_ref=about, note=words))
        record(session, now, by, "enquiry_logged", outage=about, customer=customer.id)


def _ending(text: str) -> str:
    """The digits of a part of a number; nothing if it is too short, or something else."""
    digits = re.sub(r"\D", "", text)
    return digits.lstrip("0") if len(digits) >= 6 and re.fullmatch(r"[\d\s()+./-]+", text) else ""


def _phones(text: str, country: str) -> list[str]:
    """The number that was typed, as contacts are stored; nothing if it is none."""
    try:
        return [normalise(text, country)]
    except PhoneNumberError:
        # A name, an account or a place: searched as such.
        return []


def _caller(session: Session, rt: Runtime, customer: Customer) -> Caller:
    _ = customer.contacts, customer.service_points
    since = rt.now(session) - SHOWN_AFTER_END
    grouped: dict[int, tuple[Outage, OutageRevision, list[tuple[str, str]]]] = {}
    near = enquiry_queries.revisions_of(session, customer.id, since, MOST_CONCERNS + 1)
    for outage, revision, member in enquiry_queries.outages_of(session, customer.id, near[:MOST_CONCERNS]):
        entry = grouped.setdefault(outage.id, (outage, revision, []))
        entry[2].append((member.service_point.place, member.impact.value))
    concerns = [
        Concern(outage, revision, tuple(places), explain_queries.deliveries(session, outage.id, customer.id))
        for outage, revision, places in grouped.values()
    ]
    asked = enquiry_queries.enquiries_of(session, customer.id, ENQUIRIES_SHOWN)
    return Caller(customer, concerns, asked, len(near) > MOST_CONCERNS)
