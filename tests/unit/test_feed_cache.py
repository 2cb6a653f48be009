"""What was rendered is handed out again exactly as long as it is right."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

from channels.calendar import FeedEvent
from channels.model import Language
from outage_notify.services.feed_cache import Feed, FeedCache

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def event(number: int = 1, start: datetime = NOW + HOUR) -> FeedEvent:
    return FeedEvent(f"PO-{number}", "S1", 1, "CONFIRMED", start, start + HOUR, NOW, "1 River Road")


def put(cache: FeedCache, key: str, version: int, events: list[FeedEvent], now: datetime = NOW) -> Feed:
    return cache.put(key, version, "Outages", events, Language.EN, now)


def test_it_holds_for_its_version_alone() -> None:
    cache = FeedCache()
    feed = put(cache, "a", 7, [event()])
    assert cache.get("a", 7, NOW) is feed
    assert cache.get("a", 8, NOW) is None
    assert cache.get("b", 7, NOW) is None


def test_another_version_with_the_same_facts_renders_nothing() -> None:
    cache = FeedCache()
    feed = put(cache, "a", 7, [event()])
    assert put(cache, "a", 8, [event()]) is feed
    assert cache.rendered == 1
    assert cache.get("a", 8, NOW) is feed
    assert put(cache, "a", 9, [event(2)]) is not feed
    assert cache.rendered == 2


def test_an_event_that_ends_changes_the_feed_by_itself() -> None:
    cache = FeedCache()
    ahead = put(cache, "a", 7, [event()])
    over = NOW + 2 * HOUR
    assert cache.get("a", 7, over - timedelta(seconds=1)) is ahead
    assert cache.get("a", 7, over) is None
    after = put(cache, "a", 7, [event()], over)
    assert b"VALARM" in ahead.body and b"VALARM" not in after.body
    assert (after.etag == ahead.etag, after.last_modified) == (False, over)
    assert cache.get("a", 7, over + 1000 * HOUR) is after


def test_an_address_that_ends_is_asked_for_again() -> None:
    cache = FeedCache()
    cache.put("a", 7, "Outages", [], Language.EN, NOW, [None, NOW + HOUR])
    assert cache.get("a", 7, NOW) is not None
    assert cache.get("a", 7, NOW + HOUR) is None


def test_same_bytes_are_kept_once_and_the_oldest_leaves() -> None:
    cache = FeedCache(most_feeds=3)
    first = put(cache, "a", 1, [])
    assert put(cache, "b", 1, []) is first
    for key in "cd":
        put(cache, key, 1, [event(ord(key))])
    assert cache.get("a", 1, NOW) is None
    assert cache.get("b", 1, NOW) is first
    for key in "bcd":
        cache.forget(key)
    assert (cache._bytes, cache._bodies) == (0, {})


def test_no_more_bytes_than_allowed_are_kept() -> None:
    cache = FeedCache(most_bytes=6_000)
    for number in range(20):
        put(cache, str(number), 1, [event(number)])
        assert cache._bytes <= 6_000
    assert cache.get("19", 1, NOW) is not None


def test_the_zipped_body_is_the_body() -> None:
    feed = put(FeedCache(), "a", 1, [event()])
    assert gzip.decompress(feed.zipped) == feed.body
    assert feed.zipped == put(FeedCache(), "z", 9, [event()]).zipped
