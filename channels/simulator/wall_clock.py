"""The real UTC clock, as the default where nobody hands in a clock of their own.

The product passes its shared clock; this default serves a simulator that is started
by itself, as a provider with a clock of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
