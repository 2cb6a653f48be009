"""RDF/XML of the Common Information Model as plain objects, read as a stream.

Files, zips and folders of both are read together: one object may be told of in several
profiles (EQ, SSH, TP, GL), each adding properties to it. Only the classes and properties that
are asked for are kept, so that memory follows the network. A document type, and with it
every entity, is refused before anything is expanded; nothing is ever fetched.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat  # nosec: document types are refused below

from geo.readers.file import ZIP_DAMAGE
from geo.readers.report import Report, clip

# Of one file, unpacked; a zip may unpack to anything.
MOST_BYTES = 4 << 30
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SUFFIXES = (".xml", ".rdf", ".cim")


@dataclass
class Thing:
    """One object: its class and its properties by their last name; a reference is the other's id."""

    kind: str
    id: str
    file: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.values.get("name", "")


Things = dict[str, Thing]


def read_things(path: Path, classes: frozenset[str], properties: frozenset[str], report: Report) -> Things:
    """All objects of `classes` by id, with their `properties`. Faults name the file and the line."""
    found: Things = {}
    seen = 0
    for name, stream in _streams(path, report):
        seen += 1
        _parse(name, stream, classes, properties, found, report)
    if not seen and not report.faults:
        report.fault(message="There is no CIM file in it.", remedy="Give the .xml files, or a zip of them.")
    # What was only told of in passing (an SSH without its EQ) has no class of its own to be drawn by.
    return found


def _streams(path: Path, report: Report) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, open stream) of each XML file in a file, zip or folder."""
    if path.is_dir():
        for one in sorted(path.iterdir()):
            if one.is_file() and one.suffix.casefold() in (*_SUFFIXES, ".zip"):
                yield from _streams(one, report)
        return
    try:
        with path.open("rb") as plain:
            packed = plain.read(4) == b"PK\x03\x04"
            plain.seek(0)
            if not packed:
                yield path.name, plain
                return
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda one: one.filename):
                if info.filename.casefold().endswith(_SUFFIXES):
                    with archive.open(info) as stream:
                        yield Path(info.filename).name, stream
    except ZIP_DAMAGE as error:
        report.fault(
            path.name, message=f"It cannot be read: {clip(str(error), 100)}.", remedy="Copy it again."
        )


class _Refused(Exception):
    """Something in the document that is never read on."""


def _parse(
    name: str,
    stream: IO[bytes],
    classes: frozenset[str],
    properties: frozenset[str],
    found: Things,
    report: Report,
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    state = _State(name, classes, properties, found)
    parser.StartElementHandler = state.start
    parser.EndElementHandler = state.end
    parser.CharacterDataHandler = state.text

    def refuse(*about: object) -> int:
        raise _Refused("It declares a document type or entities, which are never expanded here.")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    read = 0
    try:
        while block := stream.read(1 << 20):
            read += len(block)
            if read > MOST_BYTES:
                raise _Refused(f"It holds more than {MOST_BYTES >> 30} GiB.")
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        report.fault(
            name,
            error.lineno,
            message=f"Not valid XML: {expat.ErrorString(error.code)}.",
            remedy="Export it again.",
        )
    except (LookupError, *ZIP_DAMAGE) as error:
        report.fault(name, message=f"It cannot be read: {clip(str(error), 100)}.", remedy="Copy it again.")
        return
    except _Refused as error:
        report.fault(name, parser.CurrentLineNumber, message=str(error), remedy="Export it without that.")
    if not state.is_rdf and not report.faults:
        report.fault(
            name,
            message="It is XML, but not RDF of the Common Information Model.",
            remedy="Export as CIM/RDF.",
        )


class _State:
    """Where in the document the parser is: depth 1 the RDF, 2 an object, 3 a property."""

    def __init__(self, file: str, classes: frozenset[str], properties: frozenset[str], found: Things) -> None:
        self.file = file
        self.classes = classes
        self.properties = properties
        self.found = found
        self.depth = 0
        self.is_rdf = False
        self.thing: Thing | None = None
        self.property = ""
        self.pieces: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        local = tag.rpartition(" ")[2]
        if self.depth == 1:
            self.is_rdf = tag == f"{_RDF} RDF"
        elif self.depth == 2 and self.is_rdf:
            self.thing = None
            key = attributes.get(f"{_RDF} ID") or attributes.get(f"{_RDF} about")
            if key and local in self.classes:
                key = bare(key)
                self.thing = self.found.setdefault(key, Thing(local, key, self.file))
        elif self.depth == 3 and self.thing is not None:
            self.property = local.rpartition(".")[2]
            if self.property in self.properties:
                resource = attributes.get(f"{_RDF} resource")
                if resource is not None:
                    self.thing.values[self.property] = bare(resource)
                    self.property = ""
            else:
                self.property = ""
            self.pieces = []

    def text(self, text: str) -> None:
        if self.depth == 3 and self.property:
            self.pieces.append(text)

    def end(self, tag: str) -> None:
        if self.depth == 3 and self.property and self.thing is not None:
            self.thing.values[self.property] = "".join(self.pieces).strip()
            self.property = ""
        self.depth -= 1


def bare(key: str) -> str:
    """An id as all profiles agree on it: without #, urn:uuid: and the underscore before it."""
    return key.rpartition("#")[2].removeprefix("urn:uuid:").removeprefix("_")
