"""Answers public requests from memory: each page and document is made once per version and minute.

A storm brings millions of views of the same few things. This stands before Flask: what was
answered once is answered again without asking it, packed, with an ETag, until the facts
change. Promises: only answers that Flask itself called public are kept, never one that sets a
cookie; the key holds all that such an answer depends on. Nothing is kept for long, nor
without bound.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast

from flask import Flask, current_app

from outage_notify.domain.errors import SettingsError
from outage_notify.services.public_shelf import Held, Shelf
from outage_notify.services.runtime import Runtime
from outage_notify.web.i18n import COOKIE

SHELF = "outage_notify.public_shelf"
_ENTRIES = 1_024
_LARGEST_KEY = 512
_PAGES = ("/", "/outages", "/open-data", "/embed", "/outages.geojson")
_FOLDERS = ("/outages/", "/open-data/", "/static/")
_SAME_FOR_ALL = ("/open-data/v1/", "/static/")
_PACKED = (
    "text/",
    "application/json",
    "application/geo+json",
    "application/atom",
    "application/cap",
    "image/svg",
)
Environ = dict[str, Any]
Start = Callable[..., Any]


def shelf() -> Shelf:
    """The shelf of this application."""
    return cast(Shelf, current_app.extensions[SHELF])


def keep(app: Flask, rt: Runtime) -> None:
    """Give the application a shelf, and stand before it."""
    app.extensions[SHELF] = Shelf(rt)
    app.wsgi_app = PublicCache(app.wsgi_app, app.extensions[SHELF])  # type: ignore[method-assign, assignment]


@dataclass(frozen=True)
class Entry:
    """An answer: its headers without length and encoding, the bytes as they are and packed."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    packed: bytes | None
    etag: str


class PublicCache:
    """WSGI middleware. Two threads that miss at once both ask Flask; the later answer is kept."""

    def __init__(self, app: Callable[[Environ, Start], Iterable[bytes]], found: Shelf) -> None:
        self.app = app
        self.shelf = found
        self._entries: OrderedDict[tuple[Any, ...], Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not (
            path in _PAGES or path.startswith(_FOLDERS)
        ):
            return self.app(environ, start)
        try:
            held = self.shelf.current()
        except SettingsError:
            return self.app(environ, start)
        key = _key(environ, path, held)
        if key is None:
            return self.app(environ, start)
        entry = self._entries.get(key)
        if entry is None:
            answer = _ask(self.app, environ)
            entry = _entry(answer, path.startswith(_SAME_FOR_ALL))
            if entry is None:
                status, headers, body = answer
                start(status, headers)
                return [body]
            with self._lock:
                self._entries[key] = entry
                while len(self._entries) > _ENTRIES:
                    self._entries.popitem(last=False)
        return _answer(entry, environ, start)


def _key(environ: Environ, path: str, held: Held) -> tuple[Any, ...] | None:
    query = environ.get("QUERY_STRING", "")
    # The switch of languages sets a cookie.
    if len(query) + len(path) > _LARGEST_KEY or "lang=" in query:
        return None
    if path.startswith("/static/"):
        return (path,)
    wish = environ.get("HTTP_ACCEPT_LANGUAGE", "")[:64]
    minute = held.checked.replace(second=0, microsecond=0)
    return (path, query, wish, _chosen(environ), held.version, held.fresh, minute)


def _chosen(environ: Environ) -> str:
    """The language in the cookie; nothing else of it matters to a public page."""
    text = environ.get("HTTP_COOKIE", "")
    if COOKIE not in text:
        return ""
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return found.value[:16] if found else ""


def _ask(app: Callable[[Environ, Start], Iterable[bytes]], environ: Environ) -> tuple[str, list[Any], bytes]:
    """The whole answer of the application, as a GET without conditions."""
    said: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], None]:
        said[:] = [status, headers]
        return lambda data: None

    asked = {name: value for name, value in environ.items() if name not in _CONDITIONS}
    answer = app(asked | {"REQUEST_METHOD": "GET"}, start)
    try:
        body = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    return said[0], said[1], body


_CONDITIONS = {"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE"}
_OWN = {"content-length", "content-encoding", "etag", "vary", "last-modified", "accept-ranges", "date"}


def _entry(answer: tuple[str, list[Any], bytes], same_for_all: bool) -> Entry | None:
    """The answer as it is kept; None if it may not be. `same_for_all`: no cookie and no language changes it."""
    status, headers, body = answer
    names = {name.lower(): value for name, value in headers}
    cached = names.get("cache-control", "")
    if not status.startswith("200") or "set-cookie" in names or "no-store" in cached:
        return None
    if names.get("content-encoding") == "gzip":
        packed: bytes | None = body
        body = gzip.decompress(body)
    else:
        worth = names.get("content-type", "").startswith(_PACKED) and len(body) > 500
        packed = gzip.compress(body, 6, mtime=0) if worth else None
    etag = names.get("etag") or f'"{sha256(body).hexdigest()[:32]}"'
    vary = [names["vary"]] if names.get("vary") and not same_for_all else []
    kept = [(name, value) for name, value in headers if name.lower() not in _OWN]
    if packed is not None:
        vary.append("Accept-Encoding")
    if vary:
        kept.append(("Vary", ", ".join(vary)))
    return Entry(tuple(kept), body, packed, etag)


def _answer(entry: Entry, environ: Environ, start: Start) -> Iterator[bytes] | list[bytes]:
    packed = entry.packed is not None and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    # One tag for both encodings would be wrong for a cache between us and the reader.
    etag = f'{entry.etag[:-1]}-gz"' if packed else entry.etag
    headers = [*entry.headers, ("ETag", etag)]
    asked = environ.get("HTTP_IF_NONE_MATCH", "")
    if asked and (
        asked.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in asked.split(",")}
    ):
        start("304 Not Modified", [one for one in headers if one[0].lower() != "content-type"])
        return []
    body = entry.packed if packed and entry.packed is not None else entry.body
    if packed:
        headers.append(("Content-Encoding", "gzip"))
    headers.append(("Content-Length", str(len(body))))
    start("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
