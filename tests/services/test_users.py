"""Users: passwords are hashed, wrong ones counted, and an account rests after too many."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from outage_notify.domain.errors import Conflict, InvalidInput, NotPermitted
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import (
    FAILURES_ALLOWED,
    REST,
    add_user,
    check_password,
    list_users,
    user_by_id,
)
from outage_notify.store.user_tables import Role, User
from tests.factories.runtimes import StandingClock, make_runtime

PASSWORD = "a long enough one"


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def _later(rt: Runtime, step: timedelta) -> None:
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant += step


def test_a_user_is_known_by_the_right_password_alone(rt: Runtime) -> None:
    added = add_user(rt, "li.na", PASSWORD, ["planner"], "李娜")
    found = check_password(rt, "LI.NA", PASSWORD)
    assert found == added
    assert found is not None and found.may(Role.PLANNER) and not found.may(Role.APPROVER)
    assert check_password(rt, "li.na", PASSWORD + "x") is None
    assert check_password(rt, "nobody", PASSWORD) is None
    assert user_by_id(rt, added.id) == added and user_by_id(rt, added.id + 1) is None


def test_the_password_itself_is_not_kept(rt: Runtime) -> None:
    add_user(rt, "a", PASSWORD, ["planner"])
    add_user(rt, "b", PASSWORD, ["planner"])
    with rt.database.read() as session:
        hashes = list(session.scalars(select(User.password_hash)))
    assert all(one.startswith("$argon2id$") and PASSWORD not in one for one in hashes)
    assert len(set(hashes)) == 2


def test_after_too_many_failures_even_the_right_password_rests(rt: Runtime) -> None:
    add_user(rt, "a", PASSWORD, ["planner"])
    for _ in range(FAILURES_ALLOWED):
        assert check_password(rt, "a", "wrong") is None
    with pytest.raises(NotPermitted):
        check_password(rt, "a", PASSWORD)
    _later(rt, REST - timedelta(seconds=1))
    with pytest.raises(NotPermitted):
        check_password(rt, "a", PASSWORD)
    _later(rt, timedelta(seconds=2))
    assert check_password(rt, "a", PASSWORD) is not None


def test_a_right_password_ends_the_count(rt: Runtime) -> None:
    add_user(rt, "a", PASSWORD, ["planner"])
    for _ in range(3):
        for _ in range(FAILURES_ALLOWED - 1):
            assert check_password(rt, "a", "wrong") is None
        assert check_password(rt, "a", PASSWORD) is not None


def test_a_user_out_of_use_is_nobody(rt: Runtime) -> None:
    added = add_user(rt, "a", PASSWORD, ["planner"])
    with rt.database.write() as session:
        session.get_one(User, added.id).active = False
    assert check_password(rt, "a", PASSWORD) is None
    assert user_by_id(rt, added.id) is None


def test_a_name_is_taken_whatever_its_case(rt: Runtime) -> None:
    add_user(rt, "Anna", PASSWORD, ["planner", "approver", "planner"])
    with pytest.raises(Conflict):
        add_user(rt, "anna", PASSWORD, ["planner"])
    assert [(one.username, one.roles) for one in list_users(rt)] == [("Anna", ("planner", "approver"))]


@pytest.mark.parametrize(
    ("username", "password", "roles"),
    [
        ("", PASSWORD, ["planner"]),
        ("two words", PASSWORD, ["planner"]),
        ("system", PASSWORD, ["planner"]),
        ("a", "short", ["planner"]),
        ("a", "aaaaaaaaaaaa", ["planner"]),
        ("long.enough.name", "long.enough.name", ["planner"]),
        ("a", "x" * 1001, ["planner"]),
        ("a", PASSWORD, []),
        ("a", PASSWORD, ["king"]),
    ],
)
def test_what_is_refused(rt: Runtime, username: str, password: str, roles: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        add_user(rt, username, password, roles)
    assert refused.value.remedy and password not in str(refused.value)
    assert list_users(rt) == []
