"""The heartbeat goes out when the audit holds, and only then: silence is the alarm."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from outage_notify.domain.delivery import DeliveryState
from outage_notify.store.delivery_tables import Delivery
from tests.factories.world import world


class Switch:
    """Somebody's dead man's switch: counts who asks."""

    def __init__(self) -> None:
        self.beats = 0
        switch = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                switch.beats += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/beat"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def switch() -> Iterator[Switch]:
    made = Switch()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_silence_is_the_alarm(migrated_sqlite_copy: str, tmp_path: Path, switch: Switch) -> None:
    with world(migrated_sqlite_copy, tmp_path, HEARTBEAT_URL=switch.url) as city:
        home = city.customer()
        city.approved()
        assert city.reconcile().holds and switch.beats == 1
        city.first_wave()
        row = city.deliveries(home)[0].id
        city.change(Delivery, row, lambda one: setattr(one, "state", DeliveryState.WITHDRAWN))
        assert not city.reconcile().holds
        assert switch.beats == 1
        city.change(Delivery, row, lambda one: setattr(one, "state", DeliveryState.DELIVERED))
        city.pass_time(minutes=1)
        assert city.reconcile().holds and switch.beats == 2


def test_a_switch_that_does_not_answer_stops_nothing(migrated_sqlite_copy: str, tmp_path: Path) -> None:
    with world(migrated_sqlite_copy, tmp_path, HEARTBEAT_URL="http://127.0.0.1:9/beat") as city:
        city.customer()
        city.approved()
        city.turn_to(city.monday + timedelta(days=2, minutes=1))
        assert city.reconcile().holds
        assert city.work() == 1
