"""Saved views of the board, each person's own. Saving under a name that exists replaces it."""

from __future__ import annotations

from outage_notify.domain.errors import InvalidInput
from outage_notify.services.runtime import Runtime
from outage_notify.store import saved_view_queries
from outage_notify.store.saved_view_tables import SavedView

MOST = 30


def listing(rt: Runtime, username: str) -> list[SavedView]:
    with rt.database.read() as session:
        return saved_view_queries.of(session, username)


def save(rt: Runtime, username: str, name: str, query: str) -> None:
    """InvalidInput for a name that is none, and for more than MOST views. Twice is once."""
    words = " ".join(name.split())[:100]
    if not words:
        raise InvalidInput("The name is missing.", "Say what the view shows.")
    with rt.database.write() as session:
        held = saved_view_queries.named(session, username, words)
        if held is not None:
            held.query, held.saved_at = query[:1000], rt.now(session)
            return
        if saved_view_queries.count(session, username) >= MOST:
            raise InvalidInput(f"There are {MOST} views already.", "Remove one first.")
        session.add(SavedView(username=username, name=words, query=query[:1000], saved_at=rt.now(session)))


def remove(rt: Runtime, username: str, number: int) -> None:
    """Somebody else's view, or one that is gone: nothing happens."""
    with rt.database.write() as session:
        saved_view_queries.drop(session, username, number)
