"""How many status reports a second go through the web tier, and whether a burst loses any.

The product's own web server posts nothing away unread: each report is signed, stored, applied. Used by
`bench_send` on an outbox whose texts were accepted; the rate is from the first report posted to
the last one answered, and each one answered is looked for in the database afterwards.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import func, select

from channels import twilio_signature
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import links
from outage_notify.services.runtime import Runtime
from outage_notify.store.delivery_tables import Attempt, Delivery, ProviderReport

CLIENTS = 8


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
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = sum(pool.map(lambda at: _post(port, requests[at::CLIENTS]), range(CLIENTS)))
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


def _post(port: int, requests: Sequence[tuple[str, str, str]]) -> int:
    """Over one kept-open connection; returns how many were taken."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = 0
    for path, body, signature in requests:
        headers = {"Content-Type": "application/x-www-form-urlencoded", twilio_signature.HEADER: signature}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        taken += answer.status == 204
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
