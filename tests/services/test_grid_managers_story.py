"""Grid managers edited by hand: who is named in notices, who gets the visits, and that no import undoes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from channels.model import Channel
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from outage_notify.services import grid_managers, manager_areas, visits
from outage_notify.services.import_customers import import_customers
from outage_notify.store.people_tables import ServicePoint
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import Event, Task, TaskKind
from tests.factories.world import World

ADMIN = "paul"
EVE, MEI = "+493023125701", "+493023125702"
HEAD = "customer_id,name,kind,tier,life_support,vulnerable,language,site_id,service_point_id,element,place"
HEAD += ",sms,voice,email,backup_name,backup_phone,grid_manager,grid_manager_phone"


def manager(city: World, number: int) -> grid_managers.Manager:
    return grid_managers.show(city.rt, number)


def change(city: World, number: int, **to: object) -> None:
    one = manager(city, number)
    wanted = {"name": one.name, "phone": one.phone, "deputy": one.deputy, "away": one.away, **to}
    grid_managers.change(city.rt, ADMIN, number, one.seen, **wanted)  # type: ignore[arg-type]


def whose(city: World) -> dict[str, int | None]:
    with city.rt.database.read() as session:
        rows = session.execute(select(ServicePoint.element, ServicePoint.grid_manager_ref))
        return {row.element: row.grid_manager_ref for row in rows}


def file(city: World, folder: Path, *rows: tuple[str, str, str, str]) -> None:
    """A customers' file with (id, load, manager, number) each."""
    path = folder / "customers.csv"
    lines = [
        f"{id},N {id},household,LOW_VOLTAGE,0,0,en,S{id},{id}-1,{load},1 {id} Road,"
        f"+4930231250{at:02},,,,,{name},{phone}"
        for at, (id, load, name, phone) in enumerate(rows, 10)
    ]
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    import_customers(city.rt, path)


def test_who_is_away_is_named_by_nobody_and_the_deputy_sees_the_visits(city: World) -> None:
    home = city.customer()
    deputy = grid_managers.add(city.rt, ADMIN, "Eve", EVE)
    change(city, city.manager, deputy=deputy, away=True)
    city.approved()
    city.first_wave()
    text = city.ledger(city.address(home, Channel.SMS))[0]["text"]
    assert f"Eve {EVE}" in text and manager(city, city.manager).name not in text
    with city.rt.database.write() as session:
        outage, customer = session.execute(select(Task.outage_ref, Task.customer_ref).limit(1)).first() or (
            1,
            1,
        )
        open_task(
            session,
            TaskKind.VISIT,
            "visit",
            city.rt.now(session),
            outage=outage,
            customer=customer,
            grid_manager=city.manager,
        )
    assert len(visits.round_of(city.rt, deputy)) == 1
    change(city, city.manager, away=False)
    assert visits.round_of(city.rt, deputy) == []


def test_a_file_with_an_earlier_name_means_the_same_person(
    city: World, tmp_path: Path, loads: Callable[[str], list[str]]
) -> None:
    first, second = sorted(loads("all"))[:2]
    file(city, tmp_path, ("A", first, "Eve", EVE))
    (eve,) = (one.id for one in grid_managers.listing(city.rt) if one.name == "Eve")
    change(city, eve, name="Eve Zhou", phone=MEI)
    file(city, tmp_path, ("A", first, "Eve", EVE), ("B", second, "Eve Zhou", MEI))
    assert whose(city) == {first: eve, second: eve}
    assert [one.name for one in grid_managers.listing(city.rt) if "Eve" in one.name] == ["Eve Zhou"]


def test_who_has_left_is_followed_by_the_successor_in_later_files_too(city: World, tmp_path: Path) -> None:
    file(city, tmp_path, ("A", "load:2", "Eve", EVE))
    (eve,) = (one.id for one in grid_managers.listing(city.rt) if one.name == "Eve")
    mei = grid_managers.add(city.rt, ADMIN, "Mei", MEI)
    assert grid_managers.end(city.rt, ADMIN, eve, manager(city, eve).seen, mei, "retired") == 1
    assert whose(city) == {"load:2": mei}
    file(city, tmp_path, ("A", "load:2", "Eve", EVE))
    assert whose(city) == {"load:2": mei}
    assert [one.ended for one in grid_managers.listing(city.rt) if one.id == eve] == [True]
    with pytest.raises(NotFound, match="has left"):
        change(city, eve, name="Eva")
    assert grid_managers.add(city.rt, ADMIN, "Eve", EVE) == eve
    file(city, tmp_path, ("A", "load:2", "Eve", EVE))
    assert whose(city) == {"load:2": eve}


def test_an_area_counts_before_the_file_and_gives_back_what_the_file_says(
    city: World, tmp_path: Path, loads: Callable[[str], list[str]]
) -> None:
    rows = [(f"C{at}", load, "Eve", EVE) for at, load in enumerate(sorted(loads("all")))]
    file(city, tmp_path, *rows)
    (eve,) = (one.id for one in grid_managers.listing(city.rt) if one.name == "Eve")
    mei = grid_managers.add(city.rt, ADMIN, "Mei", MEI)
    (one_load,) = loads("load:2")
    assert manager_areas.add(city.rt, ADMIN, mei, one_load, "closer") == 1
    assert {load for load, number in whose(city).items() if number == mei} == {one_load}
    file(city, tmp_path, *rows)
    assert whose(city)[one_load] == mei, "an import undoes no area"
    with pytest.raises(Conflict):
        manager_areas.add(city.rt, ADMIN, mei, one_load, "again")
    assert manager_areas.add(city.rt, ADMIN, eve, one_load, "passes on") == 1
    assert [one.manager for one in manager_areas.listing(city.rt)] == [eve]
    (area,) = manager_areas.listing(city.rt, eve)
    assert area.service_points == 1
    assert manager_areas.end(city.rt, ADMIN, area.id, "as before") == 1
    assert set(whose(city).values()) == {eve}
    with pytest.raises(NotFound):
        manager_areas.end(city.rt, ADMIN, area.id, "twice")


def test_of_two_areas_the_smaller_counts_and_what_another_release_wrote_is_set_right(
    city: World, loads: Callable[[str], list[str]]
) -> None:
    every = sorted(loads("all"))
    for load in every:
        city.customer(load)
    feeders = manager_areas.feeders(city.rt)
    whole = next(one for one in [*feeders, "line:1"] if len(loads(one)) > 1)
    inside = loads(whole)[0]
    eve, mei = (
        grid_managers.add(city.rt, ADMIN, name, phone) for name, phone in (("Eve", EVE), ("Mei", MEI))
    )
    manager_areas.add(city.rt, ADMIN, mei, inside, "one house")
    manager_areas.add(city.rt, ADMIN, eve, whole, "the feeder")
    wanted = {one: eve if one in loads(whole) else city.manager for one in every} | {inside: mei}
    assert whose(city) == wanted
    with city.rt.database.write() as session:
        # An older release imports: it knows no areas.
        session.execute(update(ServicePoint).values(grid_manager_ref=city.manager))
        assert manager_areas.settle(session, city.rt) == len(loads(whole))
    assert whose(city) == wanted
    grid_managers.end(city.rt, ADMIN, eve, manager(city, eve).seen, None, "left")
    assert whose(city) == dict.fromkeys(every, city.manager) | {inside: mei}


def test_what_cannot_be_meant_is_refused(city: World) -> None:
    rt, one = city.rt, manager(city, city.manager)
    eve = grid_managers.add(rt, ADMIN, "Eve", EVE)
    for refused, call in (
        (InvalidInput, lambda: grid_managers.add(rt, ADMIN, " ", EVE)),
        (InvalidInput, lambda: grid_managers.add(rt, ADMIN, "Mei", "call me")),
        (Conflict, lambda: grid_managers.add(rt, ADMIN, "Eve", EVE)),
        (Conflict, lambda: change(city, city.manager, name="Eve", phone=EVE)),
        (InvalidInput, lambda: change(city, city.manager, away=True)),
        (InvalidInput, lambda: change(city, city.manager, deputy=city.manager)),
        (NotFound, lambda: change(city, city.manager, deputy=4711)),
        (Conflict, lambda: grid_managers.end(rt, ADMIN, eve, 99, None, "why")),
        (InvalidInput, lambda: grid_managers.end(rt, ADMIN, eve, 1, eve, "why")),
        (InvalidInput, lambda: grid_managers.end(rt, ADMIN, eve, 1, None, " ")),
        (NotPermitted, lambda: grid_managers.add(rt, "petra", "Mei", MEI)),
        (NotPermitted, lambda: manager_areas.add(rt, "petra", eve, "load:2", "why")),
        (InvalidInput, lambda: manager_areas.add(rt, ADMIN, eve, "trafo:4711", "why")),
        (InvalidInput, lambda: manager_areas.add(rt, ADMIN, eve, "", "why")),
        (NotFound, lambda: manager_areas.add(rt, ADMIN, 4711, "load:2", "why")),
    ):
        with pytest.raises(refused):
            call()
    assert manager(city, city.manager) == one and manager_areas.listing(rt) == []
    with rt.database.read() as session:
        assert [e.what for e in session.scalars(select(Event).where(Event.what.like("manager%")))] == [
            "manager_added"
        ]


@pytest.fixture
def loads(city: World) -> Callable[[str], list[str]]:
    """All loads of the network, or those that one element supplies."""

    def found(element: str) -> list[str]:
        from outage_notify.services.network_in_force import load_network

        with city.rt.database.read() as session:
            _, loaded = load_network(session, city.rt)
            if element != "all":
                return manager_areas.loads_of(loaded, element)
            start = loaded.grid.ids.start["load"]
            size = loaded.grid.ids.size("load")
            return list(loaded.grid.ids.names(range(start, start + size)))

    return found
