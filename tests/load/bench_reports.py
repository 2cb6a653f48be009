"""How many status reports a second go through the web tier, and whether a burst loses any.

Each report is signed, stored, applied. Used by `bench_send` on an outbox whose texts were accepted; the rate is
from the first report posted to the last one applied, and each one answered is looked for in the
database afterwards. The provider here is one thread with sixty-four kept connections: it shares the machine, and
should take little of it.
"""

from __future__ import annotations

import http.client
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import func, select

from channels import twilio_signature
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import links
from outage_notify.services.runtime import Runtime
from outage_notify.store.delivery_tables import Attempt, Delivery, ProviderReport

CONNECTIONS = 64
LONGEST = 300


@dataclass(frozen=True)
class Burst:
    """What was posted and what became of it."""

    posted: int
    answered: int  # with 204
    stored: int
    applied: int
    delivered: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


def burst(rt: Runtime, port: int, most: int) -> Burst:
    """Post one "delivered" for each of up to `most` accepted texts, as fast as it is taken."""
    with rt.database.read() as session:
        now = rt.now(session)
        accepted = session.execute(
            select(Delivery.id, Delivery.provider_id)
            .where(Delivery.id.in_(select(Attempt.delivery_ref)), Delivery.state == DeliveryState.ACCEPTED)
            .limit(most)
        ).all()
    requests = []
    for number, provider_id in accepted:
        path = f"/webhooks/twilio/status/{rt.link_token(links.CALLBACK, number, now + timedelta(days=1))}"
        form = {
            "MessageSid": provider_id,
            "MessageStatus": "delivered",
            "AccountSid": "AC",
            "To": "+10000000000",
        }
        signature = twilio_signature.sign(rt.settings.twilio_auth_token, rt.settings.base_url + path, form)
        requests.append((path, urlencode(form), signature))
    _await(port)
    messages = [_request(*one) for one in requests]
    began = time.perf_counter()
    answered = _post(port, messages)
    while _unapplied(rt):
        if time.perf_counter() - began > LONGEST:
            raise AssertionError(f"{_unapplied(rt)} reports were not applied")
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    with rt.database.read() as session:
        counted = [
            session.scalar(select(func.count()).select_from(model).where(*where)) or 0
            for model, where in (
                (ProviderReport, []),
                (ProviderReport, [ProviderReport.applied_at.is_not(None)]),
                (Delivery, [Delivery.state == DeliveryState.DELIVERED]),
            )
        ]
    return Burst(len(requests), answered, *counted, seconds)


def _request(path: str, body: str, signature: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"{twilio_signature.HEADER}: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def _unapplied(rt: Runtime) -> int:
    with rt.database.read() as session:
        waiting = select(func.count()).select_from(ProviderReport).where(ProviderReport.applied_at.is_(None))
        return session.scalar(waiting) or 0


def _post(port: int, messages: Sequence[bytes]) -> int:
    """Over kept-open connections, one request at a time on each; returns how many were taken with 204."""
    waiting = iter(messages)
    taken = 0
    with selectors.DefaultSelector() as ready:

        def give(connection: socket.socket) -> bool:
            message = next(waiting, None)
            if message is not None:
                connection.sendall(message)
            return message is not None

        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if give(connection):
                ready.register(connection, selectors.EVENT_READ)
            else:
                connection.close()
        while ready.get_map():
            events = ready.select(60)
            if not events:
                break
            for key, _ in events:
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                # A 204 has no body, and fits into one piece.
                taken += connection.recv(65_536).startswith(b"HTTP/1.1 204")
                if not give(connection):
                    ready.unregister(connection)
                    connection.close()
    return taken


def _await(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)
