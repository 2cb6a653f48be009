"""Which format a path holds, told by its first bytes and by what a folder or zip contains."""

from __future__ import annotations

import zipfile
from pathlib import Path

from geo.readers import csv_set
from geo.readers.file import ZIP_DAMAGE

# Both kinds of JSON; which one is seen when it is parsed.
JSON_FORMATS = "json"
_SQLITE = b"SQLite format 3\x00"
_SHAPE = b"\x00\x00\x27\x0a"


def recognise(path: Path) -> str:
    """One of gis, csv, cim, or JSON_FORMATS for all else, which then says what is wrong with it."""
    if path.is_dir():
        names = [one.name.casefold() for one in path.iterdir()]
        return "gis" if path.suffix.casefold() == ".gdb" else _by_names(names, path)
    try:
        with path.open("rb") as stream:
            head = stream.read(256)
    except OSError:
        return JSON_FORMATS
    if head.startswith((_SQLITE, _SHAPE)):
        return "gis"
    if head.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as packed:
                names = [one.casefold() for one in packed.namelist()]
        except ZIP_DAMAGE:
            return JSON_FORMATS
        return _by_names(names, path)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return "cim" if text.startswith(b"<") else JSON_FORMATS


def _by_names(names: list[str], path: Path) -> str:
    if csv_set.holds_tables(path):
        return "csv"
    if any(one.endswith(".shp") for one in names):
        return "gis"
    parts = (".xml", ".rdf", ".zip") if path.is_dir() else (".xml", ".rdf")
    return "cim" if any(one.endswith(parts) for one in names) else JSON_FORMATS
