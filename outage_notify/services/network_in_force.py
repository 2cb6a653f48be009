"""The network in force, ready for tracing: from one file that all processes of this machine share.

Promises: the arrays belong to exactly the version that is in force in this database. Where there is no
file yet, or it is damaged, they are built from the database and the file is written; where it cannot be
written, tracing works all the same and the log says so. Whole elements are never read.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from geo import grid_file
from geo.grid import Grid
from geo.grid_build import build
from outage_notify.domain.errors import NotFound
from outage_notify.services.collector_pause import collector_paused
from outage_notify.services.runtime import Runtime
from outage_notify.store import network_queries, tracing_columns
from outage_notify.store.network_tables import NetworkVersion

log = structlog.get_logger()

_lock = threading.Lock()
_loaded: dict[str, LoadedNetwork] = {}


class LoadedNetwork:
    """One version: `grid` for tracing; attributes and titles of elements are asked for by name."""

    def __init__(self, rt: Runtime, version: int, grid: Grid, path: Path) -> None:
        self.version = version
        self.path = path
        self.grid = grid
        self._database = rt.database
        grid.label = self._label
        grid.attributes = self._attributes

    def _attributes(self, names: Iterable[str]) -> Mapping[str, Mapping[str, object]]:
        with self._database.read() as session:
            return tracing_columns.attributes_of(session, self.version, list(names))

    def _label(self, name: str) -> str:
        known = self._attributes([name]).get(name, {}).get("name")
        return f"{name} ({known})" if known and known != name else name


def load_network(session: Session, rt: Runtime) -> tuple[int, LoadedNetwork]:
    """The version in force and its network. NotFound if none was imported."""
    version = network_queries.current_version(session)
    if version is None:
        raise NotFound(
            "No network has been imported.", "Import one with `outage-notify import network FILE`."
        )
    place = str(grid_path(rt, version))
    with _lock:
        found = _loaded.get(place)
        if found is None:
            # Earlier versions are not traced any more; one is held at a time.
            _loaded.clear()
            found = _loaded[place] = LoadedNetwork(
                rt, version.id, _grid(session, rt, version), grid_path(rt, version)
            )
    return version.id, found


def _grid(session: Session, rt: Runtime, version: NetworkVersion) -> Grid:
    path = grid_path(rt, version)
    try:
        return grid_file.read(path)
    except FileNotFoundError:
        pass
    except (OSError, grid_file.GridFileError) as error:
        log.warning("network_file_unusable", file=path.name, reason=str(error))
    with collector_paused():
        grid = build(tracing_columns.tracing_columns(session, version.id))
    try:
        grid_file.write(grid, path)
        _forget_others(path)
        # Mapped, it is shared with the other processes; the copy that was built is let go.
        return grid_file.read(path)
    except (OSError, grid_file.GridFileError) as error:
        log.warning("network_file_not_written", file=path.name, reason=str(error))
        return grid


def grid_path(rt: Runtime, version: NetworkVersion) -> Path:
    """Where the file of a version lies. The name tells databases, versions and files apart."""
    url = rt.database.url.render_as_string(hide_password=True)
    own = f"{version.id} {version.sha256} {version.imported_at.isoformat()} {grid_file.LAYOUT}"
    names = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in (url, own)]
    return Path(rt.settings.state_dir) / "networks" / f"{names[0]}-{names[1]}.grid"


def _forget_others(path: Path) -> None:
    """Remove the files of earlier versions; whoever still maps one keeps it until it is let go."""
    for other in path.parent.glob(f"{path.name.partition('-')[0]}-*.grid"):
        if other != path:
            other.unlink(missing_ok=True)
