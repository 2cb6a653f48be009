"""Imports done by the worker: progress is seen, a dead worker's job is seen and started again, faults have rows."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import func, select

from geo.geojson import write_network
from outage_notify.domain.errors import Conflict, InvalidInput
from outage_notify.services import long_work
from outage_notify.services.long_work import LEASE, Wish
from outage_notify.services.runtime import Runtime
from outage_notify.store import job_queries
from outage_notify.store.address_tables import Address
from outage_notify.store.job_tables import JobKind, JobPart, JobState
from outage_notify.store.people_tables import Customer
from tests.factories import town
from tests.factories.people import NOW
from tests.factories.runtimes import StandingClock, make_runtime

NETWORK, CUSTOMERS = Wish(JobKind.NETWORK), Wish(JobKind.CUSTOMERS)


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def network() -> BytesIO:
    return BytesIO(json.dumps(write_network(town.town())).encode())


def people(text: str | None = None) -> BytesIO:
    return BytesIO((town.customers() if text is None else text).encode())


def later(rt: Runtime, step: timedelta) -> None:
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant += step


def count(rt: Runtime, table: type) -> int:
    with rt.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_network_and_customers_are_taken_over_in_the_order_they_were_asked_for(rt: Runtime) -> None:
    first = long_work.ask(rt, "xu.li", NETWORK, "../../town.geojson", network())
    second = long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", people())
    assert long_work.work_due(rt) == 2
    done = [long_work.one(rt, job) for job in (first, second)]
    assert [(one.state, one.fraction, one.file_name) for one in done] == [
        (JobState.DONE, 1.0, "town.geojson"),
        (JobState.DONE, 1.0, "customers.csv"),
    ]
    assert done[1].result["counts"]["customers"]["added"] == count(rt, Customer) > 0
    assert count(rt, JobPart) == 0, "the upload is not kept once it is taken over"
    assert long_work.work_due(rt) == 0


def test_a_dry_run_changes_nothing_and_says_what_would(rt: Runtime) -> None:
    job = long_work.ask(rt, "xu.li", Wish(JobKind.CUSTOMERS, dry_run=True), "customers.csv", people())
    long_work.work_due(rt)
    assert long_work.one(rt, job).result["counts"]["customers"]["added"] > 0
    assert count(rt, Customer) == 0


def test_faults_are_kept_by_file_row_and_field(rt: Runtime) -> None:
    broken = town.customers().replace("FIRST", "FIFTH", 1)
    job = long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", people(broken))
    long_work.work_due(rt)
    found = long_work.one(rt, job)
    assert found.state is JobState.REFUSED
    (fault,) = [one for one in found.result["faults"] if one["field"] == "tier"]
    assert (fault["file"], fault["line"]) == ("customers.csv", 4) and fault["remedy"]
    assert count(rt, Customer) == 0
    with pytest.raises(Conflict):
        long_work.start_again(rt, "xu.li", job)


def test_a_worker_that_dies_leaves_a_job_that_is_seen_and_can_be_started_again(rt: Runtime) -> None:
    job = long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", people())
    with rt.database.write() as session:  # as a worker does that is killed right after
        now = rt.now(session)
        assert job_queries.take(session, now, now + LEASE) is not None
    waiting = long_work.ask(rt, "xu.li", NETWORK, "town.geojson", network())
    assert long_work.work_due(rt) == 0, "one at a time, while it may still be at it"
    later(rt, LEASE + timedelta(seconds=1))
    assert long_work.one(rt, job).state is JobState.LOST
    assert long_work.work_due(rt) == 1 and long_work.one(rt, waiting).state is JobState.DONE
    long_work.start_again(rt, "xu.li", job)
    long_work.start_again(rt, "xu.li", job)
    assert long_work.work_due(rt) == 1
    assert long_work.one(rt, job).state is JobState.DONE


def test_whoever_was_given_up_for_lost_can_end_it_unless_it_was_started_again(rt: Runtime) -> None:
    job = long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", people())
    with rt.database.write() as session:
        taken = job_queries.take(session, NOW, NOW + LEASE)
        assert taken is not None
        attempt = taken.attempt
    later(rt, LEASE * 2)
    with rt.database.write() as session:
        assert job_queries.lose_silent(session, NOW + LEASE * 2) == [job]
    long_work.start_again(rt, "xu.li", job)
    with rt.database.write() as session:
        assert not job_queries.end(session, job, attempt, JobState.DONE, {}, NOW)
    assert not job_queries.say_how_far(rt.database, job, attempt, NOW, "storing", 0.9)
    assert long_work.one(rt, job).state is JobState.WAITING


def test_progress_is_never_waited_for(rt: Runtime) -> None:
    job = long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", people())
    with rt.database.write() as session:
        assert job_queries.take(session, NOW, NOW + LEASE) is not None
    assert job_queries.say_how_far(rt.database, job, 1, NOW + LEASE, "storing", 0.25)
    assert (long_work.one(rt, job).phase, long_work.one(rt, job).fraction) == ("storing", 0.25)
    if rt.database.is_sqlite:
        with rt.database.write() as session:
            session.connection()  # an import holds the one write lock
            assert not job_queries.say_how_far(rt.database, job, 1, NOW + LEASE, "storing", 0.5)
        assert long_work.one(rt, job).fraction == 0.25


def test_a_file_in_many_parts_arrives_whole(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queries, "PART", 1000)
    job = long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", people())
    assert count(rt, JobPart) == -(-len(town.customers().encode()) // 1000) > 5
    long_work.work_due(rt)
    assert long_work.one(rt, job).state is JobState.DONE


def test_addresses_and_service_points_are_imported_likewise(rt: Runtime) -> None:
    long_work.ask(rt, "xu.li", NETWORK, "town.geojson", network())
    rows = b"street,house_number,element\nLake Road,1,load:1\nLake Road,2,load:2\n"
    houses = long_work.ask(rt, "xu.li", Wish(JobKind.ADDRESSES), "addresses.csv", BytesIO(rows))
    places = b"id,kind,name_en,latitude,longitude\nA,hall,North Hall,31.2,121.4\n"
    halls = long_work.ask(rt, "xu.li", Wish(JobKind.SERVICE_POINTS), "places.csv", BytesIO(places))
    wrong = long_work.ask(rt, "xu.li", Wish(JobKind.ADDRESSES), "bad.csv", BytesIO(rows + b",3,load:1\n"))
    assert long_work.work_due(rt) == 4
    assert long_work.one(rt, houses).result["counts"]["addresses"]["added"] == count(rt, Address) == 2
    assert long_work.one(rt, halls).result["counts"] == {"service_places": {"all": 1}}
    assert long_work.one(rt, wrong).state is JobState.REFUSED


def test_what_is_not_taken(rt: Runtime) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", BytesIO())
    with pytest.raises(InvalidInput, match="format"):
        Wish(JobKind.NETWORK, "dwg")
    long_work.ask(rt, "xu.li", CUSTOMERS, "customers.csv", people())
    with pytest.raises(Conflict, match="already"):
        long_work.ask(rt, "xu.li", CUSTOMERS, "other name.csv", people())
