"""An append-only file of JSON lines that survives `kill -9` of its writer.

Each record goes to the operating system in one write before `append` returns; a last
line that was torn in half is left out when reading. Not meant to survive a power cut.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any


class Journal:
    """One file, one writer process, many threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._end_torn_line()
        self._closed = False
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _end_torn_line(self) -> None:
        """Cut a half-written last line off, so that the next record starts a line of its own."""
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        if content and not content.endswith(b"\n"):
            self._path.write_bytes(content[: content.rfind(b"\n") + 1])

    def append(self, record: dict[str, Any]) -> None:
        """Write one record."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        with self._lock:
            if self._closed:
                raise ValueError("The journal is closed.")
            os.write(self._descriptor, line.encode())

    def records(self) -> list[dict[str, Any]]:
        """Everything written so far, oldest first."""
        with self._path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            os.ftruncate(self._descriptor, 0)

    def close(self) -> None:
        """Close the file; nothing may be appended any more."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._descriptor)
