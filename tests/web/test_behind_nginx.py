"""The project's own nginx configuration in front of the real application: what is kept, for whom, and never logged."""

from __future__ import annotations

import gzip
import http.client
import re
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header
from werkzeug.serving import BaseWSGIServer, make_server

from outage_notify.services.public_files import KEPT, folder_of
from outage_notify.services.runtime import Runtime
from outage_notify.web.i18n import negotiate
from outage_notify.web.press import Press
from tests.factories import town
from tests.factories.people import START
from tests.servers import process
from tests.servers.nginx import NginxServer
from tests.web.conftest import turn

LANGUAGE = {"zh_CN": "zh-CN", "en": "en"}
SECRET = "k3yOfSomebody-abcdefghij.0123456789_abcdefghij"


@dataclass
class Front:
    """nginx and what stands behind it."""

    nginx: NginxServer
    behind: BaseWSGIServer
    app: Flask
    press: Press | None = None
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


@pytest.fixture
def printed(app: Flask, rt: Runtime, nginx: Callable[[int, Path], NginxServer]) -> Iterator[Front]:
    """The same with what the application has printed, which nginx hands out by itself."""
    town.approved(rt)
    press = Press(app, process.folder("printed"))
    assert press.print_changed()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Front(nginx(server.server_port, press.folder), server, app, press)
    press.close()
    server.shutdown()
    thread.join()
    shutil.rmtree(press.folder)


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


PACKED, PLAIN = {"Accept-Encoding": "gzip, br"}, {"Accept-Encoding": "identity"}
SAME = (
    "Content-Type",
    "Content-Security-Policy",
    "Cache-Control",
    "Vary",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Cross-Origin-Resource-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
)
OF_PAGES = ("X-Frame-Options", "Permissions-Policy", "Cross-Origin-Opener-Policy")


def addresses(app: Flask) -> list[str]:
    """Everything that a first view asks for, and every document of the version with and without it."""
    page = app.test_client().get("/").get_data(as_text=True)
    parts = re.findall(r'(?:href|src|data-source)="(/(?:static|open-data/v1)/[^"]*)"', page)
    names = [one["name"] for one in app.test_client().get("/open-data/v1/index.json").json["documents"]]
    return [*PAGES, *parts, "/open-data/v1/index.json", *(f"/open-data/v1/{name}" for name in names)]


PAGES = ("/", "/outages", "/embed", "/open-data")


def test_what_is_public_is_handed_out_from_files_as_the_application_would(printed: Front) -> None:
    browser, paths = printed.app.test_client(), addresses(printed.app)
    assert len(paths) > 18
    direct = {
        (path, language, number): browser.get(path, headers={"Accept-Language": language, **packing})
        for path in paths
        for language in (("en", "zh-CN") if path in PAGES else ("en",))
        for number, packing in enumerate((PACKED, PLAIN))
    }
    # Nobody stands behind nginx any more.
    printed.stop_behind()
    for (path, language, number), right in direct.items():
        answer, body = printed.ask(path, {"Accept-Language": language, **(PLAIN if number else PACKED)})
        assert (answer.status, printed.where_from()) == (200, "-"), path
        plain = gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body
        whole = right.get_data()
        assert plain == (gzip.decompress(whole) if right.headers.get("Content-Encoding") else whole), path
        if not path.startswith("/static/"):
            assert answer.headers["Content-Encoding"] == ("gzip" if number == 0 else None), path
        for name in SAME + (OF_PAGES if path in PAGES else ()):
            if not (path.startswith("/static/") and name == "Vary"):
                assert answer.headers.get_all(name) == (right.headers.getlist(name) or None), (path, name)
        again, nothing = printed.ask(
            path,
            {"If-None-Match": answer.headers["ETag"], **(PLAIN if number else PACKED)}
            | {"Accept-Language": language},
        )
        assert (again.status, nothing) == (304, b""), path
        assert again.headers["Cache-Control"] == answer.headers["Cache-Control"]


def test_files_speak_the_language_of_cookie_and_browser(printed: Front) -> None:
    printed.stop_behind()
    for headers, said in (
        ({"Accept-Language": "zh-Hans, en;q=0.5"}, "zh-CN"),
        ({"Accept-Language": "fr, zh;q=0.3"}, "zh-CN"),
        ({"Accept-Language": "fr"}, "en"),
        ({"Accept-Language": "zh", "Cookie": "a=b; language=en"}, "en"),
    ):
        assert f'<html lang="{said}">'.encode() in printed.ask("/outages", headers)[1]


def test_what_is_no_file_is_asked_for(printed: Front) -> None:
    for path in ("/?when=7d", "/outages/PO-2026-0001", "/open-data/v1/outages/PO-2026-0001.json"):
        printed.text(path)
        assert printed.where_from() == "MISS", path
    # A version that is none, one that would lead elsewhere, and another folder of the state.
    for path in (
        "/open-data/v1/outages.json?v=0123456789abcdef",
        "/open-data/v1/outages.json?v=../../current/data",
        "/static/style.css?v=../../../current",
    ):
        assert printed.ask(path)[0].status == 200 and printed.where_from() == "MISS", path
    for path in ("/current/en/map.html", "/editions/1/en/map.html", "/.lock", "/static/..%2f.lock"):
        assert printed.ask(path)[0].status in {400, 404}, path


def test_a_change_is_swapped_in_and_pages_of_a_moment_ago_find_their_data(
    printed: Front, rt: Runtime
) -> None:
    source = re.search(r'data-source="([^"]*)"', printed.text("/"))
    assert source is not None and printed.press is not None
    before = printed.text(source[1])
    town.approved(rt, START + timedelta(days=2))
    assert printed.press.print_changed()
    until(lambda: "PO-2026-0002" in printed.text("/"))
    assert printed.where_from() == "-"
    assert "PO-2026-0002" in printed.text("/open-data/v1/outages.geojson")
    assert printed.text(source[1]) == before and "PO-2026-0002" not in before
    assert printed.where_from() == "-"


def test_old_editions_go_and_what_a_dead_writer_left_goes_too(rt: Runtime, app: Flask) -> None:
    folder = folder_of(rt.settings.state_dir)
    press = Press(app, folder)
    assert press.print_changed() and not press.print_changed()
    (folder / "editions" / ".draft-dead").mkdir()
    (folder / "versions" / ".draft-dead").mkdir()
    for number in range(KEPT + 2):
        # What was right a minute ago is printed anew with its new "as of".
        turn(rt, START - timedelta(days=20) + timedelta(minutes=number))
        assert press.print_changed()
    editions = sorted(int(one.name) for one in (folder / "editions").iterdir())
    assert editions == list(range(4, KEPT + 4)) and len(list((folder / "versions").iterdir())) == 1
    assert (folder / "current").resolve().name == str(KEPT + 3)
    press.close()


def test_the_last_edition_stays_when_the_disk_refuses(
    rt: Runtime, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(rt.settings.state_dir)
    press = Press(app, folder)
    press.print_changed()
    turn(rt, START - timedelta(days=20))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space"):
        broken.setattr("outage_notify.services.public_files.os.fsync", full)
        press.print_changed()
    assert (folder / "current").resolve().name == "1"
    assert press.print_changed() and (folder / "current").resolve().name == "2"
    assert not list(folder.rglob(".draft*"))
    press.close()


def test_another_process_prints_when_the_first_one_ends(rt: Runtime, app: Flask) -> None:
    first, second = (Press(app, folder_of(rt.settings.state_dir)) for _ in range(2))
    assert first.print_changed() and not second.print_changed()
    first.close()
    assert second.print_changed()
    second.close()
