"""A small product for providers to call: a web server that keeps what is posted and answers as told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Form = dict[str, str]


class Hook:
    """Keeps (path, form, signature) of each POST; `answers` maps a path to what it gives back."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, Form, str]] = []
        self.answers: dict[str, Callable[[Form], str]] = {}
        self.status = 200
        self._lock = threading.Lock()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(parse_qsl(body, keep_blank_values=True))
                with hook._lock:
                    hook.posts.append((self.path, form, self.headers.get("X-Twilio-Signature", "")))
                answer = hook.answers.get(self.path.partition("?")[0], lambda form: "")(form).encode()
                self.send_response(hook.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def forms(self, path: str) -> list[Form]:
        """What was posted to one path, in order."""
        with self._lock:
            return [form for where, form, _ in self.posts if where.partition("?")[0] == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
