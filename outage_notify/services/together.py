"""Many threads that want the same small thing done at once: one of them does it for all that wait.

While a transaction is written to the disk others come with theirs. They need not queue for one each: the first of
them takes along all who have come meanwhile. No clock and no thread of its own: who comes alone is served at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass
class _Waiting(Generic[Item, Answer]):
    item: Item
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    answer: Answer | None = None
    error: BaseException | None = None


class Together(Generic[Item, Answer]):
    """`work` gets the items of one turn, at most `most`, and gives one answer for each. Thread-safe.

    `alone`: whether a failure may be the fault of one item; then each is tried by itself, so that
    nobody fails for another.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer]],
        alone: Callable[[Exception], bool],
        most: int = 500,
    ) -> None:
        self._work, self._alone, self._most = work, alone, most
        self._lock = threading.Lock()
        self._queue: list[_Waiting[Item, Answer]] = []
        self._busy = False

    def do(self, item: Item) -> Answer:
        """Returns once a turn that had `item` in it is over; raises what that turn raised."""
        mine: _Waiting[Item, Answer] = _Waiting(item)
        with self._lock:
            self._queue.append(mine)
            mine.leads = not self._busy
            self._busy = True
        if not mine.leads:
            mine.woken.wait()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    def _lead(self) -> None:
        with self._lock:
            turn, self._queue = self._queue[: self._most], self._queue[self._most :]
        try:
            self._serve(turn)
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._busy = following is not None
                if following is not None:
                    following.leads = True
            if following is not None:
                following.woken.set()
            for one in turn:
                one.woken.set()

    def _serve(self, turn: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            answers = self._work([one.item for one in turn])
        except BaseException as error:
            if len(turn) > 1 and isinstance(error, Exception) and self._alone(error):
                for one in turn:
                    self._serve([one])
                return
            for one in turn:
                one.error = error
            return
        for one, answer in zip(turn, answers, strict=True):
            one.answer = answer
