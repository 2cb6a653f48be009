"""Prints the public's pages and documents as files, which a web server in front hands out without asking us.

Promises: what is printed is, byte by byte, what the application itself would answer, in each language, with its "as
of"; printed anew when something changed, each minute, and when the database stops or begins to answer. Of
all processes of a machine one prints (a lock that ends with it); another takes over. Without a web server in front
nobody reads the files, and nothing depends on them. `docs/nginx.conf` says how they are handed out.
"""

from __future__ import annotations

import fcntl
import gzip
import threading
from pathlib import Path
from typing import IO

import structlog
from flask import Flask

from outage_notify.services.public_files import PrintedFile, write_edition
from outage_notify.services.public_shelf import CHECK_SECONDS, Held, Shelf
from outage_notify.services.publish_documents import Document
from outage_notify.web.public_cache import SHELF

log = structlog.get_logger(__name__)

# Addresses to file names. Everything else is asked for rarely enough to be kept by the web server in front.
PAGES = {"/": "map.html", "/outages": "outages.html", "/embed": "embed.html", "/open-data": "open-data.html"}
LANGUAGES = ("en", "zh-CN")
_PACKED_STATIC = {".css", ".js", ".svg"}


class Press:
    """One per application. `run` prints for ever; `print_now` once, for whoever can't wait."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app, self.folder = app, folder
        self._shelf: Shelf = app.extensions[SHELF]
        self._printed: tuple[object, ...] = ()
        self._held: IO[str] | None = None

    def start(self) -> None:
        """Print from now on, beside all else, until the process ends."""
        threading.Thread(target=self.run, args=(threading.Event(),), name="press", daemon=True).start()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.print_changed()
            except Exception as error:
                # A full disk, nothing published yet, or a defect: the files before stay, and it is tried again.
                log.error("public files can't be written", error=type(error).__name__)
            stop.wait(CHECK_SECONDS)

    def print_changed(self) -> bool:
        """Print if this process is the one that does and the last edition no longer holds; whether it did."""
        if not self._mine():
            return False
        held = self._shelf.current()
        stamp = (held.version, held.fresh, held.checked.replace(second=0, microsecond=0))
        if stamp == self._printed:
            return False
        self._print(held)
        self._printed = stamp
        return True

    def _print(self, held: Held) -> None:
        documents = {f"open-data/v1/{name}": _document(one) for name, one in held.published.documents.items()}
        pages = {
            f"{language}/{name}": self._page(path, language)
            for language in LANGUAGES
            for path, name in PAGES.items()
        }
        static, mark = Path(self.app.static_folder or ""), self.app.jinja_env.globals["style_mark"]
        write_edition(self.folder, held.version, documents, pages, str(mark), _static(static))

    def _page(self, path: str, language: str) -> PrintedFile:
        headers = {"Accept-Language": language, "Accept-Encoding": "gzip"}
        answer = self.app.test_client(use_cookies=False).get(path, headers=headers)
        if answer.status_code != 200:
            raise OSError(f"{path} answers {answer.status}")
        if answer.headers.get("Content-Encoding") == "gzip":
            return PrintedFile(gzip.decompress(answer.data), answer.data)
        return _packed(answer.data)

    def _mine(self) -> bool:
        """Whether this process is the printer of its machine, from the first time that nobody else is."""
        if self._held is not None:
            return True
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        lock = (self.folder / ".lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._held = lock
        return True

    def close(self) -> None:
        """Let another process print."""
        if self._held is not None:
            self._held.close()
            self._held = None


def _document(one: Document) -> PrintedFile:
    return PrintedFile(gzip.decompress(one.packed), one.packed)


def _static(folder: Path) -> dict[str, PrintedFile]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            body = path.read_bytes()
            name = f"static/{path.relative_to(folder).as_posix()}"
            found[name] = _packed(body) if path.suffix in _PACKED_STATIC else PrintedFile(body, None)
    return found


def _packed(body: bytes) -> PrintedFile:
    return PrintedFile(body, gzip.compress(body, 9, mtime=0))
