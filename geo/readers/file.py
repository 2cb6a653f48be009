"""Opens a file, unpacks gzip, parses JSON, and turns all that can go wrong into one clear fault."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from geo.readers.report import Report

# Parsed JSON takes about ten times its size in memory, and a small gzip can unpack to anything.
# Larger networks come as tables, not as one document.
MOST_BYTES = 256 << 20
_GZIP = b"\x1f\x8b"
# What reading a damaged zip raises; NotImplementedError is a RuntimeError, UnicodeDecodeError a ValueError.
ZIP_DAMAGE = (OSError, EOFError, RuntimeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error)


def load_json(path: Path, report: Report) -> Any:
    """The parsed document; None with a fault in `report` when there is none."""
    data = _read(path, report)
    if data is None:
        return None
    if not data.strip():
        report.fault(message="The file is empty.", remedy="Export the network again.")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.fault(
            message=f"The file is not UTF-8 text (byte {error.start + 1}), so it is not JSON.",
            remedy="Give a pandapower JSON or a GeoJSON file.",
        )
        return None
    return parse_json(text, report)


def parse_json(text: str, report: Report, table: str = "") -> Any:
    """`text` as JSON, or None and a fault."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        report.fault(
            table,
            message=f"Not valid JSON at {place}: {error.msg}.",
            remedy="Export the network again.",
        )
    except RecursionError:
        report.fault(
            table,
            message="The JSON is nested too deeply.",
            remedy="Export the network again.",
        )
    except ValueError as error:
        report.fault(
            table,
            message=f"Not usable JSON: {str(error)[:100]}.",
            remedy="Export the network again.",
        )
    return None


def _read(path: Path, report: Report) -> bytes | None:
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=plain) as unpacked:
                    data = unpacked.read(MOST_BYTES + 1)
            else:
                data = plain.read(MOST_BYTES + 1)
    except FileNotFoundError:
        report.fault(message="There is no such file.", remedy="Check the path.")
    except IsADirectoryError:
        report.fault(message="This is a folder, not a file.", remedy="Name the file in it.")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        report.fault(message="The gzip data is damaged.", remedy="Copy or export the file again.")
    except OSError as error:
        report.fault(
            message=f"The file cannot be read: {error.strerror or error}.",
            remedy="Check the permissions.",
        )
    else:
        if len(data) <= MOST_BYTES:
            return data
        report.fault(
            message=f"The file holds more than {MOST_BYTES >> 20} MiB.",
            remedy="Split the network, one file per supply area.",
        )
    return None
