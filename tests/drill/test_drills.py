"""A wave goes out while something breaks: everybody is told exactly once.

`make test` runs each fault on one stack and each stack with some faults, with few people.
`make drill` runs all on all with DRILL_PEOPLE; DRILL_SEED repeats a run's choices.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.factories import drill_faults as faults
from tests.factories.crash_drill import Drill, Fault, Result
from tests.factories.drill_stacks import RABBITMQ, REDIS, SQLITE, STACKS, Stack
from tests.factories.tally import Tally, tally, tally_change

FULL = "DRILL_PEOPLE" in os.environ
PEOPLE = int(os.environ.get("DRILL_PEOPLE", "150"))
SEED = int(os.environ.get("DRILL_SEED", "0")) or secrets.randbelow(1_000_000)
# Slow enough that faults strike in its midst, quick enough to be waited for.
PER_SECOND = float(os.environ.get("DRILL_PER_SECOND", "0")) or (100.0 if FULL else 25.0)
# Many times what the wave takes at its pace, for a busy machine.
LONGEST = 150 + 15 * PEOPLE / PER_SECOND

MARKS = {
    SQLITE: [],
    REDIS: [pytest.mark.postgres, pytest.mark.redis],
    RABBITMQ: [pytest.mark.postgres, pytest.mark.rabbitmq],
}


def drilled(*which: Fault, short: Sequence[tuple[Fault, str]]) -> pytest.MarkDecorator:
    """Each of these faults on each stack; in the short form what of them shares a wave."""
    pairs = [(fault, stack) for fault in which for stack in STACKS] if FULL else list(short)
    cases = [
        pytest.param(fault, stack, id=f"{fault.name}-{stack}", marks=MARKS[stack]) for fault, stack in pairs
    ]
    return pytest.mark.parametrize(("fault", "stack"), cases, indirect=["stack"])


@pytest.fixture
def drill(stack: Stack, fault: Fault, tmp_path: Path) -> Iterator[Drill]:
    made = Drill(stack, fault, tmp_path, PEOPLE, SEED, PER_SECOND)
    yield made
    made.close()


def row(drill: Drill, fault: Fault, told: str, result: Result) -> str:
    way = {**result.did, **result.counts, "s": round(result.seconds), "seed": drill.seed}
    words = ", ".join(f"{name} {value}" for name, value in way.items())
    return f"| {fault.name} | {drill.stack.name} | {drill.people:,} | {told} | {words} |"


@pytest.mark.timeout(LONGEST + 200)
@drilled(
    faults.KILLED,
    faults.PAUSED,
    faults.BELLS_LOST,
    faults.DATABASE_LOST,
    faults.PROVIDER_DOWN,
    faults.CLOCKS_OFF,
    # In the short form several faults share a wave, so that each fault and each stack is there.
    short=[
        (
            faults.together(
                "database lost; provider down, its list late", faults.DATABASE_LOST, faults.PROVIDER_DOWN
            ),
            RABBITMQ,
        ),
    ],
)
def test_everybody_is_told_exactly_once(drill: Drill, fault: Fault, rows: list[str]) -> None:
    result = drill.run(LONGEST)
    found = tally(result.entries, drill.addresses)
    rows.append(row(drill, fault, f"{found.once:,} | {found.untold} | {found.twice}", result))
    assert found == Tally(once=PEOPLE, untold=0, twice=0, strangers=0), drill.story(found.wrong)
    # A drill in which nothing went wrong has shown nothing.
    assert result.counts["cut short"] + result.counts["answers lost"] >= 1
    assert all(result.did.values())


@pytest.mark.timeout(LONGEST + 200)
@drilled(
    faults.CANCELLED,
    faults.REVISED,
    short=[
        (faults.together("workers killed; cancelled", faults.KILLED, faults.CANCELLED), SQLITE),
        (
            faults.together(
                "clocks off, broker and beat lost; revised; workers stopped for a while",
                faults.CLOCKS_OFF,
                faults.BELLS_LOST,
                faults.REVISED,
                faults.PAUSED,
            ),
            REDIS,
        ),
    ],
)
def test_who_was_told_is_told_of_the_change_once_and_nobody_else_is(
    drill: Drill, fault: Fault, rows: list[str]
) -> None:
    result = drill.run(LONGEST)
    found = tally_change(result.entries, drill.addresses, faults.OLD_END, faults.NEW_END)
    told = f"{found.told_and_told_of_it:,} and of the change once"
    if found.told_the_new_only:
        told += f", {found.told_the_new_only:,} of the new plan once"
    else:
        told += f", {found.told_nothing:,} not at all"
    wrong = sum(found.otherwise.values())
    rows.append(row(drill, fault, f"{told} | {wrong} | {wrong}", result))
    heard = [one for one in result.entries if one["to"] in found.wrong[:4]]
    assert found.otherwise == {}, f"{drill.story(found.wrong)}\n{heard}"
    assert found.told_nothing == 0 or found.told_the_new_only == 0
    # It came in the midst of the wave: both sorts of people are there.
    assert PEOPLE // 10 <= found.told_and_told_of_it < PEOPLE


@pytest.mark.timeout(LONGEST + 200)
@drilled(faults.STOPPED, short=[(faults.STOPPED, RABBITMQ)])
def test_a_worker_that_is_told_to_end_leaves_nothing_open(
    drill: Drill, fault: Fault, rows: list[str]
) -> None:
    result = drill.run(LONGEST)
    found = tally(result.entries, drill.addresses)
    rows.append(row(drill, fault, f"{found.once:,} | {found.untold} | {found.twice}", result))
    assert found == Tally(once=PEOPLE, untold=0, twice=0, strangers=0), drill.story(found.wrong)
    assert result.did["exit codes"] == [0] * len(drill.workers)
    # Every call that was begun was finished: nothing had to be asked about, nothing went out again.
    assert result.counts == {"cut short": 0, "answers lost": 0, "tried again": 0}
