"""Signing in with an OpenID provider, over real HTTP: who comes in, as whom, and what does not hold."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import select
from werkzeug.test import TestResponse

from outage_notify.domain.errors import SettingsError
from outage_notify.services import doctor, manage_users, second_factor, users
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import user_queries
from outage_notify.store.user_tables import Role
from outage_notify.store.work_tables import Event
from outage_notify.web import create_app
from outage_notify.web.security import limiter
from tests.factories import town
from tests.factories.people import NOW
from tests.fakes.identity_provider import CLIENT, SECRET, Claims, IdentityProvider
from tests.web.conftest import Person

START = "/desk/sign-in/provider"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    fake = IdentityProvider(int(NOW.timestamp()))
    yield fake
    fake.close()


@pytest.fixture
def opened(rt: Runtime, provider: IdentityProvider) -> Iterator[Callable[..., Flask]]:
    """The application with the provider set, and what else a test wants to be set."""

    def build(**more: Any) -> Flask:
        rt.settings = replace(
            rt.settings,
            oidc_issuer=provider.url,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            **more,
        )
        rt.__dict__.pop("provider", None)
        app = create_app(rt)
        app.config["TEST_BASE"] = rt.settings.base_url
        return app

    yield build
    limiter.reset()


def come_in(person: Person, provider: IdentityProvider, start: str = START) -> TestResponse:
    """Off to the provider and back, as the browser goes."""
    sent = person.get(start)
    assert sent.status_code == 302, sent.get_data(as_text=True)
    return person.get(provider.visit(sent.headers["Location"]))


def events(rt: Runtime, what: str) -> list[Event]:
    with rt.database.read() as session:
        found = list(session.scalars(select(Event).where(Event.what == what).order_by(Event.id)))
        session.expunge_all()
        return found


def user(rt: Runtime, name: str) -> users.CheckedUser:
    return next(one for one in users.list_users(rt) if one.username == name)


def test_somebody_known_comes_in_and_goes_where_she_wanted(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    person = Person(opened())
    assert "account of your organisation" in person.get("/desk/sign-in").get_data(as_text=True)
    answer = come_in(person, provider, f"{START}?next=/desk/plan")
    assert answer.headers["Location"] == "/desk/plan"
    assert person.get("/desk/plan").status_code == 200
    # The address that the provider sends people back to is the public one, whatever stands in between.
    assert provider.seen[0]["redirect_uri"] == f"{rt.settings.base_url}{START}/back"
    assert [one.detail["username"] for one in events(rt, "identity_bound")] == [town.PLANNER]
    assert [one.actor for one in events(rt, "signed_in")][-1] == town.PLANNER
    # The answer is good once.
    again = person.get(f"{START}/back?code=x&state={provider.seen[0]['state']}")
    assert again.status_code == 403 and "took too long" in again.get_data(as_text=True)


def test_next_never_leads_elsewhere(provider: IdentityProvider, opened: Callable[..., Flask]) -> None:
    answer = come_in(Person(opened()), provider, f"{START}?next=https://evil.example/desk")
    assert answer.headers["Location"] == "/desk/"


def _other_key(claims: Claims) -> Claims:
    stranger = ECKey.generate_key("P-256")
    return {"raw": jwt.encode({"alg": "ES256"}, claims, stranger)}


def _unsigned(claims: Claims) -> Claims:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return {"raw": f"{part({'alg': 'none'})}.{part(claims)}."}


def _by_our_secret(claims: Claims) -> Claims:
    return {"raw": jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))}


FAULTS: dict[str, Callable[[Claims], Claims]] = {
    "another nonce": lambda claims: claims | {"nonce": "of another sign-in"},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "another audience": lambda claims: claims | {"aud": "another application"},
    "one audience of several, for another": lambda claims: claims | {"aud": [CLIENT, "b"], "azp": "b"},
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "expired": lambda claims: claims | {"exp": int(NOW.timestamp()) - 600},
    "of tomorrow": lambda claims: claims | {"nbf": int(NOW.timestamp()) + 86_400},
    "nobody": lambda claims: claims | {"sub": ""},
    "a number for a name": lambda claims: claims | {"sub": 7},
    "another key": _other_key,
    "no signature": _unsigned,
    "our own secret": _by_our_secret,
    "no token": lambda claims: {"raw": "junk"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_identity_that_does_not_hold_lets_nobody_in(
    fault: str, rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    provider.spoil = FAULTS[fault]
    person = Person(opened())
    answer = come_in(person, provider)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403 and "does not hold" in page, page
    assert "/desk/sign-in" in person.get("/desk/").headers["Location"]
    assert [one.detail["why"] for one in events(rt, "provider_refused")] == ["forged"]
    assert not events(rt, "identity_bound")
    # The other way in is still open, on the very page.
    person.sign_in(town.PLANNER)


def test_keys_may_change_at_any_time(provider: IdentityProvider, opened: Callable[..., Flask]) -> None:
    app = opened()
    assert come_in(Person(app), provider).status_code == 302
    provider.rotate()
    assert come_in(Person(app), provider).status_code == 302


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"])
def test_a_provider_that_is_away_is_named_and_passwords_go_on(
    path: str, rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    provider.down.add(path)
    person = Person(opened(), "zh-CN")
    answer = person.get(START)
    if answer.status_code == 302:
        answer = person.get(provider.visit(answer.headers["Location"]))
    assert answer.status_code == 503
    assert "暂时无法" in answer.get_data(as_text=True)
    person.sign_in(town.PLANNER)


def test_the_person_may_say_no_there(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    provider.error = "access_denied"
    answer = come_in(Person(opened()), provider)
    assert answer.status_code == 403 and "did not let you in" in answer.get_data(as_text=True)
    assert [one.detail["why"] for one in events(rt, "provider_refused")] == ["refused"]


def test_an_answer_that_began_in_another_browser_is_refused(
    provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    app = opened()
    back = provider.visit(Person(app).get(START).headers["Location"])
    victim = Person(app)
    assert victim.get(back).status_code == 403
    assert "/desk/sign-in" in victim.get("/desk/").headers["Location"]


def test_a_stranger_is_refused_by_name(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    provider.person = {"sub": "9", "preferred_username": "somebody.else"}
    answer = come_in(Person(opened()), provider)
    assert answer.status_code == 403 and "You are not a user here." in answer.get_data(as_text=True)
    assert "somebody.else" not in [one.username for one in users.list_users(rt)]


def test_a_name_stays_bound_to_the_account_that_came_first(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    app = opened()
    come_in(Person(app), provider)
    provider.person = {"sub": "2002", "preferred_username": town.PLANNER}
    answer = come_in(Person(app), provider)
    assert answer.status_code == 403 and "another account" in answer.get_data(as_text=True)
    # The first account is known whatever it is called by now.
    provider.person = {"sub": "1001", "preferred_username": "li.na.married"}
    assert come_in(Person(app), provider).status_code == 302
    # An administrator's reset lets the name be bound anew.
    manage_users.reset(rt, town.ADMIN, user(rt, town.PLANNER).id)
    provider.person = {"sub": "2002", "preferred_username": town.PLANNER}
    person = Person(app)
    assert come_in(person, provider).status_code == 302
    # The first password that came with the reset is of no concern to somebody who needs none.
    assert person.get("/desk/plan").status_code == 200


def test_an_address_that_nobody_verified_names_nobody(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    users.add_user(rt, "li.na@example.com", "a long enough one", ["planner"])
    app = opened(oidc_user_claim="email")
    provider.person = {"sub": "1", "email": "li.na@example.com", "email_verified": False}
    assert come_in(Person(app), provider).status_code == 403
    provider.person = provider.person | {"email_verified": True}
    assert come_in(Person(app), provider).status_code == 302


GROUPS = {
    "oidc_roles_claim": "realm_access.roles",
    "oidc_roles": '{"grid-planning": "planner desk", "grid.control/room": "approver", "it": "admin"}',
    "oidc_create": True,
}


def test_groups_make_users_and_roles_follow_them(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    app = opened(**GROUPS)
    provider.person = {"sub": "7", "preferred_username": "ma.chao", "name": "马超"}
    assert "None of your groups" in come_in(Person(app), provider).get_data(as_text=True)
    assert "ma.chao" not in [one.username for one in users.list_users(rt)]
    # Groups may stand beside the token only.
    provider.userinfo = {"realm_access": {"roles": ["grid-planning", "something else"]}}
    person = Person(app)
    assert come_in(person, provider).status_code == 302
    assert person.get("/desk/plan").status_code == 200
    found = user(rt, "ma.chao")
    assert (found.name, set(found.roles)) == ("马超", {"planner", "desk"})
    assert users.check_password(rt, "ma.chao", "!") is None
    # Another group: other roles, and the session with the old ones ends.
    provider.userinfo = {"realm_access": {"roles": ["grid.control/room"]}}
    again = Person(app)
    assert come_in(again, provider).status_code == 302
    assert user(rt, "ma.chao").roles == ("approver",)
    assert "/desk/sign-in" in person.get("/desk/").headers["Location"]
    assert [one.detail["after"] for one in events(rt, "user_roles")] == [["approver"]]
    # No group any more: no way in.
    provider.userinfo = {}
    assert come_in(Person(app), provider).status_code == 403


def test_the_last_administrator_stays_one_whatever_the_groups(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    provider.person = {
        "sub": "7",
        "preferred_username": town.ADMIN,
        "realm_access": {"roles": ["grid-planning"]},
    }
    assert come_in(Person(opened(**GROUPS)), provider).status_code == 302
    assert Role.ADMIN in user(rt, town.ADMIN).roles and Role.PLANNER in user(rt, town.ADMIN).roles


def test_who_is_out_of_use_here_is_refused(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    manage_users.set_active(rt, town.ADMIN, user(rt, town.PLANNER).id, False)
    answer = come_in(Person(opened()), provider)
    assert answer.status_code == 403 and "out of use" in answer.get_data(as_text=True)


def test_a_code_by_phone_is_asked_unless_the_provider_asked_for_one(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    app, secret = opened(), second_factor.new_secret()
    code = pyotp.TOTP(secret)
    number = user(rt, town.PLANNER).id
    second_factor.switch_on(rt, number, secret, code.at(int(NOW.timestamp()) - 30))
    person = Person(app)
    answer = come_in(person, provider, f"{START}?next=/desk/plan")
    assert answer.headers["Location"].startswith("/desk/sign-in/code")
    assert "/desk/sign-in" in person.get("/desk/").headers["Location"]
    done = person.send(answer.headers["Location"], {"code": code.at(int(NOW.timestamp()))})
    assert done.headers["Location"] == "/desk/plan"
    provider.person = provider.person | {"amr": ["pwd", "mfa"]}
    assert come_in(Person(app), provider).headers["Location"] == "/desk/"


def test_passwords_may_be_switched_off(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    app = opened(password_sign_in=False)
    person = Person(app)
    page = person.get("/desk/sign-in").get_data(as_text=True)
    assert 'type="password"' not in page and START in page
    form = {"username": town.PLANNER, "password": town.PASSWORD}
    token = person.hidden("/affected")
    assert person.post("/desk/sign-in", token | form).status_code in {400, 403}
    assert "/desk/sign-in" in person.get("/desk/").headers["Location"]
    assert come_in(person, provider).status_code == 302


def test_what_was_typed_is_kept_while_one_signs_in_there(
    provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    person = Person(opened())
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
    answer = person.client.post("/desk/plan", data={"start": "2027-03-10T08:30"}, headers=own)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401 and 'target="_blank"' in page and "2027-03-10T08:30" in page
    assert come_in(person, provider).status_code == 302
    kept = {"kept_to": "/desk/plan", "kept.start": "2027-03-10T08:30", "csrf_token": "of the session before"}
    shown = person.client.post("/desk/sign-in", data=kept, headers=own)
    assert shown.status_code == 200 and "2027-03-10T08:30" in shown.get_data(as_text=True)
    # Another site can't show such a page.
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert person.client.post("/desk/sign-in", data=kept, headers=foreign).status_code == 400


def test_doctor_asks_the_provider(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    assert doctor.examine(rt)["sign_in"].detail == "By passwords of our own."
    opened(password_sign_in=False)
    found = doctor.examine(rt)["sign_in"]
    assert found.ok and provider.url in found.detail and f"{START}/back" in found.detail
    provider.down.add("/keys")
    found = doctor.examine(rt)["sign_in"]
    assert not found.ok and "keys" in found.detail and "Nobody can sign in" in found.remedy
    provider.down.clear()
    provider.close()
    assert not doctor.examine(rt)["sign_in"].ok


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"OIDC_ISSUER": "http://id.example"}, "OIDC_ISSUER must begin with https"),
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID"),
        ({"PASSWORD_SIGN_IN": "0"}, "nobody could sign in"),
        ({"OIDC_ROLES": '{"a": ""}', "OIDC_ROLES_CLAIM": "groups"}, "needs a role"),
        ({"OIDC_ROLES": "planner", "OIDC_ROLES_CLAIM": "groups"}, "JSON object"),
        ({"OIDC_ROLES_CLAIM": "groups"}, "need each other"),
        ({"OIDC_CREATE": "1"}, "a user needs a role"),
        ({"OIDC_SCOPE": "profile", "OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "x"}, "openid"),
    ],
)
def test_settings_that_can_not_be_meant_are_refused(more: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.load({f"OUTAGE_NOTIFY_{name}": value for name, value in more.items()})


def test_a_role_that_there_is_not_is_said_at_the_start(opened: Callable[..., Flask]) -> None:
    with pytest.raises(SettingsError, match="king"):
        opened(oidc_roles_claim="groups", oidc_roles='{"a": "king"}')


def test_two_identities_never_share_a_user(
    rt: Runtime, provider: IdentityProvider, opened: Callable[..., Flask]
) -> None:
    come_in(Person(opened()), provider)
    with rt.database.read() as session:
        found = user_queries.by_identity(session, f"{provider.url} 1001")
        assert found is not None and found.username == town.PLANNER
        assert user_queries.by_identity(session, f"{provider.url} 2002") is None
