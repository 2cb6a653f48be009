"""The office of a grid manager, which the page of an outage tells the public to call.

An administrator writes it; it is apart from the number of the person, which stays with the utility and the customers
that she looks after. An empty telephone takes the office from the public's pages.
"""

from __future__ import annotations

import re

from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import manager_queries
from outage_notify.store.work_queries import record

_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{2,38}")


def set_office(rt: Runtime, by: str, manager: int, name: str, phone: str) -> None:
    """What the public is told of a grid manager. The same twice changes nothing. InvalidInput, NotFound."""
    office, number = " ".join(name.split()), " ".join(phone.split())
    if number and not _PHONE.fullmatch(number):
        raise InvalidInput("That is no telephone number.", "Write it as +86 21 5550 0100.")
    if len(office) > 200:
        raise InvalidInput("The name is longer than 200 characters.", "Shorten it.")
    if number and not office:
        raise InvalidInput("The name of the office is missing.", "Say who answers at this number.")
    with rt.database.write() as session:
        found = manager_queries.by_id(session, manager)
        if found is None:
            raise NotFound("There is no such grid manager.", "Look at the list again.")
        if (found.office, found.office_phone) == (office, number):
            return
        found.office, found.office_phone = office, number
        found.office_serial += 1
        record(session, rt.now(session), by, "office_set", manager=manager)
