"""The text of names finds what a patient person finds, and is never older than the rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from outage_notify.services import names_in_force
from outage_notify.services.runtime import Runtime
from outage_notify.store.people_tables import Customer, ServicePoint
from tests.factories.people import NOW, add_customer
from tests.factories.runtimes import make_runtime


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def found(rt: Runtime, words: str) -> list[int]:
    with rt.database.read() as session:
        return list(names_in_force.names_in_force(session, rt).holding(words))


letters = st.text("aBé街街1 %_\x1f\n", max_size=5)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.tuples(letters, st.lists(letters, max_size=3)), max_size=8), wanted=letters)
def test_it_finds_what_holds_the_words(
    tmp_path: Path, people: list[tuple[str, list[str]]], wanted: str
) -> None:
    def plain(text: str) -> str:
        return " ".join(text.casefold().split())

    rows = [
        (plain(name), number, [plain(one) for one in places]) for number, (name, places) in enumerate(people)
    ]
    words = plain(wanted)
    expected = [
        n for name, n, places in sorted(rows) if words and any(words in one for one in (name, *places))
    ]
    parts = names_in_force.parts(
        [(number, name) for number, (name, _) in enumerate(people)],
        [(number, one) for number, (_, mine) in enumerate(people) for one in mine],
    )
    assert list(names_in_force.FILE.kept(tmp_path / "a-b.names", parts).holding(words)) == expected


def test_it_is_never_older_than_the_rows(rt: Runtime) -> None:
    with rt.database.write() as session:
        anna = add_customer(session, name="Anna Müller", places=("北街 3 号",)).id
        boris = add_customer(session, name="Boris", places=("北街 4 号",)).id
    assert found(rt, "MÜLLER") == [anna] and found(rt, "北街") == [anna, boris]
    with rt.database.write() as session:
        session.get_one(Customer, anna).name = "Zoe Müller"
    assert found(rt, "北街") == [boris, anna] and found(rt, "anna") == []
    with rt.database.write() as session:
        session.execute(
            update(ServicePoint).where(ServicePoint.customer_ref == boris).values(place="南街 1 号")
        )
    assert found(rt, "北街") == [anna] and found(rt, "南街") == [boris]
    with rt.database.write() as session:
        session.get_one(Customer, anna).gone_at = NOW
    assert found(rt, "müller") == [] and found(rt, "nobody") == []


def test_a_file_that_is_damaged_or_cannot_be_written_is_done_without(rt: Runtime) -> None:
    with rt.database.write() as session:
        anna = add_customer(session, name="Anna", places=("Street",)).id
    assert found(rt, "anna") == [anna]
    folder = Path(rt.settings.state_dir) / "networks"
    (path,) = folder.glob("*.names")
    assert path.stat().st_mode & 0o077 == 0
    for damage in (b"", b"nonsense", path.read_bytes()[:12]):
        names_in_force.FILE.forget()
        path.write_bytes(damage)
        assert found(rt, "anna") == [anna]
    names_in_force.FILE.forget()
    path.unlink()
    folder.rmdir()
    folder.write_text("in the way", encoding="utf-8")
    assert found(rt, "anna") == [anna]
