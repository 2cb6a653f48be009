"""All tables in one place, for migrations and for tests that look at the whole."""

from outage_notify.store import (
    acknowledgement_tables,
    announcement_tables,
    api_tables,
    cell_tables,
    chain_tables,
    clock_tables,
    delegation_tables,
    delivery_tables,
    enquiry_tables,
    feed_tables,
    follower_tables,
    job_tables,
    network_tables,
    outage_tables,
    own_key_tables,
    people_tables,
    plan_tables,
    protection_tables,
    saved_view_tables,
    sender_tables,
    trail_tables,
    user_tables,
    work_tables,
)
from outage_notify.store import publication as _publication  # noqa: F401 - raises the version at each commit
from outage_notify.store.database import Base

metadata = Base.metadata

__all__ = [
    "acknowledgement_tables",
    "announcement_tables",
    "api_tables",
    "cell_tables",
    "chain_tables",
    "clock_tables",
    "delegation_tables",
    "delivery_tables",
    "enquiry_tables",
    "feed_tables",
    "follower_tables",
    "job_tables",
    "metadata",
    "network_tables",
    "outage_tables",
    "own_key_tables",
    "people_tables",
    "plan_tables",
    "protection_tables",
    "saved_view_tables",
    "sender_tables",
    "trail_tables",
    "user_tables",
    "work_tables",
]
