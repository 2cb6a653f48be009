"""A customers' file as rows of text: finds the encoding, splits by RFC 4180, counts lines.

Promises: flat memory however large the file is; plain or gzipped; UTF-8 with or without
BOM, or GB18030, never a guess between the two within one file; every fault has its line.
Leaves the meaning of the columns to `customer_row`.

UTF-8 and GB18030 are told apart line by line. Hanzi in GB18030 almost never form valid
UTF-8, and hanzi in UTF-8 almost never form codes of the common set GB 2312; a line that
could be both takes no side.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from outage_notify.domain.errors import ImportRefused
from outage_notify.services.import_report import Faults

LONGEST_LINE = 1 << 20
_CHUNK = 1 << 20
_BOM = codecs.BOM_UTF8
_ENCODING_REMEDY = "Save the whole file in one encoding, best as UTF-8."
Progress = Callable[[str, float], None]


def no_progress(phase: str, fraction: float) -> None:
    """For callers that show none."""


@dataclass(frozen=True)
class Row:
    """One record and the line on which it begins."""

    line: int
    values: list[str]


class CustomerFile:
    """Reads one file twice: once for its encoding, once for its rows."""

    def __init__(self, path: Path, faults: Faults, progress: Progress = no_progress) -> None:
        self.path = path
        self.faults = faults
        self.progress = progress

    def rows(self) -> Iterator[Row]:
        """All records, the header first. Faults are added as they are met; ImportRefused when
        nothing can be read at all."""
        encoding = self._encoding()
        reader = csv.reader(self._decoded(encoding), strict=True)
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if not self._explain(line, str(error)):
                    return
                continue
            if values:
                yield Row(line, values)

    def _explain(self, line: int, error: str) -> bool:
        """Turn the csv module's error into a fault; whether reading can go on."""
        if "field limit" in error or "unexpected end" in error:
            message = "A field that begins with a quotation mark does not end; nothing after it was checked."
            self.faults.add(line, "", message, 'Close it with ", and write a quotation mark inside as "".')
            return False
        if "new-line character" in error:
            message = "Lines end with a carriage return alone; nothing after it was checked."
            self.faults.add(line, "", message, "Save the file with line ends LF or CRLF.")
            return False
        message = "A quotation mark stands in the middle of a field."
        self.faults.add(line, "", message, 'Put the field in quotation marks and write the inner one as "".')
        return True

    def _decoded(self, encoding: str) -> Iterator[str]:
        with self._open() as (stream, done):
            for number, raw in self._lines(stream):
                if number == 1:
                    raw = raw.removeprefix(_BOM)
                if number % 5_000 == 0:
                    self.progress("checking", done())
                yield raw.decode(encoding)

    def _encoding(self) -> str:
        """The encoding of the whole file; ImportRefused for none or several."""
        with self._open() as (stream, done):
            head = stream.read(_CHUNK)
            self._refuse_foreign(head)
            decoder = codecs.getincrementaldecoder("utf-8")()
            try:
                while head:
                    decoder.decode(head)
                    head = stream.read(_CHUNK)
                    self.progress("encoding", done())
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return self._encoding_by_line()
        return "utf-8"

    def _encoding_by_line(self) -> str:
        """For a file that is not UTF-8 throughout."""
        lines: dict[str, list[int]] = {"utf-8": [], "gb18030": []}
        counts = {"utf-8": 0, "gb18030": 0}
        with self._open() as (stream, done):
            for number, raw in self._lines(stream):
                if number % 5_000 == 0:
                    self.progress("encoding", done())
                if number == 1 and raw.startswith(_BOM):
                    # The mark says what the file claims to be; every line of GB18030 is then a stray.
                    counts["utf-8"] += 1 << 62
                    raw = raw.removeprefix(_BOM)
                side = _side(raw)
                if side == "neither":
                    message = "The line is neither UTF-8 nor GB18030."
                    self.faults.add(number, "", message, _ENCODING_REMEDY)
                elif side:
                    counts[side] += 1
                    if len(lines[side]) <= 1_000:
                        lines[side].append(number)
        if counts["utf-8"] and counts["gb18030"]:
            less, most = sorted(counts, key=lambda side: counts[side])
            for number in lines[less]:
                message = f"The line is written in {less.upper()}, the rest of the file in {most.upper()}."
                self.faults.add(number, "", message, _ENCODING_REMEDY)
            self.faults.more += counts[less] - len(lines[less])
        self.faults.refuse_if_any()
        return "gb18030"

    def _refuse_foreign(self, head: bytes) -> None:
        """Files that are no CSV at all, by their first bytes."""
        remedy = "Export it as CSV in UTF-8."
        if not head.strip():
            self.faults.add(None, "", "The file is empty.", remedy)
        elif head.startswith(b"PK\x03\x04"):
            self.faults.add(None, "", "This is an Excel workbook or a zip archive, not a CSV.", remedy)
        elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.faults.add(1, "", "The file is written in UTF-16.", remedy)
        elif b"\0" in head:
            line = head[: head.index(b"\0")].count(b"\n") + 1
            self.faults.add(line, "", "The file holds zero bytes, so it is not text.", remedy)
        self.faults.refuse_if_any()

    def _lines(self, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
        number = 0
        while raw := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(raw) > LONGEST_LINE:
                message = f"The line is longer than {LONGEST_LINE >> 20} MiB; nothing after it was checked."
                self.faults.add(number, "", message, "Check that the file is a CSV with one row per line.")
                self.faults.refuse_if_any()
            yield number, raw

    @contextmanager
    def _open(self) -> Iterator[tuple[BinaryIO, Callable[[], float]]]:
        """The unpacked bytes, and a function that tells how much of the file was read (0 to 1)."""
        try:
            with self.path.open("rb") as plain:
                size = max(self.path.stat().st_size, 1)
                packed = plain.read(2) == b"\x1f\x8b"
                plain.seek(0)

                def done() -> float:
                    return min(plain.tell() / size, 1.0)

                if packed:
                    with gzip.GzipFile(fileobj=plain) as unpacked:
                        yield unpacked, done  # type: ignore[misc]
                else:
                    yield plain, done
        except ImportRefused:
            raise
        except FileNotFoundError:
            self._refuse("There is no such file.", "Check the path.")
        except IsADirectoryError:
            self._refuse("This is a folder, not a file.", "Name the file in it.")
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self._refuse("The gzip data is damaged.", "Copy or export the file again.")
        except OSError as error:
            self._refuse(f"The file cannot be read: {error.strerror or error}.", "Check the permissions.")

    def _refuse(self, message: str, remedy: str) -> None:
        self.faults.add(None, "", message, remedy)
        self.faults.refuse_if_any()


def _side(raw: bytes) -> str:
    """ "utf-8", "gb18030", "neither", or "" for a line that may be both."""
    if raw.isascii():
        return ""
    try:
        raw.decode("utf-8")
        utf8 = True
    except UnicodeDecodeError:
        utf8 = False
    try:
        raw.decode("gb2312" if utf8 else "gb18030")
        chinese = True
    except UnicodeDecodeError:
        chinese = False
    if utf8:
        return "" if chinese else "utf-8"
    return "gb18030" if chinese else "neither"
