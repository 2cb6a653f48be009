"""The usual design, for comparison alone: a row for each message, and a Celery task for each row.

The task reads its row, calls the provider, writes its row. It is what most products begin
with; it loses and doubles messages when a worker dies, which is not what is measured here.
"""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery
from sqlalchemy import create_engine, text
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

app = Celery("usual", broker=os.environ.get("BENCH_BROKER", "memory://"))
app.conf.update(task_ignore_result=True, task_default_queue="usual")
_made: dict[str, Any] = {}


def prepare(url: str, count: int) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE messages (id bigint PRIMARY KEY, address text, body text, state text, sid text, "
                "began_at timestamptz, ended_at timestamptz)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO messages (id, address, body, state) "
                "SELECT n, '+86139' || lpad(n::text, 8, '0'), repeat('x', 160), 'created' "
                "FROM generate_series(1, :count) n"
            ),
            {"count": count},
        )
    engine.dispose()


def ring(environ: dict[str, str], count: int) -> None:
    """Put one task for each message into the queue."""
    app.conf.broker_url = environ["BENCH_BROKER"]
    with app.connection_for_write() as connection:
        for number in range(1, count + 1):
            send.apply_async(args=(number,), connection=connection)


def wait(url: str, count: int) -> float:
    """Messages per second, from the first begun to the last written."""
    engine = create_engine(url)
    deadline = time.monotonic() + 900
    while True:
        with engine.connect() as connection:
            done, first, last = connection.execute(
                text("SELECT count(ended_at), min(began_at), max(ended_at) FROM messages")
            ).one()
        if done == count:
            engine.dispose()
            return float(count / (last - first).total_seconds())
        if time.monotonic() > deadline:
            raise AssertionError(f"{done} of {count}")
        time.sleep(0.5)


class _ToStub(TwilioHttpClient):
    def request(self, method: str, uri: str, *args: Any, **more: Any) -> Any:
        base = os.environ["BENCH_PROVIDER"]
        return super().request(method, uri.replace("https://api.twilio.com", base), *args, **more)


def _parts() -> tuple[Any, Client]:
    if not _made:
        _made["engine"] = create_engine(os.environ["BENCH_DATABASE"], pool_size=20)
        _made["client"] = Client("AC" + "0" * 32, "x", http_client=_ToStub())
    return _made["engine"], _made["client"]


@app.task(name="usual.send", acks_late=True)
def send(number: int) -> None:
    engine, client = _parts()
    with engine.begin() as connection:
        row = connection.execute(
            text(
                "UPDATE messages SET state = 'sending', began_at = clock_timestamp() WHERE id = :id "
                "RETURNING address, body"
            ),
            {"id": number},
        ).one()
    sid = client.messages.create(
        to=row.address,
        from_="+15005550006",
        body=row.body,
        status_callback=f"http://127.0.0.1/status/{number}",
        validity_period=36000,
    ).sid
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE messages SET state = 'sent', sid = :sid, ended_at = clock_timestamp() WHERE id = :id"
            ),
            {"id": number, "sid": sid},
        )
