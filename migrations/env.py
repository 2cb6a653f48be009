"""Alembic's entry: runs on the connection that the program hands over (see store/migrate.py)."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from outage_notify.store.database import Instant, Word
from outage_notify.store.tables import metadata


def plain_types(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Migrations hold plain types, so that an old one never depends on today's code."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Word):
        return "sa.String(length=32)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=plain_types,
)
with context.begin_transaction():
    context.run_migrations()
