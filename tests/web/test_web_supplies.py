"""Sites, feeds and their feeders: at the desk, and on the customer's own page."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import select

from outage_notify.services import links
from outage_notify.services.customer_supplies import SiteSupplies, Supply
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.customer_queries import feeders_of
from outage_notify.store.people_tables import Customer
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person


def test_both_see_each_feed_with_its_feeder(rt: Runtime, stranger: Person, planner: Person) -> None:
    town.approved(rt)
    with rt.database.read() as session:
        feeders = feeders_of(session, {"load:4", "load:10", "load:999", "nonsense"})
        ack = session.scalars(
            select(Acknowledgement.id).join(Customer).where(Customer.customer_id == "H1")
        ).one()
    assert set(feeders) == {"load:4", "load:10"} and len(set(feeders.values())) == 2
    own = stranger.get(f"/s/{rt.link_token(links.SIGN, ack, NOW + timedelta(days=60))}/plan")
    desk = planner.get("/desk/customers/H1")
    for shown in (own.get_data(as_text=True), desk.get_data(as_text=True)):
        for fact in ("北街 4 号", "南街 4 号", "2 supplies", *feeders.values()):
            assert fact in shown
        assert "all on one feeder" not in shown
    assert "load:4" in desk.get_data(as_text=True) and "load:4" not in own.get_data(as_text=True)


def test_two_feeds_on_one_feeder_are_no_second_supply() -> None:
    point = cast(Any, SimpleNamespace())
    same = SiteSupplies("S1", (Supply(point, "Line 62"), Supply(point, "Line 62")))
    apart = SiteSupplies("S1", (Supply(point, "Line 62"), Supply(point, "Line 7")))
    unknown = SiteSupplies("S1", (Supply(point, ""), Supply(point, "")))
    assert (same.one_feeder, apart.one_feeder, unknown.one_feeder) == (True, False, False)
    assert not SiteSupplies("S1", (Supply(point, "Line 62"),)).one_feeder
