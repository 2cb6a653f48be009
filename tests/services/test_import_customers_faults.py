"""Bad customers' files: each fault with file, line, field and remedy; all of them, not the first."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.model import Element, Network
from outage_notify.domain.errors import Fault, ImportRefused
from outage_notify.services.customer_row import COLUMNS
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_report import MOST_FAULTS
from outage_notify.services.runtime import Runtime
from outage_notify.store import network_queries
from tests.factories.customer_files import csv_text, customer_row, write_customers
from tests.factories.people import NOW
from tests.factories.runtimes import make_runtime


@pytest.fixture
def rt(tmp_path: Path) -> Runtime:
    return make_runtime(f"sqlite:///{tmp_path / 'x.db'}", tmp_path)


def _faults(rt: Runtime, path: Path) -> list[Fault]:
    with pytest.raises(ImportRefused) as refused:
        import_customers(rt, path, dry_run=True)
    for fault in refused.value.faults:
        assert fault.file == path.name and fault.message and fault.remedy
    return list(refused.value.faults)


def _bytes(rt: Runtime, tmp_path: Path, data: bytes) -> list[Fault]:
    path = tmp_path / "c.csv"
    path.write_bytes(data)
    return _faults(rt, path)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tier": "GOLD"}, "tier"),
        ({"tier": ""}, "tier"),
        ({"name": ""}, "name"),
        ({"language": "fr"}, "language"),
        ({"language": ""}, "language"),
        ({"life_support": "maybe"}, "life_support"),
        ({"vulnerable": "2"}, "vulnerable"),
        ({"sms": "12345"}, "sms"),
        ({"voice": "+1 212 555 0143 9"}, "voice"),
        ({"backup_phone": "call me"}, "backup_phone"),
        ({"grid_manager_phone": "+0"}, "grid_manager_phone"),
        ({"grid_manager": ""}, "grid_manager"),
        ({"backup_name": "Ben"}, "backup_phone"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b@example.com"}, "email"),
        ({"customer_id": " "}, "customer_id"),
        ({"site_id": ""}, "site_id"),
        ({"service_point_id": ""}, "service_point_id"),
        ({"place": ""}, "place"),
        ({"place": "x" * 301}, "place"),
        ({"name": "a\x07b"}, "name"),
        ({"element": "seven"}, "element"),
        ({"element": ""}, "element"),
    ],
)
def test_each_cell_is_checked(rt: Runtime, tmp_path: Path, change: dict[str, str], field: str) -> None:
    path = write_customers(tmp_path / "c.csv", [customer_row(1), customer_row(2, **change), customer_row(3)])
    assert [(one.line, one.field) for one in _faults(rt, path)] == [(3, field)]


def test_every_fault_is_listed_in_the_order_of_lines(rt: Runtime, tmp_path: Path) -> None:
    rows = [
        customer_row(1),
        customer_row(2, service_point_id="P1", tier="GOLD"),
        customer_row(3, site_id="S1"),
        customer_row(4, customer_id="C1", name="Another", sms="", email="other@example.com"),
        customer_row(5, sms="x", language="xx"),
    ]
    found = [(one.line, one.field) for one in _faults(rt, write_customers(tmp_path / "c.csv", rows))]
    assert [line for line, _ in found] == sorted(line or 0 for line, _ in found)
    assert set(found) == {
        (3, "tier"),
        (3, "service_point_id"),
        (4, "site_id"),
        (5, "name"),
        (5, "email"),
        (6, "sms"),
        (6, "language"),
    }


def test_a_conflict_names_both_lines_and_nobody(rt: Runtime, tmp_path: Path) -> None:
    rows = [
        customer_row(1),
        customer_row(2),
        customer_row(3, customer_id="C1", name="", sms="+12125550199", email=""),
    ]
    (fault,) = _faults(rt, write_customers(tmp_path / "c.csv", rows))
    assert (fault.line, fault.field) == (4, "sms")
    assert "line 2" in fault.message and "555" not in str(fault)


def test_an_element_must_be_a_load_of_the_network_in_force(rt: Runtime, tmp_path: Path) -> None:
    bus = Element("bus", "bus:1")
    network = Network({one.id: one for one in (bus, Element("load", "load:1", buses=("bus:1",)))})
    with rt.database.write() as session:
        details = {"imported_by": "", "file_name": "n", "format": "auto", "sha256": ""}
        network_queries.insert_version(session, network.to_rows(), imported_at=NOW, **details)
    rows = [customer_row(1), customer_row(2, element="load:2"), customer_row(3, element="bus:1")]
    found = _faults(rt, write_customers(tmp_path / "c.csv", rows))
    assert [(one.line, one.field) for one in found] == [(3, "element"), (4, "element")]


def test_a_wrong_header_names_what_is_missing_and_what_is_strange(rt: Runtime, tmp_path: Path) -> None:
    columns = ["Customer_ID", *COLUMNS[1:-1], "remark"]
    found = _faults(rt, write_customers(tmp_path / "c.csv", [customer_row(1)], columns=columns))
    assert {(one.line, one.field) for one in found} == {
        (1, "Customer_ID"),
        (1, "remark"),
        (1, "customer_id"),
        (1, "grid_manager_phone"),
    }
    assert any("customer_id" in one.remedy for one in found)


def test_columns_may_stand_in_any_order(rt: Runtime, tmp_path: Path) -> None:
    path = write_customers(tmp_path / "c.csv", [customer_row(1)], columns=list(reversed(COLUMNS)))
    assert import_customers(rt, path).counts["customers"]["added"] == 1


def test_short_and_long_rows(rt: Runtime, tmp_path: Path) -> None:
    text = (
        csv_text([customer_row(1)]) + "C2,x\r\n" + csv_text([customer_row(3)]).splitlines()[1] + ",extra\r\n"
    )
    found = _bytes(rt, tmp_path, text.encode())
    assert [(one.line, "short" in one.message) for one in found] == [(3, True), (4, False)]


@pytest.mark.parametrize(
    ("data", "word", "line"),
    [
        (b"", "empty", None),
        (b"PK\x03\x04rest", "Excel", None),
        ("customer_id".encode("utf-16"), "UTF-16", 1),
        (b"customer_id\n\0\0", "zero bytes", 2),
        (csv_text([]).encode(), "no customers", None),
        (csv_text([customer_row(1)]).replace(",", ";").encode(), "semicolons", 1),
        (csv_text([customer_row(1)]).replace("\r\n", "\r").encode(), "carriage return", 1),
        (csv_text([customer_row(1)]).encode() + b'C2,"open', "does not end", 3),
        (csv_text([customer_row(1)]).encode() + b"C2," + b"x" * (1 << 21), "longer than", 3),
        (csv_text([customer_row(1)]).encode() + b"C2,\xff\xff", "neither", 3),
        (b"\x1f\x8b broken", "gzip", None),
    ],
)
def test_what_is_no_customers_file(
    rt: Runtime, tmp_path: Path, data: bytes, word: str, line: int | None
) -> None:
    (fault,) = _bytes(rt, tmp_path, data)
    assert word in fault.message and fault.line == line


def test_a_quotation_mark_in_the_middle_does_not_hide_the_next_fault(rt: Runtime, tmp_path: Path) -> None:
    lines = csv_text([customer_row(1), customer_row(2), customer_row(3, tier="x")]).splitlines()
    lines[2] = lines[2].replace("Customer 2", '"Customer" 2')
    found = _bytes(rt, tmp_path, "\r\n".join(lines).encode())
    assert [(one.line, one.field) for one in found] == [(3, ""), (4, "tier")]


def test_a_line_in_another_encoding_is_named(rt: Runtime, tmp_path: Path) -> None:
    rows = [customer_row(n, name="张建国", place="人民路十二号") for n in range(1, 6)]
    lines = csv_text(rows).splitlines()
    mixed = [line.encode("gb18030" if at == 3 else "utf-8") for at, line in enumerate(lines)]
    (fault,) = _bytes(rt, tmp_path, b"\r\n".join(mixed))
    assert fault.line == 4 and "GB18030" in fault.message and "UTF-8" in fault.message
    mixed = [line.encode("utf-8" if at == 3 else "gb18030") for at, line in enumerate(lines)]
    (fault,) = _bytes(rt, tmp_path, b"\r\n".join(mixed))
    assert fault.line == 4


def test_a_file_that_cannot_be_opened(rt: Runtime, tmp_path: Path) -> None:
    assert "no such file" in _faults(rt, tmp_path / "none.csv")[0].message
    assert "folder" in _faults(rt, tmp_path)[0].message


def test_a_file_that_is_wrong_throughout_is_not_listed_throughout(rt: Runtime, tmp_path: Path) -> None:
    rows = [customer_row(n % 90, service_point_id=f"P{n}", site_id=f"S{n}", tier="x") for n in range(3_000)]
    with pytest.raises(ImportRefused) as refused:
        import_customers(rt, write_customers(tmp_path / "c.csv", rows))
    assert len(refused.value.faults) == MOST_FAULTS
    assert len(refused.value.faults) + refused.value.more >= 3_000


def test_memory_stays_flat(rt: Runtime, tmp_path: Path) -> None:
    """Sixteen times the rows of one customer need hardly more memory than the rows themselves on disk."""

    def peak(count: int) -> int:
        line = csv_text([customer_row(1, place="p" * 250)]).splitlines()[1]
        path = tmp_path / "big.csv.gz"
        with gzip.open(path, "wt", encoding="utf-8", newline="") as stream:
            stream.write(csv_text([]))
            for n in range(count):
                # The last row is wrong, so that all is read and compared but nothing stored.
                stream.write(
                    line.replace("C1,", f"C{n},")
                    .replace("P1,", f"P{n % (count - 1)},")
                    .replace("S1,", f"S{n},")
                )
                stream.write("\r\n")
        tracemalloc.start()
        try:
            _faults(rt, path)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(1_000), peak(16_000)
    assert large < small + 4_000_000


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(rt: Runtime, tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "junk.csv"
    path.write_bytes(csv_text([customer_row(1)]).encode() + junk)
    try:
        import_customers(rt, path, dry_run=True)
    except ImportRefused as refused:
        assert all(fault.message and fault.remedy for fault in refused.faults)
