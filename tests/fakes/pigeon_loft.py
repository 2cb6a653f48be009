"""The provider behind `example_sender`: an HTTP server that keeps tickets and can be told to fail."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

KEY = "key-of-the-loft"


class PigeonLoft:
    """`mode`: "ok", "down" (503 and nothing taken), "lost" (taken, answered 503), "closed" (401)."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.tickets: list[dict[str, str]] = []
        self._lock = threading.Lock()
        loft = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(*loft.push(self.headers.get("X-Key", ""), given))

            def do_GET(self) -> None:
                self._answer(*loft.show(self.path))

            def _answer(self, status: int, body: Any) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def push(self, key: str, given: dict[str, Any]) -> tuple[int, Any]:
        if key != KEY or self.mode == "closed":
            return 401, {}
        if self.mode == "down":
            return 503, {}
        with self._lock:
            ticket = {**{name: str(value) for name, value in given.items()}, "phase": "loft", "why": ""}
            ticket["ticket"] = f"P-{len(self.tickets) + 1}"
            self.tickets.append(ticket)
        return (503, {}) if self.mode == "lost" else (202, {"ticket": ticket["ticket"]})

    def show(self, path: str) -> tuple[int, Any]:
        parts = urlsplit(path)
        with self._lock:
            if parts.path == "/v1/tickets":
                number = parse_qs(parts.query).get("msisdn", [""])[0]
                return 200, {"tickets": [dict(one) for one in self.tickets if one["msisdn"] == number]}
            named = [dict(one) for one in self.tickets if parts.path.endswith(f"/{one['ticket']}")]
        return (200, named[0]) if named else (404, {})

    def tell(self, phase: str, why: str = "") -> list[int]:
        """Report each ticket's phase to whoever asked for it; the answers' statuses."""
        answers = []
        for one in self.tickets:
            one |= {"phase": phase, "why": why}
            body = {"ticket": one["ticket"], "phase": phase, "why": why}
            answers.append(requests.post(one["notify"], json=body, timeout=10).status_code)
        return answers

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
