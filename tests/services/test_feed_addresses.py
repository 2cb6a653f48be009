"""A calendar's addresses: rotated with grace, handed out to one person, revoked; and when a feed is read anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services import feed_addresses, publish_calendar
from outage_notify.services.runtime import Runtime
from outage_notify.store import publication
from outage_notify.store.feed_tables import FeedAddress
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer, GridManager, ServicePoint
from outage_notify.store.work_queries import record
from outage_notify.store.work_tables import Event
from tests.factories.people import NOW, add_customer, add_grid_manager, add_outage
from tests.factories.runtimes import StandingClock, make_runtime

DAY = timedelta(days=1)


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


@pytest.fixture
def customer(rt: Runtime) -> Customer:
    with rt.database.write() as session:
        return add_customer(session, customer_id="K1", grid_manager=add_grid_manager(session))


def opens(rt: Runtime, address: str) -> bool:
    """Asked as the web does: first what is kept, then the database."""
    secret = address.rpartition("/")[2].removesuffix(".ics")
    kept = publish_calendar.kept_feed(rt, secret)
    found = publish_calendar.customer_feed(rt, secret)
    assert kept is None or kept is found
    return found is not None


def turn(rt: Runtime, by: timedelta) -> None:
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant = NOW + by


def test_a_rotated_address_still_opens_for_thirty_days(rt: Runtime, customer: Customer) -> None:
    new = feed_addresses.rotate(rt, "paula", "K1")
    newest = feed_addresses.rotate(rt, "paula", "K1")
    assert len({customer.feed_secret, new, newest}) == 3
    addresses = (customer.feed_secret, new, newest)
    turn(rt, 30 * DAY - timedelta(seconds=1))
    assert [opens(rt, one) for one in addresses] == [True, True, True]
    turn(rt, 30 * DAY)
    assert [opens(rt, one) for one in addresses] == [False, False, True]


def test_an_address_of_one_person_is_revoked_alone_and_at_once(rt: Runtime, customer: Customer) -> None:
    mine = feed_addresses.hand_out(rt, "paula", "K1", "Duty engineer")
    hers = feed_addresses.hand_out(rt, "paula", "K1", "Deputy")
    assert opens(rt, mine) and opens(rt, hers) and opens(rt, customer.feed_secret)
    first, _ = feed_addresses.listing(rt, "K1")
    feed_addresses.revoke(rt, "paula", "K1", first.id)
    feed_addresses.revoke(rt, "paula", "K1", first.id)
    assert [opens(rt, one) for one in (mine, hers, customer.feed_secret)] == [False, True, True]
    assert [one.holds for one in feed_addresses.listing(rt, "K1")] == [False, True]


def test_revoking_all_ends_every_subscription(rt: Runtime, customer: Customer) -> None:
    mine = feed_addresses.hand_out(rt, "paula", "K1", "Duty engineer")
    new = feed_addresses.rotate(rt, "paula", "K1")
    feed_addresses.revoke(rt, "paula", "K1")
    assert [opens(rt, one) for one in (mine, new, customer.feed_secret)] == [False, False, False]


def test_secrets_are_kept_as_hashes_and_stand_in_no_event(rt: Runtime, customer: Customer) -> None:
    handed = feed_addresses.hand_out(rt, "paula", "K1", "Duty engineer")
    feed_addresses.rotate(rt, "paula", "K1")
    with rt.database.read() as session:
        rows = [str(vars(one)) for one in session.scalars(select(FeedAddress))]
        events = [str(one.detail) for one in session.scalars(select(Event))]
    secret = handed.rpartition("/")[2].removesuffix(".ics")
    assert len(rows) == 2 and len(events) == 2
    for text in rows + events:
        assert secret not in text and customer.feed_secret not in text


def test_another_customers_address_cannot_be_revoked(rt: Runtime, customer: Customer) -> None:
    with rt.database.write() as session:
        add_customer(session, customer_id="K2")
    feed_addresses.hand_out(rt, "paula", "K1", "Duty engineer")
    number = feed_addresses.listing(rt, "K1")[0].id
    with pytest.raises(NotFound):
        feed_addresses.revoke(rt, "paula", "K2", number)
    with pytest.raises(NotFound):
        feed_addresses.rotate(rt, "paula", "nobody")
    with pytest.raises(InvalidInput):
        feed_addresses.hand_out(rt, "paula", "K1", "  ")


def version(rt: Runtime) -> int:
    return publication.standing(rt.database).version


def test_whatever_a_feed_shows_raises_the_version_once_per_commit(rt: Runtime, customer: Customer) -> None:
    before = version(rt)
    with rt.database.write() as session:
        outage = add_outage(session, [customer])
    assert version(rt) == before + 1
    with rt.database.write() as session:
        session.get_one(Outage, outage.id).cancel_reason = "storm"
    assert version(rt) == before + 2
    with rt.database.write() as session:  # past the flush, as an import writes
        session.execute(update(ServicePoint).values(place="2 River Road"))
        session.execute(insert(GridManager), [{"name": "Ines", "phone": "1"}])
    assert version(rt) == before + 3
    with rt.database.write() as session:
        record(session, NOW, "paula", "looked_at")
    with rt.database.read() as session:
        session.scalars(select(Customer)).all()
    assert version(rt) == before + 3


def test_what_is_rolled_back_raises_nothing(rt: Runtime, customer: Customer) -> None:
    before = version(rt)
    with pytest.raises(ZeroDivisionError), rt.database.write() as session:
        session.get_one(Customer, customer.id).name = "Renamed"
        session.flush()
        raise ZeroDivisionError
    assert version(rt) == before


def test_a_feed_is_rendered_once_per_change_of_its_own(rt: Runtime, customer: Customer) -> None:
    with rt.database.write() as session:
        other = add_customer(session, customer_id="K2")
        add_outage(session, [customer])
    for _ in range(5):
        assert opens(rt, customer.feed_secret)
    assert rt.feeds.rendered == 1
    with rt.database.write() as session:
        add_outage(session, [other])
    assert opens(rt, customer.feed_secret)
    assert rt.feeds.rendered == 1
    with rt.database.write() as session:
        session.execute(update(ServicePoint).values(place="2 River Road"))
    found = publish_calendar.customer_feed(rt, customer.feed_secret)
    assert found is not None and b"2 River Road" in found.body
    assert rt.feeds.rendered == 2
