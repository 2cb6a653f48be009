"""What is public as plain files in the state folder, for a web server in front to hand out by itself.

    public/current              a link to the edition that is handed out, replaced by one rename
    public/editions/N/en/...    pages of an edition in each language
    public/editions/N/data      a link to the documents that these pages speak of
    public/versions/VERSION/    documents of a version, as their addresses say; names and contents never change
    public/static/MARK/         styles and scripts of a release, likewise

Promises: whoever reads gets a whole edition, old or new, and what a page of a moment ago refers to is still there;
each file stands beside itself packed (`.gz`); a writer that dies midway leaves the edition before. One writer at a
time (`alone`). Leaves to others: what stands in a page, and when to write.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

# Of editions and versions: pages of a moment ago are still being read, and ask for their data.
KEPT = 8
_DRAFT = ".draft-"


@dataclass(frozen=True)
class PrintedFile:
    """Content as it is and packed by gzip; `packed` None where packing is not worth it."""

    body: bytes
    packed: bytes | None


def folder_of(state_dir: str) -> Path:
    return Path(state_dir) / "public"


def write_edition(
    folder: Path,
    version: str,
    documents: Mapping[str, PrintedFile],
    pages: Mapping[str, PrintedFile],
    mark: str,
    static: Mapping[str, PrintedFile],
) -> int:
    """Write an edition and swap it in; its number. `pages` by language and name (`en/map.html`), documents and
    static files by their addresses without the first slash. OSError if the disk refuses; the edition before stays."""
    for kind in ("editions", "versions", "static"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        _sweep(folder / kind)
    data = _once(folder / "versions" / version, documents)
    _once(folder / "static" / mark, static)
    number = 1 + max((int(one.name) for one in _whole(folder / "editions")), default=0)
    edition = folder / "editions" / str(number)
    links = {"data": f"../../versions/{version}", "static": f"../../static/{mark}"}
    _write(edition, pages, links)
    _point(folder / "current", f"editions/{number}")
    # The youngest folder is the one that was current last.
    os.utime(data)
    _forget(folder, number)
    return number


def _once(target: Path, files: Mapping[str, PrintedFile]) -> Path:
    if not target.exists():
        _write(target, files, {})
    return target


def _write(target: Path, files: Mapping[str, PrintedFile], links: Mapping[str, str]) -> None:
    """A folder that is there whole or not at all."""
    draft = Path(mkdtemp(prefix=_DRAFT, dir=target.parent))
    # A web server under another account reads these.
    draft.chmod(0o755)
    for name, one in files.items():
        place = draft / name
        place.parent.mkdir(parents=True, exist_ok=True)
        _put(place, one.body)
        if one.packed is not None:
            _put(place.with_name(f"{place.name}.gz"), one.packed)
    for name, to in links.items():
        (draft / name).symlink_to(to)
    draft.rename(target)


def _put(place: Path, content: bytes) -> None:
    with place.open("wb") as out:
        os.fchmod(out.fileno(), 0o644)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _point(link: Path, to: str) -> None:
    new = link.with_name(f"{_DRAFT}{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(to)
    new.replace(link)


def _whole(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if not one.name.startswith(_DRAFT)]


def _sweep(folder: Path) -> None:
    """What a writer that died left behind."""
    for one in folder.glob(f"{_DRAFT}*"):
        shutil.rmtree(one)


def _forget(folder: Path, number: int) -> None:
    """Editions and versions that no page of a moment ago can refer to; styles of releases long gone."""
    for one in _whole(folder / "editions"):
        if int(one.name) <= number - KEPT:
            shutil.rmtree(one)
    for kind in ("versions", "static"):
        for one in _oldest_first(_whole(folder / kind))[:-KEPT]:
            shutil.rmtree(one)


def _oldest_first(found: Iterable[Path]) -> list[Path]:
    return sorted(found, key=lambda one: one.stat().st_mtime_ns)
