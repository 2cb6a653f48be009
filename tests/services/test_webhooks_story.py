"""Webhooks against a real receiver over real HTTP: signed, tried again, given up, replayed, never into our network."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from channels import push
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services import push_events, run_outage, webhooks
from outage_notify.store.webhook_tables import PublicEvent, WebhookPush
from tests.factories.world import World, world

GUIDE = Path(__file__).parents[2] / "docs" / "open-data.md"


class Receiver:
    """Somebody's server: keeps what it is sent, answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """The test says what it found."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def city(migrated_sqlite_copy: str, tmp_path: Path) -> Iterator[World]:
    with world(migrated_sqlite_copy, tmp_path, WEBHOOK_PRIVATE="1") as made:
        made.customer(name="Rosa Lind", places=("1 River Road",))
        yield made


def test_what_becomes_public_is_pushed_once_in_order_with_nobody_in_it(
    city: World, receiver: Receiver
) -> None:
    early = city.approved()
    push_events.push_due(city.rt)
    hook = webhooks.add(city.rt, "petra", "City", receiver.url)
    reference = city.approved(days=12)
    city.pass_time(minutes=1)
    push_events.push_due(city.rt)
    city.revised(reference, days=13)
    push_events.push_due(city.rt)
    run_outage.cancel(city.rt, "petra", reference, "no crew")
    for _ in range(3):
        push_events.push_due(city.rt)
    assert receiver.types() == ["outage.announced", "outage.moved", "outage.cancelled"]
    assert early not in str(receiver.got), "what was public before the webhook is not pushed"
    sequences = [json.loads(body)["sequence"] for _, body in receiver.got]
    assert sequences == sorted(set(sequences))
    assert not any(
        word in body for _, body in receiver.got for word in (b"Rosa", b"River Road", b"+49", b"tier")
    )
    assert webhooks.listing(city.rt)[0].counts == (0, 0, 3)
    secret = base64.b64decode(hook.secret.removeprefix("whsec_"))
    for headers, body in receiver.got:
        expected = push.signature([secret], headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == expected


def test_the_receiver_in_the_guide_verifies(city: World, receiver: Receiver) -> None:
    found = re.search(r"```python\n(import base64.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - our own guide
    hook = webhooks.add(city.rt, "petra", "City", receiver.url)
    city.approved()
    push_events.push_due(city.rt)
    headers, body = receiver.got[0]
    now = int(headers["webhook-timestamp"])
    assert names["genuine"](hook.secret, headers, body, now)
    assert not names["genuine"](hook.secret, headers, body + b" ", now)
    assert not names["genuine"](hook.secret, headers, body, now + 3600), "an old one is not taken again"
    other = webhooks.new_secret(city.rt, "petra", hook.id).secret
    assert other != hook.secret and not names["genuine"](other, headers, body, now)


def test_a_failure_is_tried_again_with_the_same_id_and_later_and_later(
    city: World, receiver: Receiver
) -> None:
    webhooks.add(city.rt, "petra", "City", receiver.url)
    city.approved()
    # A redirect is no taking either, and is not followed.
    receiver.answers = [500, 302]
    push_events.push_due(city.rt)
    assert push_events.push_due(city.rt) == 0, "not at once"
    city.pass_time(minutes=1)
    push_events.push_due(city.rt)
    city.pass_time(minutes=4)
    assert push_events.push_due(city.rt) == 0
    city.pass_time(minutes=1)
    assert push_events.push_due(city.rt) == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1 and len(receiver.got) == 3
    assert webhooks.listing(city.rt)[0].counts == (0, 0, 1)


def test_what_nobody_takes_is_given_up_listed_and_replayed(city: World, receiver: Receiver) -> None:
    hook = webhooks.add(city.rt, "petra", "City", receiver.url)
    city.approved()
    receiver.answers = [503] * 10
    push_events.push_due(city.rt)
    for pause in push_events.BACK_OFF:
        city.turn_to(city.now() + pause)
        push_events.push_due(city.rt)
    city.pass_time(days=9)
    assert push_events.push_due(city.rt) == 0
    (dead,) = webhooks.given_up(city.rt, hook.id)
    assert (dead.tries, dead.status, dead.type) == (10, 503, "outage.announced")
    assert webhooks.replay(city.rt, "petra", hook.id) == 1
    assert push_events.push_due(city.rt) == 1
    assert webhooks.listing(city.rt)[0].counts == (0, 0, 1)
    assert webhooks.replay(city.rt, "petra", hook.id, after=0) == 1, "also what was taken, when asked for"
    assert push_events.push_due(city.rt) == 1
    with pytest.raises(NotFound):
        webhooks.replay(city.rt, "petra", 99)


def test_gone_stops_and_a_stopped_one_catches_up(city: World, receiver: Receiver) -> None:
    hook = webhooks.add(city.rt, "petra", "City", receiver.url)
    reference = city.approved()
    receiver.answers = [410]
    push_events.push_due(city.rt)
    assert webhooks.listing(city.rt)[0].stopped_at is not None
    city.pass_time(minutes=1)
    run_outage.cancel(city.rt, "petra", reference, "no crew")
    push_events.push_due(city.rt)
    assert len(receiver.got) == 1
    webhooks.start(city.rt, "petra", hook.id)
    push_events.push_due(city.rt)
    assert receiver.types() == ["outage.announced", "outage.cancelled"]
    webhooks.remove(city.rt, "petra", hook.id)
    assert webhooks.listing(city.rt) == []


def test_a_worker_that_dies_after_the_call_pushes_it_again_with_the_same_id(
    city: World, receiver: Receiver
) -> None:
    webhooks.add(city.rt, "petra", "City", receiver.url)
    city.approved()
    push_events.note_events(city.rt)
    push_events.hand_out(city.rt)
    assert len(push_events._begin(city.rt)) == 1
    with city.rt.database.read() as session:
        assert session.scalars(select(WebhookPush.tries)).all() == [1]
    city.pass_time(minutes=1)
    assert push_events.push_due(city.rt) == 1
    assert push_events.push_due(city.rt) == 0


def test_a_draft_is_no_event(city: World) -> None:
    city.submitted()
    assert push_events.push_due(city.rt) == 0
    with city.rt.database.read() as session:
        assert session.scalars(select(PublicEvent)).all() == []


INSIDE = (
    "https://127.0.0.1/",
    "https://10.1.2.3/",
    "https://192.168.1.9:8443/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[fd00::1]/",
    "https://[64:ff9b::a00:1]/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://localhost/",
    "https://printer.local/",
    "http://example.com/",
    "https://user:word@example.com/",
    "https://example.com/#part",
    "https://example.com:0/",
    "ftp://example.com/",
    "https:///nothing",
    "https://exa mple.com/",
    "https://[::1",
)


@pytest.mark.parametrize("url", INSIDE)
def test_no_address_inside_is_taken(url: str) -> None:
    with pytest.raises(push.UnsafeAddress):
        push.check_address(url)
    assert push.post(url, {}, b"{}", 1.0).detail in {"the address is not allowed", "the name is not known"}


def test_a_name_that_stands_for_an_address_inside_is_not_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name passes by its looks; what it is resolved to decides, and a mixture is refused as well."""
    inside = (2, 1, 6, "", ("127.0.0.1", 443))
    outside = (2, 1, 6, "", ("198.41.0.4", 443))
    for answer in ([inside], [outside, inside]):
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, found=answer, **__: found)
        assert push.post("https://rebound.example/", {}, b"{}", 1.0).detail == "the address is not allowed"
    assert receiver.got == []


def test_an_address_inside_cannot_be_added_without_the_setting(
    migrated_sqlite_copy: str, tmp_path: Path
) -> None:
    with world(migrated_sqlite_copy, tmp_path) as city:
        for url in ("http://127.0.0.1:9/x", "https://127.0.0.1/x"):
            with pytest.raises(InvalidInput):
                webhooks.add(city.rt, "petra", "City", url)
        with pytest.raises(InvalidInput):
            webhooks.add(city.rt, "petra", " ", "https://city.example/hook")
        assert webhooks.add(city.rt, "petra", "City", "https://city.example/hook").id
