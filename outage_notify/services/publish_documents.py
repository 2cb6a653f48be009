"""Builds everything public as finished documents, only when something changed, and swaps them in at once.

All documents of a version lie in one file of the state folder, which is replaced atomically:
whoever reads gets a whole version, old or new. Any number of processes may call `publish`:
one of them builds, the others go on. A writer that dies midway leaves the old file.
Leaves to others: when to look (`worker`), who is handed what (`public_shelf`, `web`).
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import structlog

from outage_notify.services import open_schema, public_facts
from outage_notify.services.collector_pause import collector_paused
from outage_notify.services.document_pieces import FACTS, Seams, as_json, facts_of, join, salt_of
from outage_notify.services.open_formats import ROOT, Publisher
from outage_notify.services.public_facts import PublicList, slug
from outage_notify.services.public_words import LANGUAGES
from outage_notify.services.publish_map import collect, holds_until
from outage_notify.services.runtime import Runtime
from outage_notify.store import map_queries

log = structlog.get_logger(__name__)

# Of the file that a version lies in.
LAYOUT = 2
_SEAMS = "seams.json"
TYPES = {
    "json": "application/json",
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
    "mvt": "application/vnd.mapbox-vector-tile",
    "xml": "application/cap+xml; charset=utf-8",
    "odin.xml": "application/xml; charset=utf-8",
}


@dataclass(frozen=True)
class Document:
    """A finished answer. `etag` is over the plain bytes, without quotes."""

    name: str
    content_type: str
    packed: bytes
    etag: str


@dataclass(frozen=True)
class Published:
    """One version of everything public. `fingerprint` and `until` say how long it is known to hold."""

    version: str
    fingerprint: str
    until: datetime | None
    listed: PublicList
    documents: dict[str, Document]


def publisher_of(rt: Runtime) -> Publisher:
    return Publisher(rt.settings.utility, rt.settings.base_url, rt.settings.hotline)


def content_type(name: str) -> str:
    return TYPES.get(name.partition(".")[2]) or TYPES[name.rpartition(".")[2]]


def document(name: str, body: bytes) -> Document:
    # No time in the gzip header: the same facts give the same bytes.
    return Document(name, content_type(name), gzip.compress(body, 6, mtime=0), _etag(body))


def _etag(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]


def place(rt: Runtime) -> Path:
    return Path(rt.settings.state_dir) / "public.zip"


def still_holds(published: Published, fingerprint: str, now: datetime) -> bool:
    return published.fingerprint == fingerprint and (published.until is None or now < published.until)


def publish(rt: Runtime) -> bool:
    """Build and swap in a new version if the present one no longer holds. Returns whether it did.

    Two at once: one builds, the other returns False. Called twice, the second does nothing.
    """
    path = place(rt)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Thousands of outages are read, and all of them stay until they are written.
    with _alone(path.with_suffix(".lock")) as mine, collector_paused():
        if not mine:
            return False
        before = load(path)
        with rt.database.read() as session:
            now = rt.now(session)
            fingerprint = _salted(rt, map_queries.fingerprint(session))
            if before is not None and still_holds(before, fingerprint, now):
                return False
            listed = collect(session, now)
        published, seams = build(listed, publisher_of(rt), fingerprint, before, _seams_of(path))
        _store(path, published, seams)
    return True


def current_fingerprint(rt: Runtime) -> tuple[datetime, str]:
    """(now, what a version must carry to be of now): one small question to the database."""
    with rt.database.read() as session:
        return rt.now(session), _salted(rt, map_queries.fingerprint(session))


def build(
    listed: PublicList,
    publisher: Publisher,
    fingerprint: str,
    before: Published | None = None,
    seams: Seams | None = None,
) -> tuple[Published, Seams]:
    """Every document of a version, and where they can be taken apart. Where the public sees no difference to
    `before`, that version stays, its time "as of" too, so that no cache is emptied for nothing."""
    facts = facts_of(listed)
    mark = sha256(salt_of(publisher) + b",".join(facts)).hexdigest()[:16]
    until = holds_until(listed)
    if before is not None and seams is not None and before.version == mark:
        return Published(mark, fingerprint, until, before.listed, before.documents), seams
    packed = {name: one.packed for name, one in before.documents.items()} if before is not None else {}
    joined = join(listed, facts, publisher, seams or Seams(), packed)
    documents = {
        name: Document(name, content_type(name), one.data, _etag(one.body))
        for name, one in joined.documents.items()
    }
    described = as_json(open_schema.schema(publisher))
    documents[open_schema.NAME] = document(open_schema.NAME, described)
    names = sorted(documents)
    documents["index.json"] = document("index.json", as_json(_index(listed, publisher, names)))
    return Published(mark, fingerprint, until, listed, documents), joined.seams


def load(path: Path) -> Published | None:
    """The version that lies in a file; None if there is none that can be read."""
    try:
        with zipfile.ZipFile(path) as pack:
            about = json.loads(pack.read("about.json"))
            documents = {
                name: Document(name, content_type(name), pack.read(name), etag)
                for name, etag in about["documents"].items()
            }
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        # A file of another layout or a broken disk: it is built anew.
        log.warning("public documents can't be read", error=type(error).__name__)
        return None
    if about.get("layout") != LAYOUT:
        return None
    until = datetime.fromisoformat(about["until"]) if about["until"] else None
    facts = public_facts.read(json.loads(gzip.decompress(documents[FACTS].packed)))
    return Published(about["version"], about["fingerprint"], until, facts, documents)


def _seams_of(path: Path) -> Seams | None:
    """Where the documents that lie in a file can be taken apart; None if it does not say."""
    try:
        with zipfile.ZipFile(path) as pack:
            return Seams.read(pack.read(_SEAMS))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        # `load` has told why.
        return None


def _store(path: Path, published: Published, seams: Seams) -> None:
    about = {
        "layout": LAYOUT,
        "version": published.version,
        "fingerprint": published.fingerprint,
        "until": published.until.isoformat() if published.until else None,
        "documents": {name: one.etag for name, one in published.documents.items()},
    }
    with NamedTemporaryFile(dir=path.parent, prefix="public-", delete=False) as draft:
        try:
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as pack:
                pack.writestr("about.json", json.dumps(about))
                for name, one in published.documents.items():
                    pack.writestr(name, one.packed)
                pack.writestr(_SEAMS, seams.written(), zipfile.ZIP_DEFLATED, 1)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def _index(listed: PublicList, publisher: Publisher, names: list[str]) -> dict[str, Any]:
    """What there is, with addresses: the documents, and a calendar per area and feeder."""
    base = f"{publisher.base_url}{ROOT}"

    def calendars(folder: str, found: set[str]) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "calendars": {tag: f"{base}/{folder}/{slug(name)}.{tag}.ics" for tag in LANGUAGES},
            }
            for name in sorted(found)
        ]

    return {
        "publisher": publisher.utility,
        "licence": "CC-BY-4.0",
        "schema": f"{base}/{open_schema.NAME}",
        "documents": [
            {"name": name, "address": f"{base}/{name}", "type": content_type(name)} for name in names
        ],
        "areas": calendars("areas", {one.area for one in listed.outages if one.area}),
        "feeders": calendars("feeders", {one.line for one in listed.outages if one.line}),
    }


def _salted(rt: Runtime, fingerprint: str) -> str:
    """Other settings and another release make other documents."""
    return f"{sha256(salt_of(publisher_of(rt))).hexdigest()[:8]}-{fingerprint}"


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether this process alone is in here; never waits. The lock ends with the process."""
    with path.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
