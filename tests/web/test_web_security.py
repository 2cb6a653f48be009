"""Headers, forms, limits, languages, and what a mishap shows."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask, abort
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import LanguageAccept

from outage_notify.services.runtime import Runtime
from outage_notify.web import create_app, i18n
from outage_notify.web.access import ACCESS, Access
from outage_notify.web.security import LARGEST_BODY
from tests.factories import town
from tests.web.conftest import Person


@pytest.mark.parametrize("path", ["/", "/outages", "/desk/sign-in", "/s/" + "x" * 31, "/nothing", "/healthz"])
def test_every_answer_is_hardened(stranger: Person, path: str) -> None:
    headers = stranger.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert all("unsafe" not in sources for sources in policy.values())
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_no_page_holds_inline_script_or_style() -> None:
    templates = Path(i18n.__file__).parent / "templates"
    for path in templates.rglob("*.html"):
        text = path.read_text(encoding="utf-8").lower()
        assert "<style" not in text and " style=" not in text, path
        assert " onclick" not in text and " onload" not in text and "javascript:" not in text, path
        assert text.count("<script") == text.count("<script src="), path


def test_personal_pages_are_not_kept_and_public_ones_shortly(stranger: Person, planner: Person) -> None:
    assert planner.get("/desk/").headers["Cache-Control"] == "no-store"
    assert stranger.get("/s/" + "x" * 31).headers["Cache-Control"] == "no-store"
    public = stranger.get("/outages")
    assert public.headers["Cache-Control"].startswith("public, max-age=30,")
    assert "Set-Cookie" not in public.headers


def test_over_https_cookies_and_headers_say_so(rt: Runtime) -> None:
    secure = Runtime(replace(rt.settings, base_url="https://outages.example.com"), rt.database, rt.clock)
    app = create_app(secure)
    answer = app.test_client().get("/desk/sign-in", base_url="https://outages.example.com")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_a_form_without_its_token_changes_nothing(planner: Person, rt: Runtime) -> None:
    reference = town.planned(rt)
    answer = planner.client.post(f"/desk/outages/{reference}/submit", data={"version": "1"})
    assert answer.status_code == 400
    assert "Draft" in planner.get(f"/desk/outages/{reference}").get_data(as_text=True)


def test_a_body_that_is_too_large_is_refused_with_a_page(planner: Person) -> None:
    answer = planner.send("/desk/plan", {"reason_en": "x" * (LARGEST_BODY + 1)})
    assert answer.status_code == 413
    assert "at most 256 kB fit here" in answer.get_data(as_text=True)
    # A route that takes a file names its own limit.
    page = "/desk/customers/W1"
    answer = planner.send(f"{page}/plan", {"notes": "x", "file": (BytesIO(b"x" * 6_000_000), "a.pdf")}, page)
    assert answer.status_code == 413 and "at most 5 MB fit here" in answer.get_data(as_text=True)


def test_guessing_links_is_slow_and_honest_people_are_not_counted(stranger: Person) -> None:
    codes = [stranger.get(f"/s/{number:031d}").status_code for number in range(40)]
    assert codes.count(404) == 30
    assert set(codes[30:]) == {429}


def test_every_kind_of_mishap_has_a_page_in_both_languages(app: Flask) -> None:
    for code in (400, 403, 404, 413, 429, 500, 503):
        app.add_url_rule(f"/mishap/{code}", f"mishap{code}", lambda code=code: abort(code))
        ACCESS[f"mishap{code}"] = Access.EVERYBODY
    try:
        for language, word in (("zh-CN", "停电列表"), ("en", "List of outages")):
            for code in (400, 403, 404, 413, 429, 500, 503):
                answer = Person(app, language).get(f"/mishap/{code}")
                text = answer.get_data(as_text=True)
                assert answer.status_code == code
                assert word in text and f'lang="{language}"' in text, (code, language)
    finally:
        for code in (400, 403, 404, 413, 429, 500, 503):
            del ACCESS[f"mishap{code}"]


def test_a_defect_shows_a_number_and_no_detail(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> str:
        raise RuntimeError("the secret of Anna Keller")

    app.add_url_rule("/defect/<name>", "defect", lambda name: fail())
    ACCESS["defect"] = Access.EVERYBODY
    try:
        answer = Person(app).get("/defect/anna")
    finally:
        del ACCESS["defect"]
    text, log = answer.get_data(as_text=True), "".join(capsys.readouterr())
    assert answer.status_code == 500
    assert "Anna" not in text + log and "anna" not in text + log
    number = text.split("<code>")[1].split("</code>")[0]
    assert number in log


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("zh-CN", "zh_CN"),
        ("zh", "zh_CN"),
        ("zh-TW,en;q=0.5", "zh_CN"),
        ("zh-Hans-CN", "zh_CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr-FR,zh-CN;q=0.4", "zh_CN"),
        ("de", "en"),
        ("", "en"),
        ("zh-CN;q=0,en", "en"),
    ],
)
def test_the_browser_chooses_the_language(stranger: Person, wish: str, found: str) -> None:
    answer = stranger.client.get("/outages", headers={"Accept-Language": wish})
    assert f'lang="{found.replace("_", "-")}"' in answer.get_data(as_text=True).split("<head>")[0]


@given(st.text(max_size=40), st.text(max_size=10))
def test_whatever_a_browser_wishes_one_of_the_two_is_found(wish: str, cookie: str) -> None:
    assert i18n.negotiate(LanguageAccept([(wish, 1.0)]), cookie) in {"zh_CN", "en"}


def test_the_switch_is_remembered_and_keeps_the_page(stranger: Person) -> None:
    page = stranger.get("/outages?lang=zh-CN&page=2").get_data(as_text=True)
    assert "?page=2&amp;lang=en" in page
    assert 'lang="zh-CN"' in stranger.get("/outages").get_data(as_text=True)


def test_signing_in(app: Flask) -> None:
    person = Person(app)
    for name, password in ((town.PLANNER, "wrong"), ("nobody", "wrong"), ("", "")):
        answer = person.send("/desk/sign-in", {"username": name, "password": password})
        assert answer.status_code == 401
        assert "Name or password is wrong" in answer.get_data(as_text=True)
    person.sign_in(town.PLANNER)
    assert person.get("/desk/").status_code == 200
    assert person.send("/desk/sign-out", page="/desk/").status_code == 302
    assert person.get("/desk/").headers["Location"].startswith("/desk/sign-in")


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/desk/tasks", "/desk/tasks"),
        ("https://evil.example/desk", "/desk/"),
        ("//evil.example/desk", "/desk/"),
        ("/\\evil.example", "/desk/"),
    ],
)
def test_signing_in_leads_to_our_own_pages_only(stranger: Person, wanted: str, reached: str) -> None:
    form = {"username": town.PLANNER, "password": town.PASSWORD}
    assert stranger.send(f"/desk/sign-in?next={wanted}", form).headers["Location"] == reached


def test_a_changed_password_ends_the_session(planner: Person, rt: Runtime) -> None:
    from outage_notify.store.user_tables import User

    with rt.database.write() as session:
        session.query(User).filter_by(username=town.PLANNER).one().password_hash = "another"
    assert planner.get("/desk/").status_code == 302


def test_health_and_keys(stranger: Person, rt: Runtime) -> None:
    assert stranger.get("/healthz").json == {"ok": True, "database": True}
    keys = stranger.get("/.well-known/jwks.json").json["keys"]
    assert keys[0]["kid"] == rt.signing_key.kid
    assert all("d" not in key for key in keys)
