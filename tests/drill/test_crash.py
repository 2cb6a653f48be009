"""Workers killed by SIGKILL at random while answers get lost: everybody is told exactly once.

`make drill` runs the same with more people (DRILL_PEOPLE); DRILL_SEED repeats a run's choices.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.crash_drill import PER_SECOND, CrashDrill
from tests.factories.tally import Tally

PEOPLE = int(os.environ.get("DRILL_PEOPLE", "1000"))
SEED = int(os.environ.get("DRILL_SEED", "0")) or secrets.randbelow(1_000_000)
KILLS = max(40, PEOPLE // 25)
# Four times as long as the wave takes at its pace, and what a busy machine needs besides.
LONGEST = 120 + 4 * PEOPLE / PER_SECOND


@pytest.fixture(params=["sqlite and the embedded broker", "postgresql and redis"])
def drill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CrashDrill]:
    if request.param == "sqlite and the embedded broker":
        url, broker = f"sqlite:///{tmp_path / 'drill.db'}", ""
    else:
        url, broker = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    made = CrashDrill(url, broker, tmp_path, PEOPLE, SEED)
    yield made
    made.close()


@pytest.mark.timeout(LONGEST + 120)
def test_everybody_is_told_exactly_once_though_workers_are_killed(
    drill: CrashDrill, capsys: pytest.CaptureFixture[str]
) -> None:
    result = drill.run(KILLS, LONGEST)
    with capsys.disabled():
        print(f"\ncrash drill, {drill.rt.database.url.get_backend_name()}, {result}")
    assert result.tally == Tally(once=PEOPLE, untold=0, twice=0, strangers=0)
    # A drill in which nothing went wrong has shown nothing.
    assert result.kills >= 20
    assert result.cut_short + result.unknown >= PEOPLE // 100
