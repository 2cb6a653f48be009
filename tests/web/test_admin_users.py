"""Administration of people: roles, first passwords, sessions, second factors, as the browser does them."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from outage_notify.domain.errors import NotPermitted
from outage_notify.services import second_factor, users
from outage_notify.services.runtime import Runtime
from outage_notify.store.user_tables import User, UserSession
from outage_notify.store.work_tables import Event
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person, turn

USERS, ACCOUNT = "/desk/admin/users", "/desk/account"
OWN = "another long password"


@pytest.fixture
def admin(app: Flask) -> Person:
    return Person(app).sign_in(town.ADMIN)


def number(rt: Runtime, username: str) -> int:
    return next(one.id for one in users.list_users(rt) if one.username == username)


def shown(page: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found, page
    return found[1]


def code_at(secret: str, seconds: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(NOW.timestamp()) + seconds)


def test_a_new_person_chooses_a_password_before_anything_else(app: Flask, admin: Person) -> None:
    answer = admin.send(USERS, {"username": "ma.chao", "name": "马超", "role": ["planner", "desk"]})
    first = shown(answer.get_data(as_text=True))
    newcomer = Person(app).sign_in("ma.chao", first)
    assert newcomer.get("/desk/").headers["Location"] == ACCOUNT
    assert newcomer.get("/").status_code == 200
    wrong = newcomer.send(f"{ACCOUNT}/password", {"old": first, "new": OWN, "again": OWN + "x"}, ACCOUNT)
    assert wrong.status_code == 422
    done = newcomer.send(f"{ACCOUNT}/password", {"old": first, "new": OWN, "again": OWN}, ACCOUNT)
    assert done.status_code == 303
    newcomer.sign_in("ma.chao", OWN)
    assert newcomer.get("/desk/plan").status_code == 200


def test_who_loses_a_role_is_signed_out_at_once(app: Flask, rt: Runtime, admin: Person) -> None:
    planner = Person(app).sign_in(town.PLANNER)
    page = f"{USERS}/{number(rt, town.PLANNER)}"
    assert admin.send(page, {"name": "李娜", "role": ["readonly"]}).status_code == 303
    assert "/desk/sign-in" in planner.get("/desk/").headers["Location"]
    planner.sign_in(town.PLANNER)
    assert planner.get("/desk/plan").status_code == 403
    with rt.database.read() as session:
        event = session.scalars(select(Event).where(Event.what == "user_roles")).one()
    assert (event.actor, event.detail["before"], event.detail["after"]) == (
        town.ADMIN,
        ["planner"],
        ["readonly"],
    )


def test_the_last_administrator_stays(rt: Runtime, admin: Person) -> None:
    page = f"{USERS}/{number(rt, town.ADMIN)}"
    answer = admin.send(page, {"name": "徐丽", "role": ["planner"]})
    assert answer.status_code == 409 and "only administrator" in answer.get_data(as_text=True)
    admin.send(f"{page}/activity", {"active": "0"}, page)
    assert next(one for one in users.list_users(rt) if one.username == town.ADMIN).active


def test_out_of_use_and_back(app: Flask, rt: Runtime, admin: Person) -> None:
    page = f"{USERS}/{number(rt, town.LOOKER)}"
    looker = Person(app).sign_in(town.LOOKER)
    admin.send(f"{page}/activity", {"active": "0"}, page)
    assert looker.get("/desk/").status_code == 302
    assert (
        looker.send("/desk/sign-in", {"username": town.LOOKER, "password": town.PASSWORD}).status_code == 401
    )
    admin.send(f"{page}/activity", {"active": "1"}, page)
    looker.sign_in(town.LOOKER)


def test_a_reset_gives_a_password_once_and_takes_the_second_factor(
    app: Flask, rt: Runtime, admin: Person
) -> None:
    who = number(rt, town.HOTLINE)
    secret = second_factor.new_secret()
    second_factor.switch_on(rt, who, secret, code_at(secret))
    page = f"{USERS}/{who}"
    first = shown(admin.send(f"{page}/reset", {}, page).get_data(as_text=True))
    person = Person(app)
    assert (
        person.send("/desk/sign-in", {"username": town.HOTLINE, "password": town.PASSWORD}).status_code == 401
    )
    person.sign_in(town.HOTLINE, first)
    assert not second_factor.is_on(rt, who)


def test_sessions_are_listed_and_ended_one_by_one_or_all(app: Flask, rt: Runtime) -> None:
    here, phone, other = (Person(app).sign_in(town.PLANNER) for _ in range(3))
    assert here.get(ACCOUNT).get_data(as_text=True).count("Sign out there") == 2
    with rt.database.read() as session:
        mine = session.scalars(select(UserSession.id).order_by(UserSession.id)).all()
    here.send(f"{ACCOUNT}/sessions/{mine[1]}/end", {}, ACCOUNT)
    assert phone.get("/desk/").status_code == 302 and other.get("/desk/").status_code == 200
    here.send(f"{ACCOUNT}/sessions/end", {}, ACCOUNT)
    assert other.get("/desk/").status_code == 302 and here.get("/desk/").status_code == 200
    stranger = Person(app).sign_in(town.APPROVER)
    assert stranger.send(f"{ACCOUNT}/sessions/{mine[0]}/end", {}, ACCOUNT).status_code == 404


def test_a_session_that_nobody_used_for_a_shift_is_over(rt: Runtime, planner: Person) -> None:
    turn(rt, NOW + timedelta(hours=11))
    assert planner.get("/desk/").status_code == 200
    turn(rt, NOW + timedelta(hours=22))
    assert planner.get("/desk/").status_code == 200
    turn(rt, NOW + timedelta(hours=35))
    assert planner.get("/desk/").status_code == 302


def test_a_code_is_asked_for_and_is_good_once(app: Flask, rt: Runtime, planner: Person) -> None:
    secret = shown(planner.get(f"{ACCOUNT}/second-factor").get_data(as_text=True))
    assert planner.send(f"{ACCOUNT}/second-factor", {"code": "000000"}).status_code == 422
    page = planner.send(f"{ACCOUNT}/second-factor", {"code": code_at(secret)}).get_data(as_text=True)
    spare = re.findall(r'<code class="secret">([^<]+)</code>', page)
    assert len(spare) == second_factor.RECOVERY_CODES
    with rt.database.read() as session:
        kept = session.scalars(select(User).where(User.username == town.PLANNER)).one()
        assert secret not in kept.totp_secret and spare[0].replace("-", "") not in str(kept.recovery_hashes)

    def enter(code: str) -> int:
        person = Person(app)
        first = person.send(
            "/desk/sign-in?next=/desk/tasks", {"username": town.PLANNER, "password": town.PASSWORD}
        )
        assert person.get("/desk/").status_code == 302, "the password alone must not let in"
        answer = person.send(first.headers["Location"], {"code": code})
        if answer.status_code == 302:
            assert answer.headers["Location"] == "/desk/tasks"
            assert person.get("/desk/").status_code == 200
        return answer.status_code

    assert enter(code_at(secret)) == 401, "used when it was switched on"
    turn(rt, NOW + timedelta(seconds=60))
    assert enter(code_at(secret, 60)) == 302
    assert enter(code_at(secret, 60)) == 401
    assert enter(spare[0]) == 302
    assert enter(spare[0]) == 401


def test_guessing_codes_ends_in_a_rest(rt: Runtime) -> None:
    who = number(rt, town.PLANNER)
    secret = second_factor.new_secret()
    second_factor.switch_on(rt, who, secret, code_at(secret))
    for _ in range(users.FAILURES_ALLOWED):
        # A right password in between gives no new guesses.
        assert users.check_password(rt, town.PLANNER, town.PASSWORD) is not None
        assert not second_factor.check(rt, who, "wrong")
    with pytest.raises(NotPermitted):
        second_factor.check(rt, who, code_at(secret, 30))


def test_the_table_of_users_names_roles_in_both_languages(app: Flask) -> None:
    zh = Person(app, "zh-CN").sign_in(town.ADMIN)
    assert "审批员" in zh.get(USERS).get_data(as_text=True)
    assert "Approver" in Person(app).sign_in(town.ADMIN).get(USERS).get_data(as_text=True)
