"""Put a new network in force: all of it or nothing.

Promises: an earlier version is kept (audiences refer to it) but not in force any more;
the very same file twice is a no-op that says so; an element keeps its identity by its id, and
what was added, changed or removed is counted and named; `undo_import` puts the version before in
force again; customers who hang on a load that the new network lacks are named in a warning,
since nobody would trace them. Elements are never all in memory: the reader puts rows by on disk, and the
database compares versions. Leaves reading to `geo.readers`.
"""

from __future__ import annotations

import glob
import hashlib
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

import geo.readers
from outage_notify.domain.errors import Fault, ImportRefused, NotFound
from outage_notify.services import manager_areas
from outage_notify.services.customer_file import Progress, no_progress
from outage_notify.services.import_report import MOST_FAULTS, DryRun, ImportReport
from outage_notify.services.retrace_open import retrace_open
from outage_notify.store import network_queries, network_versions, work_queries

if TYPE_CHECKING:
    from outage_notify.services.runtime import Runtime

NAMED_AT_MOST = 20
_LONGEST_ID = 100
_LONGEST_NAME = 200


def import_network(
    rt: Runtime,
    path: Path,
    format: str = "auto",
    dry_run: bool = False,
    by: str = "system",
    progress: Progress = no_progress,
    mapping: Path | None = None,
) -> ImportReport:
    """Read and store the network at `path`; raises ImportRefused with every fault, and then nothing was changed.

    `format` is one of `geo.readers.FORMATS`, `mapping` the mapping file of a GIS export. Dying midway changes nothing.
    """
    began = time.perf_counter()
    path = Path(path)
    progress("reading", 0.0)
    sha256 = _sha256(path, mapping)
    if sha256:
        with rt.database.read() as session:
            current = network_queries.current_version(session)
            if current is not None and current.sha256 == sha256:
                counts = {"elements": network_queries.count_by_kind(session, current.id)}
                return ImportReport(
                    path.name, dry_run, counts, (), True, time.perf_counter() - began, version=current.id
                )
    try:
        with geo.readers.open_network(
            path, format, mapping, lambda share: progress("reading", share)
        ) as found:
            return _store(rt, path, found, format, sha256, dry_run, by, progress, began)
    except OSError as error:
        message = f"The network's rows could not be put by while they are checked: {error.strerror or error}."
        remedy = f"Make room in {tempfile.gettempdir()}, or name another folder in TMPDIR."
        raise ImportRefused([Fault(path.name, None, "", message, remedy)]) from error


def _store(
    rt: Runtime,
    path: Path,
    found: tuple[geo.readers.Checked | None, geo.readers.NetworkRead],
    format: str,
    sha256: str,
    dry_run: bool,
    by: str,
    progress: Progress,
    began: float,
) -> ImportReport:
    network, read = found
    if network is None:
        raise ImportRefused([_fault(one) for one in read.faults], read.more)
    warnings = [_fault(one) for one in read.warnings]
    version: int | None = None
    changes = Changes()
    progress("storing", 0.0)
    try:
        with rt.database.write() as session:
            now = rt.now(session)
            current = network_queries.current_version(session)
            version = network_queries.insert_version(
                session,
                _watched(network, path.name, progress),
                imported_at=now,
                imported_by=by,
                file_name=path.name,
                format=format,
                sha256=sha256,
            )
            progress("comparing", 0.0)
            warnings += _stranded(session, version, path.name)
            if current is not None:
                changes = _changes(session, current.id, version)
            work_queries.record(session, now, by, network_versions.IMPORTED, file=path.name, version=version)
            if dry_run:
                session.flush()
                raise DryRun
    except DryRun:
        version = None
    else:
        warnings += _drifted(rt, by, path.name)
    progress("done", 1.0)
    return ImportReport(
        file=path.name,
        dry_run=dry_run,
        counts={
            "elements": network.count_by_kind(),
            "feeders": {"feeder": network.count_feeders()},
            **changes.counts,
        },
        warnings=tuple(warnings),
        seconds=time.perf_counter() - began,
        version=version,
        named=changes.named,
    )


def undo_import(
    rt: Runtime, dry_run: bool = False, by: str = "system", progress: Progress = no_progress
) -> ImportReport:
    """Put the version that was in force before the present one in force again, and say what that changes.

    NotFound when there is none. Called twice it goes back twice; importing the file again is the way
    forward. Nothing is deleted: audiences refer to every version.
    """
    began = time.perf_counter()
    with rt.database.write() as session:
        now = rt.now(session)
        current = network_queries.current_version(session)
        before = network_versions.version_before(session, current.id) if current is not None else None
        if current is None or before is None:
            raise NotFound("There is no earlier network to go back to.", "Import one instead.")
        progress("comparing", 0.2)
        changes = _changes(session, current.id, before.id)
        warnings = _stranded(session, before.id, before.file_name)
        counts = {"elements": network_queries.count_by_kind(session, before.id), **changes.counts}
        file, version = before.file_name, before.id
        if not dry_run:
            network_versions.put_in_force(session, before)
            work_queries.record(session, now, by, network_versions.UNDONE, file=file, version=version)
    if not dry_run:
        warnings += _drifted(rt, by, file)
    progress("done", 1.0)
    seconds = time.perf_counter() - began
    return ImportReport(file, dry_run, counts, tuple(warnings), False, seconds, version, changes.named)


def _drifted(rt: Runtime, by: str, file: str) -> list[Fault]:
    """Warnings for open outages whose audience the new state of the network changes; areas of grid managers follow."""
    with rt.database.write() as session:
        manager_areas.settle(session, rt)
    remedy = "Look at the outage and revise it: nobody is told otherwise by itself."
    return [Fault(file, None, "", str(one), remedy) for one in retrace_open(rt, by)]


@dataclass(frozen=True)
class Changes:
    """What differs from the version in force: numbers by word, and names as far as a person reads them."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)


def _changes(session: Session, old: int, new: int) -> Changes:
    found = network_versions.difference(session, old, new, NAMED_AT_MOST)
    return Changes({"changes": found.counts}, found.named)


def _watched(network: geo.readers.Checked, file: str, progress: Progress) -> Iterator[dict[str, Any]]:
    """The rows, telling how far storing has come; ImportRefused at the end where names are too long to store."""
    faults: list[Fault] = []
    more = 0
    for place, row in enumerate(network.rows()):
        if place % network_queries.BATCH == 0:
            progress("storing", place / len(network))
        if len(row["id"]) > _LONGEST_ID or len(row["name"]) > _LONGEST_NAME:
            if len(faults) < MOST_FAULTS:
                faults.append(_too_long(row, file))
            else:
                more += 1
        elif not faults:
            yield row
    if faults:
        raise ImportRefused(faults, more)


def _too_long(row: Mapping[str, Any], file: str) -> Fault:
    """The tables hold ids up to 100 and names up to 200 characters."""
    if len(row["id"]) > _LONGEST_ID:
        message = f"The id {row['id'][:40]}… is longer than {_LONGEST_ID} characters."
        return Fault(file, None, "id", message, "Give it a shorter one.")
    message = f"The name of {row['id']} is longer than {_LONGEST_NAME} characters."
    return Fault(file, None, "name", message, "Give it a shorter one.")


def draft_mapping(path: Path) -> str:
    """A first draft of a mapping file for a GIS file; ImportRefused when it cannot be opened."""
    text, answer = geo.readers.draft_mapping(path)
    if text is None:
        raise ImportRefused([_fault(one) for one in answer.faults], answer.more)
    return text


def _sha256(path: Path, mapping: Path | None) -> str:
    """Hash of all bytes that are read; empty if they cannot be read, which the reader then explains."""
    try:
        if path.is_file() and mapping is None and path.suffix.casefold() != ".shp":
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        parts = sorted(one for one in _parts(path) if one.is_file())
        whole = hashlib.sha256()
        for part in [*parts, *([mapping] if mapping is not None else [])]:
            with part.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "sha256").digest())
        return whole.hexdigest() if parts else ""
    except OSError:
        return ""


def _parts(path: Path) -> Iterable[Path]:
    """A folder's files; a Shapefile's companions, which hold its columns and its coordinate system."""
    if path.is_dir():
        return path.rglob("*")
    return path.parent.glob(f"{glob.escape(path.stem)}.*") if path.suffix.casefold() == ".shp" else [path]


def _fault(fault: geo.readers.Fault) -> Fault:
    place = fault.file
    if fault.table:
        place += f", {fault.part} {fault.table}"
    if fault.row:
        place += f", row {fault.row}"
    return Fault(place, None, fault.field, fault.message, fault.remedy)


def _stranded(session: Session, version: int, file: str) -> list[Fault]:
    """Warnings for loads that have service points but are not among those of the new network."""
    names, loads, points = network_queries.stranded(session, version, NAMED_AT_MOST)
    if not loads:
        return []
    shown = ", ".join(names) + (f" and {loads - len(names)} more" if loads > len(names) else "")
    message = f"{points} service points hang on loads that this network lacks: {shown}."
    return [Fault(file, None, "", message, "They would not be traced: import the matching customers' file.")]
