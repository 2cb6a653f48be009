"""What goes wrong in a drill, each as a function that strikes while the wave goes out."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from outage_notify.domain.outage import OutageState
from outage_notify.services import approve_outage, plan_outage, run_outage
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.store import outage_queries
from tests.factories.crash_drill import GRACE, LEASE, LOSSES, MINUTE, Drill, Fault, Rule

# The provider's list shows nothing younger than a minute.
LAGGING: Sequence[Rule] = (*LOSSES, {"do": {"list_lag": MINUTE}})
FIVE_MINUTES = 300.0
# How the end of the window is written in a text and said in a call.
OLD_END, NEW_END = ("14:00", "2 p.m."), ("15:00", "3 p.m.")


def killed(drill: Drill) -> dict[str, Any]:
    """SIGKILL to random workers, every 0.1 to 0.3 seconds."""
    kills, most = 0, max(12, drill.people // 25)
    drill.until(0.0)
    while kills < most and not drill.has_begun(1.0):
        time.sleep(drill.random.uniform(0.1, 0.3))
        # One that still starts has nothing in its hands: only those are killed that have begun a call.
        if at_work := drill.at_work():
            drill.replace(drill.random.choice(at_work))
            kills += 1
    return {"kills": kills}


def paused(drill: Drill) -> dict[str, Any]:
    """SIGSTOP to random workers for longer than their lease and shorter than the grace."""
    pauses, most = 0, max(1, drill.people // 200)
    while pauses < most and not drill.has_begun(0.9):
        drill.until(0.9 * pauses / most)
        for number in drill.random.sample(range(len(drill.workers)), 2):
            os.kill(drill.workers[number].pid or 0, signal.SIGSTOP)
        time.sleep(drill.random.uniform(LEASE * 1.1, GRACE * 0.7))
        for worker in drill.workers:
            os.kill(worker.pid or 0, signal.SIGCONT)
        pauses += 1
    return {"pauses": pauses}


def bells_lost(drill: Drill) -> dict[str, Any]:
    """The broker is emptied and killed; then beat is; then there are two of it."""
    drill.until(0.0)
    if drill.stack.broker is None:
        # Broker and beat live in the workers: all of them at once.
        for worker in drill.workers:
            worker.kill()
        for number in range(len(drill.workers)):
            drill.replace(number)
        return {"ticks without broker and beat": drill.goes_on()}
    drill.stack.broker.lose()
    without_broker = drill.goes_on()
    drill.stack.broker.revive()
    drill.until(0.5)
    for beat in drill.beats:
        beat.kill()
    without_beat = drill.goes_on()
    drill.start_beat()
    drill.start_beat()
    return {"ticks without broker": without_broker, "ticks without beat": without_beat}


def database_lost(drill: Drill) -> dict[str, Any]:
    """The database is restarted, then killed. SQLite has no server: the power goes, then somebody holds its lock."""
    drill.until(0.1)
    if drill.stack.postgres is not None:
        drill.stack.postgres.restart()
        drill.until(0.5)
        drill.stack.postgres.crash()
        return {"restarts": 1, "kill -9": 1}
    for process in [drill.web, *drill.workers]:
        if process is not None:
            process.kill()
    drill.start_web()
    for number in range(len(drill.workers)):
        drill.replace(number)
    drill.until(0.5)
    holder = sqlite3.connect(drill.rt.database.url.database or "", isolation_level=None, timeout=30)
    holder.execute("BEGIN IMMEDIATE")
    time.sleep(LEASE * 1.5)
    holder.execute("ROLLBACK")
    holder.close()
    return {"power cuts": 1, "locks": 1}


def provider_down(drill: Drill) -> dict[str, Any]:
    """A minute each of 500, of 429 and of no answer at all, to those who send and to those who ask."""
    spells: list[tuple[float, Rule, Any]] = [
        (0.1, {"api": "500", "smtp": "defer"}, "server_error"),
        (0.3, {"api": "429", "smtp": "defer"}, "rate_limited"),
        (0.5, {"api": "dropped", "answer_delay": 3.0, "smtp": "drop-untaken"}, {"answer_delay": 3.0}),
        (0.7, {"api": "500-taken", "smtp": "drop"}, {"api": "500"}),
    ]
    for share, do, questions in spells:
        drill.until(share)
        drill.script([{"do": do}, *drill.rules], questions)
        time.sleep(MINUTE)
        drill.script(drill.rules)
    return {"spells": len(spells)}


def cancelled(drill: Drill) -> dict[str, Any]:
    """Cancelled in the middle of the wave; early enough that on a slow machine some are still to be told."""
    drill.until(0.2)
    return {"deliveries of the change": run_outage.cancel(drill.rt, "petra", drill.reference, "not needed")}


def revised(drill: Drill) -> dict[str, Any]:
    """Moved in the middle of the wave; it is still under way while the revision waits to be approved."""
    drill.until(0.2)
    with drill.rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, drill.reference)
        assert outage.state is OutageState.APPROVED
        start, kind = outage.standing.start, outage.kind
    why = {"en": "line maintenance"}
    request = PlanRequest(kind, start, start + timedelta(hours=5), why, work=("line:2",))
    plan_outage.revise(drill.rt, "petra", drill.reference, request)
    plan_outage.submit(drill.rt, "petra", drill.reference)
    return {"deliveries of the change": approve_outage.approve(drill.rt, "anton", drill.reference)}


def stopped(drill: Drill) -> dict[str, Any]:
    """SIGTERM to one worker after the other, as in an upgrade."""
    codes = []
    for number in range(len(drill.workers)):
        drill.until(0.2 + 0.2 * number)
        old = drill.workers[number]
        old.terminate()
        old.join(60)
        codes.append(old.exitcode)
        drill.workers[number] = drill.start_worker(number)
    return {"exit codes": codes}


def undisturbed(drill: Drill) -> dict[str, Any]:
    """Nothing more than what goes wrong from the start."""
    return {}


def together(name: str, *which: Fault) -> Fault:
    """Several faults in one wave, one after the other."""

    def strike(drill: Drill) -> dict[str, Any]:
        did: dict[str, Any] = {}
        for number, one in enumerate(which):
            drill.span = (0.8 * number / len(which) + 0.1, 0.8 * (number + 1) / len(which) + 0.1)
            did |= one.strike(drill)
        return did

    rules = [rule for one in which for rule in one.rules if rule not in LOSSES]
    ahead = [seconds for one in which for seconds in one.ahead]
    beat_ahead = sum(one.beat_ahead for one in which)
    return Fault(name, strike, [*LOSSES, *rules], ahead, beat_ahead, any(one.changes for one in which))


KILLED = Fault("workers killed", killed)
PAUSED = Fault("workers stopped for a while", paused)
BELLS_LOST = Fault("broker lost, beat lost, two beats", bells_lost)
DATABASE_LOST = Fault("database lost", database_lost)
PROVIDER_DOWN = Fault("provider down, its list late", provider_down, LAGGING)
# Five minutes before, behind and right: the machine's clock must not matter to anybody.
CLOCKS_OFF = Fault(
    "clocks five minutes off",
    undisturbed,
    ahead=(FIVE_MINUTES, -FIVE_MINUTES, 0.0),
    beat_ahead=-FIVE_MINUTES,
)
CANCELLED = Fault("cancelled in mid-wave", cancelled, changes=True)
REVISED = Fault("revised in mid-wave", revised, changes=True)
# Nothing else goes wrong: what a worker leaves open is then its own.
STOPPED = Fault(
    "workers ended by SIGTERM",
    stopped,
    rules=(),
    # On a busy machine a short time-out would lose answers by itself.
    settings={"PROVIDER_TIMEOUT": "15", "LEASE_SECONDS": "20", "DOUBT_GRACE": "30"},
)
