"""Corrects how a customer is reached, at the customer's own word.

The new address takes the place of the old one, which is kept as wrong so that nobody is told there
again. The customer system should be corrected too: its next import brings its own addresses back.
"""

from __future__ import annotations

import re

from channels.model import Channel
from channels.phone_numbers import PhoneNumberError, normalise
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import explain_queries, user_lookup
from outage_notify.store.people_tables import ContactPoint
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import close_tasks, record
from outage_notify.store.work_tables import TaskKind

REPLACED = "corrected at the customer's word"
_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}")


def correct(
    rt: Runtime, by: str, customer_id: str, channel: Channel, address: str, instead_of: int | None = None
) -> None:
    """Set the address of a channel; `instead_of` is the contact that it replaces. Twice is once."""
    good = _address(channel, address, rt.policy.country)
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.DESK)
        customer = explain_queries.customer_by_id(session, customer_id)
        if customer is None:
            raise NotFound(f"There is no customer {customer_id!r}.", "Search again.")
        old = next((one for one in customer.contacts if one.id == instead_of), None)
        if instead_of is not None and (old is None or old.channel is not channel):
            raise NotFound("There is no such contact of this customer.", "Load the page again.")
        backup = old.backup if old else False
        new = next(
            (
                one
                for one in customer.contacts
                if (one.channel, one.address, one.backup) == (channel, good, backup)
            ),
            None,
        )
        if new is None:
            new = ContactPoint(customer_ref=customer.id, channel=channel, address=good, backup=backup)
            new.person, new.position = (old.person, old.position) if old else ("", len(customer.contacts))
            session.add(new)
        new.bad_at, new.bad_reason, new.opted_out_at = None, "", None
        if old is not None and old is not new:
            old.bad_at, old.bad_reason = now, REPLACED
        for kind in (TaskKind.CONTACT_BAD, TaskKind.CONTACT_MISSING):
            close_tasks(session, kind, now, by, customer=customer.id)
        record(session, now, by, "contact_corrected", customer=customer.id, channel=channel.value)


def _address(channel: Channel, text: str, country: str) -> str:
    words = text.strip()
    if channel in {Channel.SMS, Channel.VOICE}:
        try:
            return normalise(words, country)
        except PhoneNumberError as error:
            raise InvalidInput(error.message, error.remedy) from error
    if channel is Channel.EMAIL:
        if len(words) > 320 or not _EMAIL.fullmatch(words):
            raise InvalidInput("This is not an e-mail address.", "Write one such as name@example.com.")
        person, _, host = words.rpartition("@")
        return f"{person}@{host.lower()}"
    raise InvalidInput("A letter goes to the place itself.", "Correct the place in the customer system.")
