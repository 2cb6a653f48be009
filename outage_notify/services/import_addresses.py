"""Takes over a table of addresses from a CSV file: all of it or nothing, and back again.

Promises: memory does not grow with the file but for one place per square of 200 m; the same file twice changes nothing;
dying midway leaves the table before; that one is kept, so that `undo` puts it in force again. Leaves reading the file
to `customer_file`, what a typed address means to `domain.address`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from outage_notify.domain.address import key
from outage_notify.domain.errors import NotFound
from outage_notify.services.customer_file import CustomerFile, Progress, Row, no_progress
from outage_notify.services.import_report import Faults, ImportReport
from outage_notify.services.runtime import Runtime
from outage_notify.store import address_book, network_queries, place_queries
from outage_notify.store.address_tables import AddressImport
from outage_notify.store.work_queries import record

COLUMNS = ("street", "house_number", "place", "postcode", "element", "feeder", "latitude", "longitude")
LONGEST = {"street": 200, "house_number": 40, "place": 100, "postcode": 20, "element": 100, "feeder": 100}
_STORED = (
    "import_ref",
    "street_key",
    "number_key",
    "place_key",
    "postcode_key",
    "place",
    "element",
    "feeder",
    "longitude",
    "latitude",
)
_BATCH = 5_000
# Degrees; the cells of public areas are wider.
_SQUARE = 0.002


@dataclass
class _Taken:
    """What a file held: numbers, and where places and postcodes are."""

    rows: int = 0
    sure: int = 0
    spots: dict[tuple[str, bool, int, int], tuple[float, float]] = field(default_factory=dict)


def import_addresses(
    rt: Runtime, path: Path, dry_run: bool = False, progress: Progress = no_progress, by: str = "system"
) -> ImportReport:
    """Put the addresses of a file in force instead of those before. ImportRefused lists every fault."""
    faults = Faults(path.name)
    file = CustomerFile(path, faults, progress)
    rows = file.rows()
    at = _header(faults, next(rows, None))
    digest = _digest(path)
    with rt.database.write() as session:
        now, standing = rt.now(session), address_book.in_force(session)
        if standing is not None and standing.sha256 == digest:
            return ImportReport(path.name, dry_run, {"addresses": {"same": standing.rows}}, unchanged=True)
        new = AddressImport(
            file_name=path.name[-200:],
            sha256=digest,
            rows=0,
            in_force=False,
            imported_by=by,
            imported_at=now,
        )
        if not dry_run:
            session.add(new)
            session.flush()
        taken = _take(session, rows, at, faults, None if dry_run else new.id)
        if not taken.rows:
            faults.add(None, "", "The file holds no address.", "Write one row for each house.")
        faults.refuse_if_any()
        before = standing.rows if standing is not None else 0
        counts = {"addresses": {"added": taken.rows, "gone": before, "with_load": taken.sure}}
        if dry_run:
            return ImportReport(path.name, True, counts)
        columns = ("import_ref", "area_key", "is_postcode", "longitude", "latitude")
        spots = ((new.id, area, code, *where) for (area, code, _, _), where in taken.spots.items())
        address_book.add_spots(session, columns, spots)
        new.rows = taken.rows
        session.flush()
        address_book.put_in_force(session, new.id)
        if standing is not None:
            address_book.forget_before(session, standing.id)
        address_book.counted_anew(session)
        record(session, now, by, "addresses_imported", addresses=taken.rows, file=path.name)
    return ImportReport(path.name, False, counts)


def undo_addresses(rt: Runtime, dry_run: bool = False, by: str = "system") -> ImportReport:
    """Put the addresses before the last import in force again; once. NotFound where none are kept."""
    with rt.database.write() as session:
        standing = address_book.in_force(session)
        before = address_book.before(session, standing) if standing is not None else None
        if standing is None or before is None:
            raise NotFound("There are no earlier addresses.", "Import the file that is to be in force.")
        counts = {"addresses": {"added": before.rows, "gone": standing.rows}}
        if not dry_run:
            address_book.put_in_force(session, before.id)
            address_book.forget(session, standing.id)
            record(session, rt.now(session), by, "addresses_undone", addresses=before.rows)
        return ImportReport(before.file_name, dry_run, counts)


def _header(faults: Faults, row: Row | None) -> dict[str, int]:
    names = [one.strip().casefold() for one in row.values] if row is not None else []
    for name in sorted({one for one in names if names.count(one) > 1 and one}):
        faults.add(1, name, "The column stands twice.", "Leave one of them out.")
    for name in ("street", "house_number"):
        if name not in names:
            faults.add(1, name, "The column is missing.", f"The columns are {', '.join(COLUMNS)}.")
    for name in names:
        if name not in COLUMNS:
            faults.add(1, name, "This column is not known.", f"The columns are {', '.join(COLUMNS)}.")
    faults.refuse_if_any()
    return {name: names.index(name) for name in COLUMNS if name in names}


def _take(
    session: Session, rows: Iterator[Row], at: dict[str, int], faults: Faults, number: int | None
) -> _Taken:
    """Check every row, and store it where `number` says in which import."""
    taken, version = _Taken(), network_queries.current_version(session)
    while batch := list(islice(rows, _BATCH)):
        read = [one for row in batch if (one := _read(row, at, faults)) is not None]
        wanted = {values["element"] for _, values, _ in read if values["element"]}
        placed = place_queries.placed(session, version.id, wanted) if version is not None and wanted else ()
        known = {one.name: one.where[0] if one.where else None for one in placed}
        ready = []
        for line, values, where in read:
            element = values["element"]
            if element and element not in known:
                faults.add(line, "element", "The network has no such element.", "Write one such as load:7.")
                continue
            ready.append(_stored(number or 0, values, where or (known[element] if element else None), taken))
        if number is not None and not len(faults):
            address_book.add(session, _STORED, ready)
    return taken


def _read(
    row: Row, at: dict[str, int], faults: Faults
) -> tuple[int, dict[str, str], tuple[float, float] | None] | None:
    """(line, fields, longitude and latitude) of a row; None where it has a fault."""
    before = len(faults)
    if len(row.values) <= max(at.values()):
        faults.add(row.line, "", "The row has fewer fields than the first line.", "Fill it up with commas.")
        return None
    values = {name: row.values[at[name]].strip() if name in at else "" for name in COLUMNS}
    for name, most in LONGEST.items():
        if len(values[name]) > most:
            faults.add(row.line, name, f"This is longer than {most} characters.", "Shorten it.")
    for name in ("street", "house_number"):
        if not key(values[name]):
            faults.add(row.line, name, "This is empty.", "Each row is one house: street and number.")
    where = _where(row.line, values, faults)
    if where is None and not values["element"] and not values["feeder"]:
        remedy = "Fill element (such as load:7), feeder, or latitude and longitude."
        faults.add(row.line, "element", "Nothing says where this house hangs.", remedy)
    return (row.line, values, where) if len(faults) == before else None


def _where(line: int, values: dict[str, str], faults: Faults) -> tuple[float, float] | None:
    if not values["latitude"] and not values["longitude"]:
        return None
    found = []
    for name, most in (("longitude", 180), ("latitude", 90)):
        try:
            degrees = float(values[name])
        except ValueError:
            degrees = float("nan")
        if not -most <= degrees <= most:
            faults.add(line, name, "This is no coordinate.", f"Write degrees between -{most} and {most}.")
        found.append(degrees)
    return found[0], found[1]


def _stored(
    number: int, values: dict[str, str], where: tuple[float, float] | None, taken: _Taken
) -> list[Any]:
    place, postcode = key(values["place"]), key(values["postcode"])
    taken.rows += 1
    taken.sure += bool(values["element"])
    if where is not None:
        square = (round(where[0] / _SQUARE), round(where[1] / _SQUARE))
        # A postcode such as AB1 2CD is written AB12CD as often.
        for area, code in ((place, False), (postcode, True), (postcode.replace("|", ""), True)):
            if area:
                taken.spots.setdefault((area, code, *square), where)
    street, house = key(values["street"]), key(values["house_number"])
    texts = [street, house, place, postcode, values["place"], values["element"], values["feeder"]]
    return [number, *texts, *(where or (None, None))]


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as stream:
        while part := stream.read(1 << 20):
            found.update(part)
    return found.hexdigest()
