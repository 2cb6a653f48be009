"""Take over the utility's list of customers: all of it or nothing.

Promises: the file is the whole truth, so what is not in it any more is marked as gone;
what stays keeps its identity, its feed secret and the marks on its addresses; `undo_customers` takes
over the file before once more. Memory is flat: rows wait on disk (`store.customer_staging`) and
are merged customer by customer. Leaves reading to `customer_file`, cells to `customer_row`, and SQL to `store`.
"""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from outage_notify.domain.errors import Conflict, Fault, NotFound
from outage_notify.services import customer_lists, manager_areas
from outage_notify.services.customer_file import CustomerFile, Progress, no_progress
from outage_notify.services.customer_first import FirstStore
from outage_notify.services.customer_merge import IncomingCustomer, Merge
from outage_notify.services.customer_row import COLUMNS, CUSTOMER_COLUMNS, Header, RowChecker, clip
from outage_notify.services.import_report import DryRun, Faults, ImportReport, Tally
from outage_notify.store import bulk, network_queries, people_queries, work_queries
from outage_notify.store.customer_staging import Staging
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site
from outage_notify.store.work_tables import Event

if TYPE_CHECKING:
    from outage_notify.services.runtime import Runtime

CUSTOMERS_AT_ONCE = 5_000
_SECRETS_AT_ONCE = 1_000
IMPORTED, UNDONE = _WORDS = ("customers_imported", "customers_undone")
_MUST_HAVE = ("name", "tier", "language")
_COLUMNS_SHOWN = {"kind", "tier", "life_support", "vulnerable", "language"}


def import_customers(
    rt: Runtime,
    path: Path,
    dry_run: bool = False,
    progress: Progress = no_progress,
    by: str = "system",
) -> ImportReport:
    """Import the file at `path`; raises ImportRefused with every fault, and then nothing was changed.

    A dry run does everything in a transaction that is rolled back, so its counts are exact.
    Importing the same file twice changes nothing the second time. Dying midway changes nothing.
    """
    return _import(rt, Path(path), Path(path).name, dry_run, progress, by)


def undo_customers(
    rt: Runtime, dry_run: bool = False, by: str = "system", progress: Progress = no_progress
) -> ImportReport:
    """Take over the file before the one that was imported last once more, and say what that changes; once.

    NotFound where there was none, or it is not kept on this machine; ImportRefused where it does not fit the network
    that is in force by now; Conflict where another one is imported meanwhile. Answers, marks and whatever else came
    about since stay.
    """
    with rt.database.read() as session:
        newest = work_queries.newest_of(session, _WORDS)
        undoes, before = (newest.id, newest.detail.get("before")) if newest is not None else (0, None)
    if not before:
        raise NotFound(
            "There is no earlier list of customers to go back to.", "Import the one that is to be in force."
        )
    path = customer_lists.find(rt, before["sha256"])
    if path is None:
        message = f"The list of customers before ({before['file']}) is not kept on this machine."
        raise NotFound(message, "Import its file again.")
    return _import(rt, path, before["file"], dry_run, progress, by, (undoes, before["sha256"]))


def _import(
    rt: Runtime,
    path: Path,
    name: str,
    dry_run: bool,
    progress: Progress,
    by: str,
    undoes: tuple[int, str] | None = None,
) -> ImportReport:
    """`undoes`: the event of the import that is taken back, and the hash of the kept file; Conflict where
    another one came after it."""
    began = time.perf_counter()
    faults = Faults(name)
    warnings: list[Fault] = []
    counts: dict[str, dict[str, int]] = {}
    stamp = _stamp(path)
    with Staging(COLUMNS) as staging:
        _stage(CustomerFile(path, faults, progress), staging, faults, rt.settings.phone_region)
        progress("comparing", 0.0)
        with rt.database.read() as session:
            version = network_queries.current_version(session)
            if version is not None:
                staging.expect(network_queries.loads_of(session, version.id))
        if version is not None:
            _compare_elements(staging, faults)
        else:
            message = "No network is in force, so the elements were not checked."
            warnings.append(
                Fault(faults.file, None, "element", message, "Import the network and then this file again.")
            )
        _compare(staging, faults)
        faults.refuse_if_any()
        sha256 = undoes[1] if undoes is not None else ""
        if undoes is None and not dry_run:
            sha256 = _kept(rt, path, stamp, warnings, name)
        try:
            with rt.database.write() as session:
                now = rt.now(session)
                managed = manager_areas.managed(session, rt)
                counts = _store(session, staging, now, progress, warnings, faults.file, managed)
                newest = work_queries.newest_of(session, _WORDS)
                if undoes is not None and newest is not None and newest.id != undoes[0]:
                    raise Conflict("Another list of customers was imported meanwhile.", "Look at it first.")
                before = _before(newest, sha256) if undoes is None else None
                word = IMPORTED if undoes is None else UNDONE
                work_queries.record(
                    session, now, by, word, file=faults.file, counts=counts, sha256=sha256, before=before
                )
                if dry_run:
                    session.flush()
                    raise DryRun
        except DryRun:
            pass
        else:
            customer_lists.forget_all_but(rt, {sha256, before["sha256"] if before else ""})
    progress("done", 1.0)
    return ImportReport(
        file=faults.file,
        dry_run=dry_run,
        counts=counts,
        warnings=tuple(warnings),
        unchanged=not any(table[word] for table in counts.values() for word in ("added", "changed", "gone")),
        seconds=time.perf_counter() - began,
    )


def _stamp(path: Path) -> tuple[int, int] | None:
    """Differs when somebody writes into the file; None where there is none, which reading it explains."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _kept(rt: Runtime, path: Path, stamp: tuple[int, int] | None, warnings: list[Fault], name: str) -> str:
    """Keep what was read, for a later undo; its hash, empty with a warning where that can't be."""
    try:
        sha256 = customer_lists.keep(rt, path)
        reason = "it was written to meanwhile" if _stamp(path) != stamp else ""
    except OSError as error:
        sha256, reason = "", str(error.strerror or error)
    if not reason:
        return sha256
    message = f"The file could not be kept ({reason}): the import after this one can't be undone."
    warnings.append(Fault(name, None, "", message, "Keep a copy of it yourself."))
    return ""


def _before(newest: Event | None, sha256: str) -> dict[str, str] | None:
    """The list to which undoing this import would go back. The same file once more is no newer one."""
    if newest is None or not newest.detail.get("sha256"):
        return None
    if newest.detail["sha256"] == sha256:
        found: dict[str, str] | None = newest.detail.get("before")
        return found
    return {"sha256": newest.detail["sha256"], "file": newest.detail["file"]}


def _stage(file: CustomerFile, staging: Staging, faults: Faults, region: str) -> None:
    """Every row through its own checks and onto the disk."""
    rows = file.rows()
    first = next(rows, None)
    if first is None:
        if not faults:
            faults.add(None, "", "The file has no header.", f"Its first line must be: {','.join(COLUMNS)}")
        faults.refuse_if_any()
        return
    header = Header(first.line, first.values, faults)
    if not header.usable:
        # Without columns every row would be a fault; the header alone is what must be mended.
        faults.refuse_if_any()
    checker = RowChecker(header, faults, region)
    for row in rows:
        cells = checker.check(row.line, row.values)
        if cells is not None:
            staging.add(row.line, list(cells.values()))
    staging.seal()
    if staging.count == 0 and not faults:
        message = "The file holds no customers; importing it would mark all of them as gone."
        faults.add(None, "", message, "Export it again.")


def _compare_elements(staging: Staging, faults: Faults) -> None:
    for line, element in staging.unknown_elements():
        # One that is no element at all is a fault already.
        if not faults.named([line], "element"):
            message = f"The network in force has no load {clip(element)}."
            faults.add(line, "element", message, "Correct it, or import the newer network first.")


def _compare(staging: Staging, faults: Faults) -> None:
    """What rows say against each other."""
    for line, name, first in staging.repeated_service_points():
        message = f"{name} stands in line {first} already."
        faults.add(
            line, "service_point_id", message, "Each service point has one row; remove or correct one."
        )
    for line, name, first in staging.shared_sites():
        message = f"Site {name} belongs to another customer in line {first}."
        faults.add(
            line, "site_id", message, "A site has one customer; give it another id or correct customer_id."
        )
    for customer in _customers(staging.odd_customers(_MUST_HAVE, "backup_name"), faults):
        for column in _MUST_HAVE:
            # A value that was there but wrong is a fault already, and blank here only for that.
            if not customer.values[column] and not faults.named(customer.lines, column):
                message = f"No row of customer {customer.customer_id} says it."
                faults.add(customer.line, column, message, "Fill it in on one of the customer's rows.")
        if customer.values["backup_name"] and not customer.values["backup_phone"]:
            message = "A backup contact without a phone number."
            faults.add(customer.line, "backup_phone", message, "Add the number or remove backup_name.")


def _customers(
    rows: Iterable[tuple[int, dict[str, str]]], faults: Faults | None = None
) -> Iterator[IncomingCustomer]:
    """Rows put together by customer; with `faults`, conflicts between rows are added to it."""
    current: IncomingCustomer | None = None
    said_in: dict[str, int] = {}
    for line, cells in rows:
        if current is None or current.customer_id != cells["customer_id"]:
            if current is not None:
                yield current
            # Most customers have one row; its cells are what the customer says.
            current = IncomingCustomer(cells["customer_id"], line, cells, [cells], [line])
            said_in = {}
            continue
        if len(current.feeds) == 1:
            current.values = {column: current.values[column] for column in CUSTOMER_COLUMNS}
            said_in = {column: current.line for column, value in current.values.items() if value}
        current.feeds.append(cells)
        current.lines.append(line)
        for column in CUSTOMER_COLUMNS:
            value = cells[column]
            if not value or value == current.values[column]:
                continue
            if not current.values[column]:
                current.values[column] = value
                said_in[column] = line
            elif faults is not None:
                _conflict(faults, line, column, said_in[column], current, value)
    if current is not None:
        yield current


def _conflict(
    faults: Faults, line: int, column: str, first: int, customer: IncomingCustomer, value: str
) -> None:
    message = f"Customer {customer.customer_id} has another value in line {first}"
    if column in _COLUMNS_SHOWN:
        # Names, numbers and addresses are not repeated: messages may end in logs.
        message += f" ({customer.values[column]}, here {value})"
    faults.add(line, column, message + ".", "Give both rows the same value, or leave it blank in one.")


def _store(
    session: Session,
    staging: Staging,
    now: datetime,
    progress: Progress,
    warnings: list[Fault],
    file: str,
    managed: Mapping[str, tuple[int, int]],
) -> dict[str, dict[str, int]]:
    bulk.lock(session, Customer, Site, ServicePoint, ContactPoint, GridManager)
    # Into empty tables everybody is new, and nobody need be looked for.
    first = people_queries.nobody_yet(session)
    managers = [(name, phone) for name, phone in staging.distinct("grid_manager", "grid_manager_phone")]
    secret = functools.partial(next, _secrets())
    merge = (
        FirstStore(session, staging.count, managers, secret)
        if first
        else Merge(session, now, secret, managed)
    )
    done = 0
    unreachable = _Seen()
    incoming = _customers(staging.by_customer())
    try:
        while batch := list(islice(incoming, CUSTOMERS_AT_ONCE)):
            merge.store(batch)
            done += sum(len(customer.feeds) for customer in batch)
            unreachable.look(batch)
            progress("storing", done / max(staging.count, 1))
        merge.finish()
    finally:
        merge.close()
    if not first:
        _mark_gone(session, staging, now, merge.customers, merge.service_points)
    if unreachable.count:
        message = f"{unreachable.count} customers have neither phone number nor e-mail address."
        warnings.append(
            Fault(file, unreachable.line, "sms", message, "They can be told by letter or visit only.")
        )
    before = merge.customers.gone + merge.customers.same + merge.customers.changed
    if merge.customers.gone > 20 and merge.customers.gone * 5 > before:
        message = f"{merge.customers.gone} of {before} customers are not in this file any more."
        warnings.append(
            Fault(file, None, "", message, "Make sure that it is the whole list and not a part of it.")
        )
    return {
        "customers": merge.customers.as_dict(),
        "service_points": merge.service_points.as_dict(),
        "contacts": merge.contacts.as_dict(),
    }


def _secrets() -> Iterator[str]:
    """Secrets without end, each as `secrets.token_urlsafe(24)` makes it; the system is asked once for a thousand."""
    while True:
        # 24 bytes are 32 characters, so that a long text falls into them without a rest.
        text = secrets.token_urlsafe(24 * _SECRETS_AT_ONCE)
        yield from (text[at : at + 32] for at in range(0, len(text), 32))


@dataclass
class _Seen:
    """Customers without any address, with the line of the first."""

    count: int = 0
    line: int | None = field(default=None)

    def look(self, batch: Iterable[IncomingCustomer]) -> None:
        for customer in batch:
            if not any(customer.values[column] for column in ("sms", "voice", "email", "backup_phone")):
                self.count += 1
                self.line = customer.line if self.line is None else min(self.line, customer.line)


def _mark_gone(session: Session, staging: Staging, now: datetime, customers: Tally, points: Tally) -> None:
    for batch in people_queries.present_customers(session):
        here = staging.present("customer_id", [name for _, name in batch])
        gone = [row for row, name in batch if name not in here]
        people_queries.mark_gone(session, Customer, gone, now)
        customers.gone += len(gone)
    for batch in people_queries.present_service_points(session):
        here = staging.present("service_point_id", [name for _, name in batch])
        gone = [row for row, name in batch if name not in here]
        people_queries.mark_gone(session, ServicePoint, gone, now)
        points.gone += len(gone)
