"""Sends what is due: claim, begin, send, settle, each of many rows at once and one behind the other.

No transaction is open while a provider is called. Each begun message stands on record
before its call, so that a crash between any two lines leaves a row that says how far it
came; `reconcile` finishes what a dead worker left behind. Calling this twice, or from many
workers at once, sends nothing twice: the claim decides.

While one chunk is on its way the next one is begun, so that neither the provider nor the
database waits for the other. A chunk is no larger than can be sent within its lease
even if every call takes as long as it may.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from channels.model import Channel, Outcome, OutcomeKind
from channels.sender import Sender
from outage_notify.services import settle_batch, stand_in
from outage_notify.services.begin_batch import Ready, begin, worker_name
from outage_notify.services.runtime import Runtime
from outage_notify.store import claims, pacing
from outage_notify.store.claims import Claim

BATCH = 200
# Chunks begun and not yet settled: the one that waits for answers and the one behind it.
IN_FLIGHT = 2
MOST_PER_CHUNK = 64


Flight = list[tuple[Ready, "Future[Outcome]"]]


def send_due(rt: Runtime, stop: Sequence[bool] = ()) -> int:
    """Send everything that is due now until nothing is left or the senders' budgets are spent.
    Returns how many messages were handed over.

    Each channel has a thread of its own: a slow or a long wave of one keeps no other waiting.
    `stop` is looked at between chunks (a list that the signal handler fills): what is
    begun is then finished, what is claimed and not begun is given back.
    """
    with ThreadPoolExecutor(max(1, len(rt.senders)), thread_name_prefix="channel") as channels:
        waves = [channels.submit(_Line(rt, channel, stop).run) for channel in rt.senders]
    # All have ended here; the first failure is raised, none is lost in silence.
    return sum(wave.result() for wave in waves)


class _Line:
    """One channel's line from outbox to provider, for one ring of the bell."""

    def __init__(self, rt: Runtime, channel: Channel, stop: Sequence[bool]) -> None:
        settings = rt.settings
        self._rt, self._channel, self._stop = rt, channel, stop
        # Who carries what is claimed at present; chosen anew with each claim.
        self._sender: Sender = rt.senders[channel]
        self._silences = 0
        self._lease = timedelta(seconds=settings.lease_seconds)
        # So many calls of one thread, one after the other, still end within the lease; what does not is
        # given back uncalled.
        in_turn = int(settings.lease_seconds / settings.provider_timeout)
        self._chunk = min(MOST_PER_CHUNK, settings.send_threads * max(1, in_turn))
        # Set once the provider asks to wait or gives no answer any more: what is begun and not yet called
        # stays uncalled.
        self._closed = threading.Event()

    def run(self) -> int:
        """Until nothing is due, the budget is spent, the provider asks to wait, or we are to stop."""
        handed = 0
        waiting: deque[Claim] = deque()
        flying: deque[Flight] = deque()
        more = True
        with ThreadPoolExecutor(self._rt.settings.send_threads, thread_name_prefix="call") as calls:
            try:
                while not self._ended():
                    if not waiting and more:
                        held, more = self._claim()
                        waiting.extend(held)
                    if waiting:
                        chunk = [waiting.popleft() for _ in range(min(self._chunk, len(waiting)))]
                        sender = self._sender
                        ready = begin(self._rt, sender, chunk, self._lease)
                        flying.append([(one, calls.submit(self._call, sender, one)) for one in ready])
                    if flying and (len(flying) >= IN_FLIGHT or not (waiting or more)):
                        handed += self._land(flying.popleft())
                    if not (waiting or more or flying):
                        break
            finally:
                while flying:
                    handed += self._land(flying.popleft())
                self._let_go(waiting)
        return handed

    def _ended(self) -> bool:
        return bool(self._stop) or self._closed.is_set()

    def _claim(self) -> tuple[list[Claim], bool]:
        """(rows that are ours now, whether there may be more)."""
        with self._rt.database.write() as session:
            now = self._rt.now(session)
            turn = stand_in.choose(session, self._rt, self._channel, now)
            allowed = pacing.spend(session, turn.buckets, turn.most or BATCH, now)
            if not allowed:
                return [], False
            self._sender = turn.sender
            rest = pacing.rest_of(session, turn.sender.name, allowed, self._rt.settings.rest_share)
            # A sender that is tried again is not tried with the most important message.
            rest = allowed if turn.most else rest
            held = claims.claim(session, self._channel, worker_name(), now, self._lease, allowed, rest)
            pacing.give_back(session, turn.buckets, allowed - len(held))
        return held, len(held) == allowed

    def _call(self, sender: Sender, one: Ready) -> Outcome:
        if self._ended() or time.monotonic() >= one.lease_ends:
            # We are to stop, the provider asked to wait, or this process slept through its lease and
            # the row may already be somebody else's. It was not called, and that is certain.
            return settle_batch.NOT_CALLED
        outcome = sender.send(one.message)
        silent = outcome.kind is OutcomeKind.UNKNOWN
        self._silences = self._silences + 1 if silent else 0
        if settle_batch.closes(self._channel, outcome) or self._silences >= stand_in.TROUBLES:
            self._closed.set()
        return outcome

    def _land(self, flight: Flight) -> int:
        """Wait for the answers and put them on record; returns how many were handed over."""
        done = [(one, future.result()) for one, future in flight]
        settle_batch.settle(self._rt, self._channel, done)
        return sum(outcome is not settle_batch.NOT_CALLED for _, outcome in done)

    def _let_go(self, held: Sequence[Claim]) -> None:
        if held:
            with self._rt.database.write() as session:
                claims.release(session, held)
