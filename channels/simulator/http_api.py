"""The simulator's front door: HTTP/1.1 with kept-alive connections, and which path goes where.

Log lines hold method, path and status, never a query or a body.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import logging
import re
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from channels.simulator.answers import Answer, asked, fault
from channels.simulator.calls import Calls
from channels.simulator.messages import Messages
from channels.simulator.script import ScriptError

if TYPE_CHECKING:
    from channels.simulator.server import Simulator

log = logging.getLogger(__name__)

ACCOUNT = re.compile(r"/2010-04-01/Accounts/(?P<account>[^/]+?)(?:/(?P<rest>.+?))?\.json")
LARGEST_BODY = 1_000_000


class ApiServer(ThreadingHTTPServer):
    """One thread for each connection."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], simulator: Simulator) -> None:
        self.simulator = simulator
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `hang_up` can end it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """The connection is over."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all kept-alive connections: a stopped provider answers nobody."""
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # It may have ended by itself.
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up (a time-out of its own) is everyday; anything else is a defect here."""
        if isinstance(sys.exception(), OSError):
            log.debug("a connection ended early")
        else:
            log.exception("a request broke the simulator")


def _form(body: bytes) -> dict[str, str]:
    """A posted form; the one field that Twilio takes several times is joined by spaces."""
    form: dict[str, str] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        several = name == "StatusCallbackEvent" and name in form
        form[name] = f"{form[name]} {value}" if several else value
    return form


class Handler(BaseHTTPRequestHandler):
    """Reads one request after another from a connection and routes it."""

    protocol_version = "HTTP/1.1"
    server_version = "ProviderSimulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    server: ApiServer

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            self._write(fault(413, 20001, "Too large"))
            return
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path.startswith("/simulator/"):
            answer = self._control(method, parts.path.removeprefix("/simulator/"), query, body)
        else:
            answer = self._api(method, parts.path, query, body)
        if answer.lost:
            self.close_connection = True
            return
        try:
            self._write(answer)
            self.wfile.flush()
        finally:
            # The message was taken, whether or not the client waited for the answer.
            if answer.then is not None:
                answer.then()

    def _write(self, answer: Answer) -> None:
        content = answer.encoded()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _api(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        simulator = self.server.simulator
        found = ACCOUNT.fullmatch(path)
        if not self._authorised():
            return fault(401, 20003, "Authenticate")
        if found is None or found["account"] != simulator.account_sid:
            return fault(404, 20404, f"The requested resource {path} was not found")
        rest = found["rest"] or ""
        kind, _, sid = rest.partition("/")
        if method == "GET" and not rest:
            return asked(simulator.script.questions, lambda: Answer(body=simulator.account()))
        resources: dict[str, Messages | Calls] = {"Messages": simulator.messages, "Calls": simulator.calls}
        resource = resources.get(kind)
        if resource is None:
            return fault(404, 20404, f"The requested resource {path} was not found")
        if method == "GET":
            return asked(
                simulator.script.questions,
                lambda: resource.fetch(sid) if sid else resource.listing(path, query),
            )
        if sid:
            return fault(405, 20004, "Method not allowed")
        return resource.create(_form(body))

    def _authorised(self) -> bool:
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        simulator = self.server.simulator
        expected = base64.b64encode(f"{simulator.account_sid}:{simulator.auth_token}".encode()).decode()
        return scheme.lower() == "basic" and hmac.compare_digest(credentials.strip(), expected)

    def _control(self, method: str, name: str, query: dict[str, str], body: bytes) -> Answer:
        simulator = self.server.simulator
        try:
            given = json.loads(body) if body else {}
            actions: dict[tuple[str, str], Callable[[], Any]] = {
                ("GET", "health"): simulator.health,
                ("GET", "ledger"): lambda: simulator.show_ledger(query),
                ("POST", "script"): lambda: simulator.load_script(given),
                ("POST", "reply"): lambda: simulator.inbound.reply(given),
                ("POST", "call"): lambda: simulator.inbound.call(given),
                ("POST", "reset"): simulator.reset,
            }
            action = actions.get((method, name))
            if action is None:
                return Answer(404, {"error": f"There is no {method} /simulator/{name}."})
            return Answer(body=action())
        except (ScriptError, ValueError, TypeError, KeyError) as error:
            return Answer(400, {"error": str(error)})

    def log_message(self, format: str, *args: Any) -> None:
        """Replaces the standard line, which holds the query and with it numbers."""
        log.debug("%s %s", self.command, urlsplit(self.path).path)
