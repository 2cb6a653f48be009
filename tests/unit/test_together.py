"""Many threads, one turn: who waits is taken along, and nobody fails for another."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from outage_notify.services.together import Together

OTHERS = 5


def gathered(bad: int | None = None) -> tuple[list[list[int]], list[int | str]]:
    """One thread is held up in its turn until all others wait; returns the turns, and what each thread got."""
    turns: list[list[int]] = []
    held, go_on = Event(), Event()

    def work(items: Sequence[int]) -> list[int]:
        turns.append(list(items))
        if items == [0]:
            held.set()
            assert go_on.wait(30)
        if bad in items:
            raise ValueError(f"{bad} is bad")
        return [item * 10 for item in items]

    together: Together[int, int] = Together(work, lambda error: isinstance(error, ValueError))

    def ask(item: int) -> int | str:
        try:
            return together.do(item)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(OTHERS + 1) as pool:
        first = pool.submit(ask, 0)
        assert held.wait(30)
        others = [pool.submit(ask, number) for number in range(1, OTHERS + 1)]
        while len(together._queue) < OTHERS:
            assert not any(one.done() for one in others)
        go_on.set()
        return turns, [one.result(30) for one in (first, *others)]


def test_all_who_came_meanwhile_are_one_turn_and_each_gets_its_own_answer() -> None:
    turns, answers = gathered()
    assert turns[0] == [0]
    assert sorted(turns[1]) == [1, 2, 3, 4, 5]
    assert len(turns) == 2
    assert answers == [0, 10, 20, 30, 40, 50]


def test_a_failure_that_may_be_one_s_own_is_that_one_s_alone() -> None:
    _, answers = gathered(bad=3)
    assert answers == [0, 10, 20, "3 is bad", 40, 50]


def test_a_failure_of_all_is_tried_once_and_raised_to_each() -> None:
    tries: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        tries.append(len(items))
        raise OSError("the database is away")

    together: Together[int, int] = Together(work, lambda error: False)
    for number in (1, 2):
        with pytest.raises(OSError, match="away"):
            together.do(number)
    assert tries == [1, 1]
