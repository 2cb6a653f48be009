"""Who is called so, or lives there: the names and places of all customers as one text that is searched as a whole.

No index of a database finds the middle of a Chinese name, and asking each of a million rows takes seconds; one text
takes some hundredths of one. It lies in one file per state of the people, mapped by every process of the
machine. Promises: the answer is that of the tables as they are now, since a mark that every writer of names and
places draws anew is read with each question; whole letters are compared, large and small ones alike. The file
holds names: only its owner may read it. It is a cache; where it cannot be written, the text stays in memory.
"""

from __future__ import annotations

import hashlib
import mmap
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import structlog
from sqlalchemy.orm import Session

from outage_notify.services.collector_pause import collector_paused
from outage_notify.services.runtime import Runtime
from outage_notify.store import people_columns, people_names

log = structlog.get_logger()

# Raised with every change of the file or its meaning.
LAYOUT = b"names 1\n"
_TRIES = 5
# One customer a line: its name and its places. No text that is searched for holds either of the two.
_BETWEEN, _END = "\x1f", "\n"
_HEAD = len(LAYOUT) + 8

_lock = threading.Lock()
_held: dict[str, Names] = {}


@dataclass(frozen=True)
class Names:
    """Lines by name; `starts` says where each begins in `text`, `customers` whose it is."""

    customers: np.ndarray
    starts: np.ndarray
    text: bytes | mmap.mmap
    first: int  # where the lines begin in `text`

    def holding(self, words: str) -> Iterator[int]:
        """Row ids of the customers whose name or place holds these words, by name."""
        wanted, at = words.casefold().encode(), self.first
        while wanted and (found := self.text.find(wanted, at)) >= 0:
            line = int(np.searchsorted(self.starts, found - self.first, side="right")) - 1
            yield int(self.customers[line])
            if line + 1 == len(self.starts):
                return
            at = self.first + int(self.starts[line + 1])


def names_in_force(session: Session, rt: Runtime) -> Names:
    """The names and places of everybody who is present, as the database has them now."""
    with _lock:
        for _ in range(_TRIES):
            mark = people_columns.mark(session)
            path = _path(rt, mark)
            found = _held.get(str(path)) or _read(path)
            if found is None:
                with collector_paused():
                    lines = parts(people_names.names(session), people_names.places(session))
                if people_columns.mark(session) != mark:
                    # Somebody wrote meanwhile; what was read belongs to neither state.
                    continue
                found = kept(path, lines)
            _held.clear()
            _held[str(path)] = found
            return found
    raise RuntimeError("The customers changed again and again while they were read.")


def forget() -> None:
    """What this process holds."""
    with _lock:
        _held.clear()


def parts(names: Iterable[tuple[int, str]], points: Iterable[tuple[int, str]]) -> list[bytes]:
    """The file's parts (head, customers, starts, lines) from (customer, name) and (customer, place)."""
    places: dict[int, list[str]] = {}
    for customer, place in points:
        places.setdefault(customer, []).append(_plain(place))
    lines = sorted((_plain(name), customer, places.get(customer, [])) for customer, name in names)
    written = [_BETWEEN.join([name, *dict.fromkeys(mine)]).encode() for name, _, mine in lines]
    sizes = np.array([len(one) + len(_END) for one in written], np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)[:-1]]) if written else sizes
    customers = np.array([customer for _, customer, _ in lines], np.int64)
    end = _END.encode()
    text = end.join([*written, b""])
    return [LAYOUT, len(written).to_bytes(8, "little"), customers.tobytes(), starts.tobytes(), text]


def _plain(words: str) -> str:
    """Without large letters and doubled blanks; a word that is searched for holds no other control character."""
    return " ".join(words.casefold().split())


def _path(rt: Runtime, mark: str) -> Path:
    """The name tells databases and states of the people apart."""
    url = rt.database.url.render_as_string(hide_password=True)
    names = [hashlib.sha256(one).hexdigest()[:12] for one in (url.encode(), LAYOUT + mark.encode())]
    return Path(rt.settings.state_dir) / "networks" / f"{names[0]}-{names[1]}.names"


def kept(path: Path, lines: list[bytes]) -> Names:
    """Written and mapped, so that the other processes need not build it and share its memory."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("wb", dir=path.parent, prefix=".names-", delete=False) as draft:
            try:
                draft.writelines(lines)
                draft.flush()
                Path(draft.name).replace(path)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
        for other in path.parent.glob(f"{path.name.partition('-')[0]}-*.names"):
            if other != path:
                other.unlink(missing_ok=True)
    except OSError as error:
        log.warning("names_file_not_written", file=path.name, reason=str(error))
    return _read(path) or _parsed(b"".join(lines))


def _read(path: Path) -> Names | None:
    """The lines of a file; None where there is none, or it is no such file."""
    try:
        with path.open("rb") as stream:
            return _parsed(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("names_file_unusable", file=path.name, reason=str(error))
        return None


def _parsed(body: bytes | mmap.mmap) -> Names:
    """ValueError where the head does not fit the rest."""
    if body[: len(LAYOUT)] != LAYOUT:
        raise ValueError("not a file of names of this layout")
    count = int.from_bytes(body[len(LAYOUT) : _HEAD], "little")
    customers = np.frombuffer(body, np.int64, count, _HEAD)
    starts = np.frombuffer(body, np.int64, count, _HEAD + 8 * count)
    return Names(customers, starts, body, _HEAD + 16 * count)
