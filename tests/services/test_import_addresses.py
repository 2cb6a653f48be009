"""The table of addresses: taken over whole or not at all, the same twice changes nothing, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from outage_notify.domain.errors import ImportRefused, NotFound
from outage_notify.services.import_addresses import import_addresses, undo_addresses
from outage_notify.services.runtime import Runtime
from outage_notify.store import address_book
from outage_notify.store.address_tables import Address, AddressImport, AddressSpot
from tests.factories import town
from tests.factories.runtimes import make_runtime

HEAD = "street,house_number,place,postcode,element,feeder,latitude,longitude\n"
GOOD = (
    HEAD
    + "北街,1,江城,430000,load:1,,,\n北街,2,江城,430000,,,31.232,121.476\n南街,1,江城,430001,,南街1号线,,\n"
)


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(database_url, tmp_path)
    town.build(runtime, tmp_path)
    yield runtime
    runtime.database.close()


def count(rt: Runtime, table: type) -> int:
    with rt.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def write(folder: Path, text: str, name: str = "addresses.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def numbers(rt: Runtime) -> tuple[int, int, int]:
    return count(rt, AddressImport), count(rt, Address), count(rt, AddressSpot)


def in_force(rt: Runtime) -> int | None:
    with rt.database.read() as session:
        found = address_book.in_force(session)
        return None if found is None else found.rows


def test_a_file_replaces_the_one_before_and_undo_brings_it_back(rt: Runtime, tmp_path: Path) -> None:
    first = write(tmp_path, GOOD)
    tried = import_addresses(rt, first, dry_run=True)
    assert tried.counts == {"addresses": {"added": 3, "gone": 0, "with_load": 1}} and numbers(rt) == (0, 0, 0)
    done = import_addresses(rt, first, by="xu.li")
    # Two houses of one postcode some 600 m apart, once for it and once for the place.
    assert done.counts == tried.counts and numbers(rt) == (1, 3, 4)
    assert import_addresses(rt, first).unchanged and numbers(rt) == (1, 3, 4)
    import_addresses(rt, write(tmp_path, HEAD + "北街,9,,,load:2,,,\n"))
    assert in_force(rt) == 1 and numbers(rt)[:2] == (2, 4)
    assert undo_addresses(rt, dry_run=True).counts == {"addresses": {"added": 3, "gone": 1}}
    undo_addresses(rt)
    assert in_force(rt) == 3 and numbers(rt) == (1, 3, 4)
    with pytest.raises(NotFound):
        undo_addresses(rt)


def test_only_one_earlier_table_is_kept(rt: Runtime, tmp_path: Path) -> None:
    for number in range(1, 5):
        import_addresses(rt, write(tmp_path, HEAD + f"北街,{number},,,load:1,,,\n"))
    assert numbers(rt)[:2] == (2, 2)


@pytest.mark.parametrize(
    ("text", "field", "line"),
    [
        ("street,place\nA,B\n", "house_number", 1),
        (HEAD + "北街,,江城,1,load:1,,,\n", "house_number", 2),
        (HEAD + "北街,1,江城,1,load:1,,,\n北街,2,江城,1,load:4711,,,\n", "element", 3),
        (HEAD + "北街,1,江城,1,,,,\n", "element", 2),
        (HEAD + "北街,1,江城,1,,,131.2,31\n", "latitude", 2),
        (HEAD + "北街,1,江城,1,,,here,31\n", "latitude", 2),
        (HEAD + "北街,1\n", "", 2),
        (HEAD + "北" * 201 + ",1,江城,1,load:1,,,\n", "street", 2),
        (HEAD.replace("feeder", "cable") + "北街,1,江城,1,load:1,,,\n", "cable", 1),
        (HEAD, "", None),
        ("", "", None),
    ],
)
def test_a_fault_is_named_and_nothing_changes(
    rt: Runtime, tmp_path: Path, text: str, field: str, line: int | None
) -> None:
    import_addresses(rt, write(tmp_path, GOOD))
    with pytest.raises(ImportRefused) as refused:
        import_addresses(rt, write(tmp_path, text, "bad.csv"))
    assert (field, line) in {(one.field, one.line) for one in refused.value.faults}
    assert in_force(rt) == 3 and numbers(rt) == (1, 3, 4)
