"""The chain of the audit log: what was changed, taken out or forged is found, and the database refuses it first."""

from __future__ import annotations

import io
import json
import threading
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from outage_notify.services import audit_trail
from outage_notify.services.audit_trail import FIRST_PREVIOUS
from outage_notify.services.runtime import Runtime
from outage_notify.store.trail_queries import Wanted
from outage_notify.store.work_queries import record
from tests.factories.people import NOW
from tests.factories.runtimes import make_runtime


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    runtime = make_runtime(database_url, tmp_path)
    happen(runtime, 6)
    return runtime


def happen(rt: Runtime, times: int) -> None:
    with rt.database.write() as session:
        for number in range(times):
            record(session, NOW, "li.na", "planned", number=number, reason="更换电缆", share=0.1)


def by_force(rt: Runtime, *statements: str) -> None:
    """As somebody does who owns the database: the guards are taken off first."""
    with rt.database.engine.begin() as connection:
        for table in ("events", "audit_links"):
            if rt.database.is_sqlite:
                for deed in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{deed}"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER only_added"))
        for statement in statements:
            connection.execute(text(statement))


def test_every_event_gets_one_link_however_often_and_by_how_many_it_is_sealed(rt: Runtime) -> None:
    threads = [threading.Thread(target=audit_trail.seal, args=(rt,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert audit_trail.seal(rt) == 0
    happen(rt, 3)
    before = audit_trail.verify(rt)
    assert (before.ok, before.links, before.unsealed) == (True, 6, 3)
    assert audit_trail.seal(rt) == 3
    assert audit_trail.verify(rt).links == 9


def test_many_are_sealed_in_steps(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "AT_ONCE", 4)
    happen(rt, 9)
    assert audit_trail.seal(rt) == 15
    assert audit_trail.verify(rt).ok


@pytest.mark.parametrize("table", ["events", "audit_links"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_is_on_record(rt: Runtime, table: str, deed: str) -> None:
    audit_trail.seal(rt)
    column = {"events": "actor", "audit_links": "mac"}[table]
    with pytest.raises(DBAPIError, match="only ever added to"), rt.database.engine.begin() as connection:
        connection.execute(text(deed.format(table, column, "'somebody else'")))
    assert audit_trail.verify(rt).ok


@pytest.mark.parametrize(
    ("deed", "place", "reason"),
    [
        ("UPDATE events SET actor = 'wang.wei' WHERE id = 3", 3, "changed"),
        ("UPDATE events SET detail = '{\"number\": 7}' WHERE id = 2", 2, "changed"),
        ("DELETE FROM audit_links WHERE sequence = 4", 4, "missing"),
        ("UPDATE audit_links SET previous_sha256 = 'x' WHERE sequence = 5", 5, "follow"),
        ("UPDATE audit_links SET mac = sha256 WHERE sequence = 1", 1, "key"),
    ],
)
def test_what_was_tampered_with_is_found_where_it_was(
    rt: Runtime, deed: str, place: int, reason: str
) -> None:
    audit_trail.seal(rt)
    by_force(rt, deed)
    report = audit_trail.verify(rt)
    assert (report.ok, report.broken_at) == (False, place) and reason in report.reason


def test_a_chain_built_anew_without_the_key_does_not_hold(rt: Runtime) -> None:
    audit_trail.seal(rt)
    by_force(rt, "DELETE FROM audit_links", "UPDATE events SET actor = 'wang.wei' WHERE id = 1")
    own = make_runtime(rt.settings.database_url, Path(rt.settings.state_dir) / "thief")
    audit_trail.seal(own)
    assert audit_trail.verify(own).ok
    report = audit_trail.verify(rt)
    assert report.broken_at == 1 and "key" in report.reason


def test_a_cut_end_is_found_by_a_head_that_was_noted(rt: Runtime) -> None:
    audit_trail.seal(rt)
    whole = audit_trail.verify(rt)
    by_force(rt, "DELETE FROM audit_links WHERE sequence > 4", "DELETE FROM events WHERE id > 4")
    assert audit_trail.verify(rt).ok, "by itself a shorter chain is whole"
    cut = audit_trail.verify(rt, (whole.links, whole.head))
    assert not cut.ok and "cut" in cut.reason
    happen(rt, 2)
    audit_trail.seal(rt)
    assert not audit_trail.verify(rt, (whole.links, whole.head)).ok


def test_an_export_can_be_hashed_anew_by_anybody(rt: Runtime) -> None:
    audit_trail.seal(rt)
    out = io.StringIO()
    assert audit_trail.export(rt, out) == 6
    previous = FIRST_PREVIOUS
    for line in map(json.loads, out.getvalue().splitlines()):
        body = json.dumps(line["event"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        previous = sha256(f"{previous}\n{body}".encode()).hexdigest()
        assert previous == line["sha256"]


def test_the_log_is_read_by_pages_and_filters(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "PAGE", 4)
    found, more = audit_trail.page(rt, Wanted(actor="li.na"))
    assert [one.event.detail["number"] for one in found] == [5, 4, 3, 2] and more
    older, more = audit_trail.page(rt, Wanted(before=found[-1].event.id))
    assert [one.event.detail["number"] for one in older] == [1, 0] and not more
    assert audit_trail.page(rt, Wanted(what="approved")) == ([], False)
    assert audit_trail.page(rt, Wanted(until=NOW)) == ([], False)
