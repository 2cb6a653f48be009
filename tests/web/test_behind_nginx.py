"""The project's own nginx configuration in front of the real application: what is kept, for whom, and never logged."""

from __future__ import annotations

import gzip
import http.client
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header
from werkzeug.serving import BaseWSGIServer, make_server

from outage_notify.services.runtime import Runtime
from outage_notify.web.i18n import negotiate
from tests.factories import town
from tests.servers.nginx import NginxServer

LANGUAGE = {"zh_CN": "zh-CN", "en": "en"}
SECRET = "k3yOfSomebody-abcdefghij.0123456789_abcdefghij"


@dataclass
class Front:
    """nginx and what stands behind it."""

    nginx: NginxServer
    behind: BaseWSGIServer
    app: Flask
    asked: int = 0

    def ask(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[http.client.HTTPResponse, bytes]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.nginx.port, context=context, timeout=20)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.asked += 1
        # The line is written when the answer is out already.
        until(lambda: len(self.log) >= self.asked)
        return answer, body

    def text(self, path: str, **headers: str) -> str:
        answer, body = self.ask(path, {name.replace("_", "-"): value for name, value in headers.items()})
        assert answer.status == 200, body
        return body.decode()

    @property
    def log(self) -> list[str]:
        return self.nginx.log.read_text().splitlines()

    def where_from(self) -> str:
        """HIT, MISS, STALE, ... of the newest answer."""
        return self.log[-1].rpartition(" ")[2]

    def stop_behind(self) -> None:
        self.behind.shutdown()
        self.behind.server_close()


def briefly(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application with pages that are fresh for a second only, so that a test sees what follows."""

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            said = [(name, re.sub(r"max-age=30, .*", "max-age=1", value)) for name, value in headers]
            return start(status, said, *error)

        return app(environ, begin)

    return serve


@pytest.fixture
def front(app: Flask, rt: Runtime, nginx: Callable[[int], NginxServer]) -> Iterator[Front]:
    town.approved(rt)
    server = make_server("127.0.0.1", 0, briefly(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Front(nginx(server.server_port), server, app)
    server.shutdown()
    thread.join()


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_page_is_kept_whole_with_its_tag_and_every_header(front: Front) -> None:
    first, body = front.ask("/", {"Accept-Encoding": "gzip"})
    assert front.where_from() == "MISS"
    second, again = front.ask("/", {"Accept-Encoding": "gzip, br"})
    assert front.where_from() == "HIT" and body == again
    assert b"PO-2026-0001" in gzip.decompress(body)
    direct = front.app.test_client().get("/", headers={"Accept-Encoding": "gzip"})
    for name, value in direct.headers:
        if name not in {"Date", "Server", "Connection", "Cache-Control"}:
            assert second.headers.get_all(name) == [value], name
    assert "default-src 'none'" in second.headers["Content-Security-Policy"]
    assert second.headers["Server"] == "nginx"
    plain, text = front.ask("/")
    assert text == gzip.decompress(body) and plain.headers["ETag"] != first.headers["ETag"]
    for answer, packing in ((second, "gzip"), (plain, "identity")):
        unchanged, nothing = front.ask(
            "/", {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": packing}
        )
        assert (unchanged.status, nothing) == (304, b"")


def test_the_page_that_is_embedded_keeps_its_own_policy(front: Front) -> None:
    for _ in range(2):
        answer, _ = front.ask("/embed")
        assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]


TAGS = st.lists(
    st.sampled_from(["zh", "zh-CN", "zh-TW", "en", "en-GB", "fr", "de-CH", "zha", "*"]),
    max_size=4,
    unique=True,
)


@given(TAGS, st.sampled_from(["", "en", "zh-CN", "fr"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_reader_gets_the_language_that_the_application_would_choose(
    front: Front, tags: list[str], chosen: str
) -> None:
    # As browsers write it: the dearest first, weights falling.
    wish = ", ".join(f"{tag};q={1 - at / 10:.1f}" if at else tag for at, tag in enumerate(tags))
    headers = {"Accept-Language": wish} | ({"Cookie": f"a=b; language={chosen}"} if chosen else {})
    _, body = front.ask("/outages", headers)
    said = negotiate(parse_accept_header(wish, LanguageAccept), chosen)
    assert f'<html lang="{LANGUAGE[said]}">'.encode() in body, wish
    shown = {line.rpartition(" ")[2] for line in front.log}
    assert shown <= {"MISS", "HIT", "EXPIRED", "STALE", "UPDATING"}


def test_the_switch_of_languages_is_one_readers_own(front: Front) -> None:
    for _ in range(2):
        answer, body = front.ask("/outages?lang=zh-CN")
        assert answer.headers["Set-Cookie"].startswith("language=zh-CN") and "计划停电" in body.decode()
        assert front.where_from() == "MISS"
    answer, body = front.ask("/outages")
    assert "Set-Cookie" not in answer.headers and b'<html lang="en">' in body


def test_while_the_application_is_away_the_last_version_stays_up(front: Front) -> None:
    pages = [
        "/",
        "/outages",
        "/open-data/v1/outages.geojson",
        "/outages/PO-2026-0001",
        "/outages/PO-2026-0001.svg",
    ]
    before = {path: front.text(path) for path in pages}
    as_of = re.search(r"As of <time[^>]*>[^<]*</time>", before["/"])
    assert as_of is not None
    front.stop_behind()

    def stale() -> bool:
        assert front.text("/") == before["/"]
        return front.where_from() == "STALE"

    until(stale)
    assert {path: front.text(path) for path in pages} == before
    answer, said = front.ask("/s/" + SECRET)
    assert answer.status == 503 and "稍后再试" in said.decode() and answer.headers["Retry-After"]
    assert (
        answer.headers["Cache-Control"] == "no-store" and "no-referrer" in answer.headers["Referrer-Policy"]
    )


def test_what_is_personal_is_never_kept(front: Front) -> None:
    for path in ("/desk/sign-in", "/affected", "/s/" + SECRET, f"/feeds/{SECRET}.ics", "/healthz"):
        for _ in range(2):
            front.ask(path)
            assert front.where_from() == "-", path


def test_a_form_reaches_the_application(front: Front) -> None:
    answer, _ = front.ask("/affected", method="POST")
    assert answer.status == 422 and front.where_from() == "-"
    assert front.ask("/", method="POST")[0].status == 405


@pytest.mark.parametrize("away", [False, True])
def test_no_secret_of_an_address_is_logged(front: Front, away: bool) -> None:
    """Every route of the application, with a secret wherever something stands in its address and in its query."""
    if away:
        front.stop_behind()
    public = {"static", "open_data.document", "feeds.area"}
    rules = [
        rule for rule in front.app.url_map.iter_rules() if rule.arguments and rule.endpoint not in public
    ]
    assert len(rules) > 40
    for rule in rules:
        path = re.sub(r"<[^>]*>", SECRET, rule.rule)
        front.ask(f"{path}?key={SECRET}", {"Referer": f"https://{SECRET}.example/", "User-Agent": SECRET})
    front.ask("/outages?key=" + SECRET)
    log = front.log
    assert len(log) == len(rules) + 1
    assert SECRET not in "\n".join(log)
    assert {line.split()[3] for line in log} >= {"/s/...", "/feeds/...", "/webhooks/...", "/outages"}
    errors = front.nginx.errors.read_text()
    # Of what is public the error's line holds the address as it came.
    private = [
        line for line in errors.splitlines() if not re.search(r'request: "GET /(outages|calendar)', line)
    ]
    assert SECRET not in "\n".join(private)
    assert bool(errors) is away
