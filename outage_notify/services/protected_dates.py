"""Protected dates (保电): add, list, take out of force. Checks before approval look at them."""

from __future__ import annotations

from datetime import date
from typing import Any

from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import check_queries, user_lookup
from outage_notify.store.protection_tables import ProtectedDay
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

LONGEST_DAYS = 366


def add(rt: Runtime, by: str, first: date, last: date, name: str) -> int:
    """Protect the days from `first` to `last`. Returns the entry's number. Twice makes two entries."""
    words = " ".join(name.split())[:200]
    if not words:
        raise InvalidInput("The name is missing.", "Say what is protected, such as an examination.")
    if last < first:
        raise InvalidInput("The last day lies before the first.", "Exchange the two.")
    if (last - first).days >= LONGEST_DAYS:
        raise InvalidInput("That is more than a year.", "Enter shorter spans.")
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.APPROVER)
        entry = ProtectedDay(first=first, last=last, name=words, added_at=now, added_by=by)
        session.add(entry)
        session.flush()
        record(session, now, by, "date_protected", first=first.isoformat(), last=last.isoformat(), name=words)
        return entry.id


def remove(rt: Runtime, by: str, number: int) -> None:
    """Take an entry out of force. Called twice, the first time stands."""
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.APPROVER)
        entry = session.get(ProtectedDay, number, with_for_update=True)
        if entry is None:
            raise NotFound(
                f"There is no protected date {number}.", "`outage-notify protect list` shows them."
            )
        if entry.removed_at is None:
            entry.removed_at, entry.removed_by = now, by
            record(session, now, by, "date_released", name=entry.name)


def listing(rt: Runtime) -> list[dict[str, Any]]:
    """Entries in force that are not over: `{"id", "first", "last", "name", "added_by"}`."""
    with rt.database.read() as session:
        today = rt.now(session).astimezone(rt.zone).date()
        return [
            {
                "id": one.id,
                "first": one.first.isoformat(),
                "last": one.last.isoformat(),
                "name": one.name,
                "added_by": one.added_by,
            }
            for one in check_queries.all_protected_days(session, today)
        ]
