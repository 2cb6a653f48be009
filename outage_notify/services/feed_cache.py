"""Rendered feeds, kept until something in them changes.

Promises: a feed is handed out again only while the database's published version is the one it was
rendered at and no instant has passed that changes it by itself (an event ends and loses its
alarms, one leaves, the address ends). After another version it is compared event by event, and what is the same is not
rendered again. Feeds that are the same bytes are kept once. Nothing here outlives the process, and none is
needed: an empty cache renders.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from channels.calendar import FeedEvent, render_feed
from channels.model import Language

MOST_FEEDS = 100_000
MOST_BYTES = 64 * 1024 * 1024
_MOST_EMPTY = 64
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Feed:
    """`etag` without quotes; `last_modified` in whole seconds, 1970 for a feed that never held anything;
    `zipped`: `body` by gzip, always the same bytes."""

    body: bytes
    etag: str
    last_modified: datetime
    zipped: bytes


@dataclass
class _Kept:
    version: int
    until: datetime | None
    fingerprint: bytes
    feed: Feed


class FeedCache:
    """Feeds by the secret or name in their address; threads may share it."""

    def __init__(self, most_feeds: int = MOST_FEEDS, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        # Body's etag to (feed, how many addresses share it).
        self._bodies: dict[str, tuple[Feed, int]] = {}
        # Feeds that hold nothing, one per name and language: most customers have nothing ahead.
        self._known: dict[bytes, Feed] = {}
        self._bytes = 0
        self._most = most_feeds, most_bytes
        self._lock = threading.Lock()
        self.rendered = 0

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def get(self, key: str, version: int, now: datetime) -> Feed | None:
        """What was rendered for this version and still holds at `now`; otherwise None."""
        kept = self._kept.get(key)
        if kept is None or kept.version != version or (kept.until is not None and kept.until <= now):
            return None
        return kept.feed

    def put(
        self,
        key: str,
        version: int,
        name: str,
        events: Sequence[FeedEvent],
        language: Language,
        now: datetime,
        moments: Iterable[datetime | None] = (),
    ) -> Feed:
        """Render, unless the same was rendered before. `moments`: when it changes by itself, beside the ends
        of its events."""
        over = [event.end for event in events if event.end <= now]
        ahead = [event.end for event in events if event.end > now]
        until = min([*ahead, *(one for one in moments if one is not None)], default=None)
        fingerprint = sha256(repr((name, language, events, len(over))).encode()).digest()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.fingerprint == fingerprint:
                kept.version, kept.until = version, until
                self._kept.move_to_end(key)
                return kept.feed
            same = self._known.get(fingerprint)
            if same is not None:
                return self._keep(key, version, until, fingerprint, same)
        body = render_feed(name, events, language, now)
        # An event that ended loses its alarms: a change of the feed at that moment.
        modified = max([*(event.modified for event in events), *over], default=_NEVER)
        feed = Feed(
            body,
            sha256(body).hexdigest()[:32],
            modified.astimezone(UTC).replace(microsecond=0),
            gzip.compress(body, mtime=0),
        )
        with self._lock:
            self.rendered += 1
            if not events and len(self._known) < _MOST_EMPTY:
                self._known[fingerprint] = feed
            return self._keep(key, version, until, fingerprint, feed)

    def _keep(self, key: str, version: int, until: datetime | None, fingerprint: bytes, feed: Feed) -> Feed:
        self._drop(key)
        feed = self._share(feed)
        self._kept[key] = _Kept(version, until, fingerprint, feed)
        while len(self._kept) > self._most[0] or (self._bytes > self._most[1] and len(self._kept) > 1):
            self._drop(next(iter(self._kept)))
        return feed

    def forget(self, key: str) -> None:
        """An address that opens nothing any more."""
        if key in self._kept:
            with self._lock:
                self._drop(key)

    def _share(self, feed: Feed) -> Feed:
        known, shared = self._bodies.get(feed.etag, (feed, 0))
        if not shared:
            self._bytes += len(feed.body) + len(feed.zipped)
        elif known.last_modified != feed.last_modified:
            known = feed
        self._bodies[feed.etag] = (known, shared + 1)
        return known

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        feed, shared = self._bodies[kept.feed.etag]
        if shared > 1:
            self._bodies[feed.etag] = (feed, shared - 1)
        else:
            del self._bodies[feed.etag]
            self._bytes -= len(feed.body) + len(feed.zipped)
