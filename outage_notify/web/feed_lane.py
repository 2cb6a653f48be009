"""The fast lane of calendar feeds: an unchanged feed is answered before sessions, languages and forms are set up.

Hundreds of thousands of calendar programs poll, and nearly all of them hear "nothing new". Promises: what is
answered here is what the route in `feeds` would answer, header for header, by the same function; only a feed
that was rendered for the very version in the database is, or one that holds nothing; all else goes on to the
application. A wrong secret is never answered here, so that the limit on guessing sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from werkzeug.http import http_date, parse_accept_header, parse_date, parse_etags

from outage_notify.services import publish_calendar
from outage_notify.services.feed_cache import Feed
from outage_notify.services.runtime import Runtime

Headers = list[tuple[str, str]]
Wsgi = Callable[..., Iterable[bytes]]
OF_CUSTOMER = "private, no-cache"
_BEFORE, _AFTER = "/feeds/", ".ics"


def answer(feed: Feed, caching: str, environ: dict[str, Any]) -> tuple[str, Headers, bytes]:
    """Status, headers and body for a feed, by what the subscriber says that it has and takes."""
    headers = [
        ("ETag", f'"{feed.etag}"'),
        ("Cache-Control", caching),
        ("Vary", "Accept-Encoding"),
    ]
    if _is_fresh(feed, environ):
        return "304 NOT MODIFIED", headers, b""
    headers += [
        ("Last-Modified", http_date(feed.last_modified)),
        ("Content-Type", "text/calendar; charset=utf-8"),
        ("Content-Disposition", 'inline; filename="outages.ics"'),
    ]
    if not _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        return "200 OK", [*headers, ("Content-Length", str(len(feed.body)))], feed.body
    # Other bytes of the same calendar: equal in meaning only, and a weak tag says that.
    headers[0] = ("ETag", f'W/"{feed.etag}"')
    headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(feed.zipped)))]
    return "200 OK", headers, feed.zipped


class FeedLane:
    """WSGI middleware around the whole application. `fixed`: the headers that every answer of it has."""

    def __init__(self, application: Wsgi, rt: Runtime, fixed: Sequence[tuple[str, str]]) -> None:
        self.application = application
        self.rt = rt
        self.fixed = list(fixed)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        method = environ.get("REQUEST_METHOD")
        if path.startswith(_BEFORE) and path.endswith(_AFTER) and method in {"GET", "HEAD"}:
            feed = publish_calendar.kept_feed(self.rt, path[len(_BEFORE) : -len(_AFTER)])
            if feed is not None:
                status, headers, body = answer(feed, OF_CUSTOMER, environ)
                start_response(status, [*headers, *self.fixed])
                return [body] if method == "GET" else []
        return self.application(environ, start_response)


def _is_fresh(feed: Feed, environ: dict[str, Any]) -> bool:
    """Whether the subscriber's copy is this one (RFC 9110, 13.1): the tag decides, without one the time."""
    tags = environ.get("HTTP_IF_NONE_MATCH")
    if tags is not None:
        return parse_etags(tags).contains_weak(feed.etag)
    since = parse_date(environ.get("HTTP_IF_MODIFIED_SINCE"))
    return since is not None and since >= feed.last_modified


def _takes_gzip(accepted: str) -> bool:
    return "gzip" in accepted and bool(parse_accept_header(accepted)["gzip"])
