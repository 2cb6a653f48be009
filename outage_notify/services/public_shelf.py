"""The version of everything public that this process hands out, and how it stays up while the database is down.

Promises: `current` costs nothing but a look at a stop-watch most of the time; the database is
asked at most once per `check_seconds`, and whether or not it answers there is something to
hand out once there ever was. The worker rebuilds; only where it does not for
`patience_seconds`, the process that notices does.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import structlog
from sqlalchemy.exc import SQLAlchemyError

from outage_notify.domain.errors import SettingsError
from outage_notify.services import open_cap, open_formats, public_facts
from outage_notify.services.public_words import LANGUAGES
from outage_notify.services.publish_documents import (
    Document,
    Published,
    current_fingerprint,
    document,
    load,
    place,
    publish,
    publisher_of,
    still_holds,
)
from outage_notify.services.runtime import Runtime

log = structlog.get_logger(__name__)

CHECK_SECONDS = 2.0
# Of documents about one outage, made when they are first asked for.
_KEPT = 512
_PATIENT_LOOKS = 50


@dataclass(frozen=True)
class Held:
    """What is handed out now. `fresh`: the database has confirmed it at `checked`; else it has not answered since."""

    published: Published
    checked: datetime
    fresh: bool
    made: dict[str, Document] = field(default_factory=dict, compare=False)

    @property
    def version(self) -> str:
        return self.published.version

    @property
    def listed(self) -> public_facts.PublicList:
        return self.published.listed


class Shelf:
    """One per web process. Thread-safe: one thread looks, the others go on with what there is."""

    def __init__(self, rt: Runtime, check_seconds: float = CHECK_SECONDS) -> None:
        self.rt = rt
        self.check_seconds = check_seconds
        self.patience_seconds = 2 * rt.settings.tick_seconds
        self._lock = threading.Lock()
        self._held: Held | None = None
        self._looked = 0.0
        self._stale_since: float | None = None

    def look_always(self) -> None:
        """Ask the database each time, and build without waiting for the worker."""
        self.check_seconds = self.patience_seconds = 0.0

    def current(self) -> Held:
        """What to hand out. SettingsError (503) if there never was anything and the database is away."""
        held = self._held
        if held is not None and self.check_seconds and time.monotonic() - self._looked < self.check_seconds:
            return held
        if not self._lock.acquire(blocking=held is None or not self.check_seconds) and held is not None:
            return held
        try:
            self._held = held = self._look()
            self._looked = time.monotonic()
            return held
        finally:
            self._lock.release()

    def get(self, name: str) -> Document | None:
        """A document by its name below /open-data/v1; None if there is none of that name."""
        held = self.current()
        return held.published.documents.get(name) or self._made(held, name)

    def _look(self) -> Held:
        held = self._held
        try:
            now, fingerprint = current_fingerprint(self.rt)
            published = held.published if held is not None else load(place(self.rt))
            if published is None or not still_holds(published, fingerprint, now):
                published = load(place(self.rt)) or published
            if published is None or not still_holds(published, fingerprint, now):
                published = self._rebuilt(published)
            else:
                self._stale_since = None
        except SQLAlchemyError as error:
            log.warning("public documents can't be checked", error=type(error).__name__)
            return self._left_alone()
        same = held is not None and held.version == published.version
        return Held(published, now, True, held.made if same and held is not None else {})

    def _rebuilt(self, published: Published | None) -> Published:
        """Build here, unless the worker may still do so."""
        if self._stale_since is None:
            self._stale_since = time.monotonic()
        waited = time.monotonic() - self._stale_since
        if published is not None and waited < self.patience_seconds:
            return published
        publish(self.rt)
        self._stale_since = None
        found = load(place(self.rt))
        for _ in range(_PATIENT_LOOKS):
            if found is not None:
                break
            # Another process builds the very first version.
            time.sleep(0.1)
            found = load(place(self.rt))
        if found is None:
            raise SettingsError("The public documents can't be written.", "Look at OUTAGE_NOTIFY_STATE_DIR.")
        return found

    def _left_alone(self) -> Held:
        """The last version, while nobody can say whether it still holds."""
        held = self._held
        if held is not None:
            return Held(held.published, held.checked, False, held.made)
        published = load(place(self.rt))
        if published is None:
            raise SettingsError("Nothing was published yet.", "Try again in a minute.")
        return Held(published, published.listed.as_of, False)

    def _made(self, held: Held, name: str) -> Document | None:
        """A document about one outage, area or feeder, from the facts at hand."""
        if name in held.made:
            return held.made[name]
        body = self._body(held, name)
        if body is None:
            return None
        made = document(name, body)
        if len(held.made) >= _KEPT:
            for old in list(islice(held.made, _KEPT // 2)):
                held.made.pop(old, None)
        held.made[name] = made
        return made

    def _body(self, held: Held, name: str) -> bytes | None:
        folder, _, file = name.partition("/")
        if folder == "tiles":
            return self._tile(held, file)
        makers: dict[str, Callable[[Held, str], bytes | None]] = {
            "outages": self._of_outage,
            "areas": self._of_area,
            "feeders": self._of_feeder,
            "cap": self._alert,
        }
        maker = makers.get(folder)
        return maker(held, file) if maker is not None and file and "/" not in file else None

    def _tile(self, held: Held, file: str) -> bytes | None:
        parts = file.removesuffix(".mvt").split("/")
        numbers = [int(one) for one in parts if one.isascii() and one.isdigit() and len(one) < 6]
        if not file.endswith(".mvt") or len(parts) != 3 or len(numbers) != 3:
            return None
        try:
            return open_formats.vector_tile(held.listed, *numbers)
        except ValueError:
            return None

    def _of_outage(self, held: Held, file: str) -> bytes | None:
        reference, _, rest = file.partition(".")
        one = held.listed.find(reference)
        if one is None:
            return None
        if rest == "geojson":
            return open_formats.geojson(public_facts.PublicList(held.listed.as_of, (one,)))
        if rest == "json":
            listed = public_facts.PublicList(held.listed.as_of, (one,))
            return json.dumps(public_facts.write(listed), ensure_ascii=False).encode()
        return self._calendar(held, rest, (one,), "")

    def _of_area(self, held: Held, file: str) -> bytes | None:
        mark, _, rest = file.partition(".")
        found = tuple(one for one in held.listed.outages if public_facts.slug(one.area) == mark)
        return self._calendar(held, rest, found, found[0].area) if found else None

    def _of_feeder(self, held: Held, file: str) -> bytes | None:
        mark, _, rest = file.partition(".")
        found = tuple(one for one in held.listed.outages if one.line and public_facts.slug(one.line) == mark)
        return self._calendar(held, rest, found, found[0].line) if found else None

    def _calendar(
        self, held: Held, rest: str, outages: tuple[public_facts.PublicOutage, ...], name: str
    ) -> bytes | None:
        language, _, kind = rest.partition(".")
        if kind != "ics" or language not in LANGUAGES:
            return None
        return open_formats.calendar(outages, publisher_of(self.rt), language, held.listed.as_of, name)

    def _alert(self, held: Held, file: str) -> bytes | None:
        identifier, _, kind = file.rpartition(".")
        reference, _, number = identifier.rpartition(".")
        one = held.listed.find(reference)
        if kind != "xml" or one is None or not number.isascii() or not number.isdigit():
            return None
        return open_cap.alert(one, int(number), publisher_of(self.rt))


def plain_bytes(found: Document) -> bytes:
    """The document as it was before it was packed."""
    return gzip.decompress(found.packed)
