"""What is worked out of many rows and kept in one file under their mark, mapped by every process of the machine.

Promises: the answer is that of the rows as they are now. A mark that every writer of those rows draws anew is read
with each question; what was made under another one is never used, nor what was read while the mark changed. A file
stands whole under its name or not at all, only its owner may read it, and it is replaced by the next one. It is a
cache: one that is damaged is made anew, and where none can be written, what was made stays in memory.
Leaves to its users what is kept, and how that is laid out.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Generic, TypeVar

import structlog
from sqlalchemy.orm import Session

from outage_notify.services.collector_pause import collector_paused
from outage_notify.services.runtime import Runtime

log = structlog.get_logger()

_TRIES = 5
Made = TypeVar("Made")
Held = TypeVar("Held")


@dataclass(frozen=True)
class MarkedFile(Generic[Made, Held]):
    """One kind of file. `write` lays out what was made, `read` maps a file (ValueError, OSError or EOFError where it is
    none of these), `hold` is for what could not be written."""

    ending: str
    write: Callable[[IO[bytes], Made], object]
    read: Callable[[Path], Held]
    hold: Callable[[Made], Held]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _held: dict[str, Held] = field(default_factory=dict)

    def in_force(
        self,
        session: Session,
        place: Path,
        mark: Callable[[Session], str],
        make: Callable[[], Made],
    ) -> Held:
        """What belongs to the rows as they are; `make` reads them where nobody has yet. One is held at a time.

        `place`: of the database (`place_of`). `mark` is read before and after.
        """
        with self._lock:
            for _ in range(_TRIES):
                now = mark(session)
                name = f"{place.name}-{_short(now)}.{self.ending}"
                path = place.with_name(name)
                found = self._held.get(str(path)) or self._mapped(path)
                if found is None:
                    with collector_paused():
                        made = make()
                    if mark(session) != now:
                        # Somebody wrote meanwhile; what was read belongs to neither state.
                        continue
                    found = self.kept(path, made)
                self._held.clear()
                self._held[str(path)] = found
                return found
        raise RuntimeError("The customers changed again and again while they were read.")

    def forget(self) -> None:
        """What this process holds; the file stays."""
        with self._lock:
            self._held.clear()

    def kept(self, path: Path, made: Made) -> Held:
        """Written and mapped, so that the other processes need not make it and share its memory."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{self.ending}-", delete=False) as draft:
                try:
                    self.write(draft, made)
                    draft.flush()
                    Path(draft.name).replace(path)
                except BaseException:
                    Path(draft.name).unlink(missing_ok=True)
                    raise
            for other in path.parent.glob(f"{path.name.partition('-')[0]}-*.{self.ending}"):
                if other != path:
                    # Whoever still maps it keeps it until it is let go.
                    other.unlink(missing_ok=True)
        except OSError as error:
            log.warning("file_not_written", file=path.name, reason=str(error))
        found = self._mapped(path)
        return self.hold(made) if found is None else found

    def _mapped(self, path: Path) -> Held | None:
        try:
            return self.read(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            log.warning("file_unusable", file=path.name, reason=str(error))
            return None


def place_of(rt: Runtime) -> Path:
    """Where files about a database lie, and how their names begin."""
    url = rt.database.url.render_as_string(hide_password=True)
    return Path(rt.settings.state_dir) / "networks" / _short(url)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
