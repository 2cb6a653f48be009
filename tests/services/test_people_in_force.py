"""Columns of the people answer as their rows do, and are never older than the rows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from geo.grid_build import grid_of
from geo.model import GeoError, Network
from geo.resolve import trace_work
from outage_notify.domain.audience import Impact, Tier, assess
from outage_notify.services import people_in_force
from outage_notify.services.crowd import HIT, Listed, Tallied
from outage_notify.services.import_customers import import_customers
from outage_notify.services.resolve_audience import Resolved, Switching, foresee, page_of, resolve_audience
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_lookup, network_queries, people_columns, people_lookup, user_lookup
from outage_notify.store.people_tables import Customer, ServicePoint
from outage_notify.store.plan_tables import CustomerPlanRow
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.people import NOW, add_customer, add_service_point
from tests.factories.random_networks import random_network
from tests.factories.runtimes import make_runtime


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def store(rt: Runtime, seed: int, people: int = 60) -> Network:
    """A random network, and people on random loads, some with several sites, several feeds, or on no load."""
    network, chance = random_network(seed, 25, 40, seed % 2 == 0), random.Random(seed)
    loads = [name for name in network.elements if name.startswith(("load:", "sgen:"))]
    with rt.database.write() as session:
        network_queries.insert_version(
            session,
            network.to_rows(),
            imported_at=NOW,
            imported_by="test",
            file_name=f"{seed}.json",
            format="json",
            sha256=str(seed),
        )
        for _ in range(people):
            customer = add_customer(
                session,
                tier=chance.choice(list(Tier)),
                life_support=chance.random() < 0.2,
                channels=(),
                backup=False,
                places=(),
            )
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                element = chance.choice([*loads, *loads, "load:999", "load:07"])
                add_service_point(
                    session, customer, "street", site_id=chance.choice(("S1", "S2")), element=element
                )
    return network


def equal(rt: Runtime, switching: Switching) -> int:
    """Ask both ways; how many service points are affected."""
    with rt.database.read() as session:
        rows, columns = resolve_audience(session, rt, switching), foresee(session, rt, switching)
        names = {one.feed.service_point for one in columns.affected}
        listed = Listed.of(rows.affected)
        assert columns.resolution == rows.resolution
        assert columns.by_tier == rows.by_tier
        assert sorted(columns.affected, key=lambda one: one.feed.service_point) == sorted(
            rows.affected, key=lambda one: one.feed.service_point
        )
        pieces = in_pieces(session, rows)
        for crowd in (columns.hit, pieces):
            for impacts in (HIT, (Impact.OUTAGE,), (Impact.REDUCED_REDUNDANCY, Impact.MOMENTARY)):
                assert crowd.customers(impacts) == listed.customers(impacts)
            assert crowd.told(rt.policy) == listed.told(rt.policy)
            assert crowd.classes(rt.policy) == listed.classes(rt.policy)
        page = page_of(session, rt, switching, 0, 7, True)
        assert (page["total"], page["by_tier"]) == (len(rows.affected), rows.by_tier)
        assert tuple(page["lost"]) == rows.resolution.lost and len(page["service_points"]) <= 7
        order = [(list(Tier).index(Tier(one["tier"]))) for one in page["service_points"]]
        assert order == sorted(order)
        return len(names)


def in_pieces(session: Session, rows: Resolved) -> Tallied:
    """The same crowd, read a few feeds at a time as for a revision that is frozen; no site is torn apart."""
    lost, momentary = frozenset(rows.resolution.dark), frozenset(rows.resolution.momentary)
    crowd, found, sites = Tallied(), [], []
    for feeds in feed_lookup.feeds_by_site(session, lost | momentary, most=3):
        sites += sorted({one.site for one in feeds})
        affected = assess(feeds, lost, momentary)
        crowd.add(affected)
        found += affected
    assert len(sites) == len(set(sites))
    by_point = {one.feed.service_point: one for one in found}
    assert len(by_point) == len(found)
    assert by_point == {one.feed.service_point: one for one in rows.affected}
    return crowd


@pytest.mark.parametrize("seed", [1, 3, 4, 5])
def test_columns_answer_as_rows_do(rt: Runtime, seed: int) -> None:
    network = store(rt, seed)
    grid, chance = grid_of(network), random.Random(seed)
    elements = [name for name in network.elements if not name.startswith("ext_grid:")]
    hit = 0
    for _ in range(25):
        out = tuple(chance.sample(elements, chance.randint(1, 9)))
        ties = chance.random() < 0.5
        try:
            trace_work(grid, out=out, close_ties=ties)
        except GeoError:
            continue
        hit += equal(rt, Switching(out=out, close_ties=ties)) > 0
    assert hit > 3


def test_each_change_of_people_is_seen_at_once(rt: Runtime) -> None:
    network = store(rt, 1, 20)
    everything = Switching(out=tuple(name for name in network.elements if name.startswith("bus:")))
    before = equal(rt, everything)
    assert before > 0

    def held() -> str:
        with rt.database.read() as session:
            return people_columns.mark(session)

    def change(work: object) -> None:
        mark = held()
        with rt.database.write() as session:
            work(session)  # type: ignore[operator]
        assert held() != mark
        equal(rt, everything)

    with rt.database.read() as session:
        lost = resolve_audience(session, rt, everything).affected
    feed = lost[0].feed
    change(lambda session: setattr(session.get(Customer, feed.customer), "tier", Tier.SPECIAL))
    change(lambda session: setattr(session.get(Customer, feed.customer), "life_support", True))
    change(lambda session: setattr(session.get(ServicePoint, feed.service_point), "element", "load:999"))
    change(lambda session: setattr(session.get(ServicePoint, feed.service_point), "gone_at", NOW))
    assert equal(rt, everything) == before - 1
    change(lambda session: add_customer(session, places=("new",)))
    mark = held()
    with rt.database.write() as session:
        customer = session.get_one(Customer, feed.customer)
        customer.feed_secret, customer.vulnerable = "another", True
    assert held() == mark, "what does not count for tracing must not cost anything"


def test_an_import_of_customers_is_seen_at_once(rt: Runtime, tmp_path: Path) -> None:
    network = store(rt, 3, 0)
    loads = sorted(name for name in network.elements if name.startswith("load:"))
    everything = Switching(out=tuple(name for name in network.elements if name.startswith("bus:")))

    def take_over(**last: object) -> int:
        rows = [customer_row(number, element=load) for number, load in enumerate(loads)]
        rows[-1] |= customer_row(len(loads) - 1, **{"element": loads[-1], **last})
        import_customers(rt, write_customers(tmp_path / "people.csv", rows[int("tier" in last) :]))
        return equal(rt, everything)

    with rt.database.read() as session:
        assert foresee(session, rt, everything).affected == ()
    known = take_over()
    assert known > 1
    # Everybody is there already: this import changes rows, and marks the first as gone.
    assert take_over(tier="FIRST", life_support="1") in {known, known - 1}
    assert take_over(element=loads[0]) >= known - 1
    with rt.database.read() as session:
        before = people_columns.mark(session)
    take_over(element=loads[0])
    with rt.database.read() as session:
        assert people_columns.mark(session) == before, "an import that changes nothing must not cost anything"


def test_the_file_is_shared_replaced_and_not_trusted_when_damaged(rt: Runtime) -> None:
    network = store(rt, 3, 20)
    out = Switching(out=tuple(name for name in network.elements if name.startswith("bus:")))
    equal(rt, out)
    folder = Path(rt.settings.state_dir) / "networks"
    (path,) = folder.glob("*.people")
    people_in_force.FILE.forget()
    written = path.stat().st_mtime_ns
    equal(rt, out)
    assert path.stat().st_mtime_ns == written
    for damage in (b"", path.read_bytes()[:-40], b"not what it was" * 40):
        people_in_force.FILE.forget()
        path.write_bytes(damage)
        equal(rt, out)
    with rt.database.write() as session:
        add_customer(session, places=("new",))
    equal(rt, out)
    assert [one for one in folder.glob("*.people") if one != path] and not path.exists()


def test_many_names_are_numbered_as_one_is(rt: Runtime) -> None:
    ids = grid_of(random_network(4, 25, 40, True)).ids
    names = [ids.name(number) for number in range(ids.count)]
    odd = ["load:07", "load:", "load", "", "zzz:1", "load:٣", "load:99999999999999999999", "load:-1"]
    asked = [*names, *odd, *reversed(names)]
    assert ids.numbers(asked).tolist() == [-1 if (n := ids.number(one)) is None else n for one in asked]


def test_contacts_and_plans_of_very_many_are_asked_in_one_statement(rt: Runtime) -> None:
    with rt.database.write() as session:
        reachable = add_customer(session, places=())
        alone = add_customer(session, channels=(), backup=False, places=())
        session.add(CustomerPlanRow(customer_ref=alone.id, plan={}))
    many = [reachable.id, alone.id, *range(1_000_000, 1_070_000)]
    with rt.database.read() as session:
        assert user_lookup.without_contact(session, many) == 70_001
        assert [one.customer_ref for one in people_lookup.plans_of(session, many)] == [alone.id]
