"""Tokens of machines: who may have one, and that each ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from outage_notify.domain.errors import InvalidInput, NotFound, NotPermitted
from outage_notify.services import machine_access
from outage_notify.services.runtime import Runtime
from outage_notify.store.user_tables import Role, User
from tests.factories.runtimes import StandingClock, make_runtime


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    with runtime.database.write() as session:
        for name, role, active in (
            ("oms", Role.PLANNER, True),
            ("guest", Role.READONLY, True),
            ("gone", Role.PLANNER, False),
        ):
            session.add(User(username=name, name=name, password_hash="-", roles=[role.value], active=active))
    yield runtime
    runtime.database.close()


def test_a_token_ends_on_its_day(rt: Runtime) -> None:
    secret, other = (
        machine_access.new_token(rt, "system", "oms", name, days) for name, days in (("a", 30), ("b", 0))
    )
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant += timedelta(days=30, seconds=-1)
    assert machine_access.machine_of(rt, secret) is not None
    rt.clock.instant += timedelta(seconds=1)
    assert machine_access.machine_of(rt, secret) is None
    assert machine_access.machine_of(rt, other) is not None
    first, second = machine_access.listing(rt)
    assert first.expires_at == rt.clock.instant and second.expires_at is None
    assert secret not in repr(vars(first))


@pytest.mark.parametrize(
    ("who", "error"), [("guest", NotPermitted), ("gone", NotPermitted), ("nobody", NotFound)]
)
def test_only_a_user_at_work_can_have_one(rt: Runtime, who: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        machine_access.new_token(rt, "system", who, "OMS", 30)
    assert machine_access.listing(rt) == []


@pytest.mark.parametrize("days", [-1, 3651])
def test_a_life_out_of_range_is_refused(rt: Runtime, days: int) -> None:
    with pytest.raises(InvalidInput):
        machine_access.new_token(rt, "system", "oms", "OMS", days)
