"""The bells of a worker: one run at a time, piles let go, and a look of its own when nobody rings."""

from __future__ import annotations

import threading

import pytest

from outage_notify.settings import Settings
from outage_notify.worker import schedule
from outage_notify.worker.bells import Bell, Bells


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def bells(time: Time, done: list[str]) -> Bells:
    return Bells(
        [
            Bell("send", 5, lambda: done.append("send")),
            Bell("reconcile", 60, lambda: done.append("reconcile")),
        ],
        time,
    )


def test_rings_that_piled_up_are_one_run(bells: Bells, time: Time, done: list[str]) -> None:
    assert [bells.ring("send") for _ in range(100)] == [True] + [False] * 99
    time.now += 5
    assert bells.ring("send")
    assert done == ["send", "send"]


def test_a_long_run_is_not_joined_by_a_second_one() -> None:
    # Otherwise two waves would hold all threads of a worker, and nobody would settle doubts.
    under_way, finish = threading.Event(), threading.Event()

    def wave() -> None:
        under_way.set()
        finish.wait(10)

    bells = Bells([Bell("send", 5, wave), Bell("reconcile", 60, lambda: None)])
    runs = threading.Thread(target=bells.ring, args=("send",))
    runs.start()
    assert under_way.wait(10)
    assert not bells.ring("send")
    assert bells.ring("reconcile")
    finish.set()
    runs.join()


def test_who_hears_no_bell_looks_by_itself_after_two_periods(
    bells: Bells, time: Time, done: list[str]
) -> None:
    time.now += 9.9
    assert not bells.look("send")
    time.now += 0.1
    assert bells.look("send")
    # And goes on at the usual pace.
    time.now += 4
    assert not bells.look("send")
    time.now += 1
    assert bells.look("send")
    assert done == ["send", "send"]
    assert not bells.look("reconcile")
    time.now = 220.0
    assert bells.look("reconcile")


def test_any_bell_shows_that_somebody_rings(bells: Bells, time: Time) -> None:
    time.now += 100
    bells.ring("send")
    time.now += 50
    assert not bells.look("reconcile")


def test_a_failure_is_raised_to_who_rang_and_does_not_end_the_watch(time: Time) -> None:
    def fail() -> None:
        raise ConnectionError("the database is away")

    bells = Bells([Bell("send", 5, fail)], time)
    with pytest.raises(ConnectionError):
        bells.ring("send")
    time.now += 10
    assert bells.look("send")


def test_a_ring_carries_no_moment_of_the_clock_of_beat() -> None:
    # Celery would compare it with the worker's clock: five minutes between the two would silence all bells.
    table = schedule.beat_table(Settings())
    assert set(table) == set(schedule.periods(Settings()))
    assert all(set(one) == {"task", "schedule"} for one in table.values())
