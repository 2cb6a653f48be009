"""Several doubts at once: asked about side by side, settled together, none held up by another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.model import Channel, Message, Sighting
from channels.sender import Sender
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import record_receipts
from tests.factories.world import World

S = DeliveryState
LOST = {"api": "lost", "callback_drop": True}
GRACE = timedelta(seconds=151)
INTERVAL = timedelta(seconds=61)


class Slow:
    """Its provider's list is empty, and the first question takes longer than others wait."""

    repeatable = False

    def __init__(self, sender: Sender, city: World) -> None:
        self.name, self.channel = sender.name, sender.channel
        self.send, self.parse_receipt, self.check = sender.send, sender.parse_receipt, sender.check
        self.fetch = sender.fetch
        self._city = city
        self.questions = 0

    def find(self, message: Message, began: datetime, known: frozenset[str]) -> list[Sighting] | None:
        self.questions += 1
        if self.questions == 1:
            self._city.pass_time(seconds=INTERVAL.total_seconds())
            self._city.reconcile()
        return []


def test_a_question_that_took_so_long_that_another_was_asked_meanwhile_does_not_count(city: World) -> None:
    city.customer(voice=None, email=None)
    city.script({"times": 1, "do": LOST})
    city.approved()
    city.first_wave()
    slow = city.rt.senders[Channel.SMS] = Slow(city.rt.senders[Channel.SMS], city)
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().resent == 0
    (row,) = [one for one in city.deliveries() if one.doubt_since]
    assert (slow.questions, row.state, row.doubt_asked) == (2, S.IN_DOUBT, 1)


def test_one_that_cannot_be_settled_holds_up_no_other(city: World, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = [city.customer(voice=None, email=None) for _ in range(3)]
    city.script({"do": LOST})
    city.approved()
    city.first_wave()
    broken = city.deliveries(homes[1])[0].id
    apply = record_receipts.apply_report

    def breaks(session: Any, rt: Any, delivery: int, *rest: Any) -> str:
        if delivery == broken:
            raise ValueError("a row that nobody foresaw")
        return apply(session, rt, delivery, *rest)

    monkeypatch.setattr(record_receipts, "apply_report", breaks)
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().found == 2
    assert [city.deliveries(one)[0].state for one in homes] == [S.DELIVERED, S.IN_DOUBT, S.DELIVERED]
    monkeypatch.undo()
    city.turn_to(city.now() + INTERVAL)
    assert city.reconcile().found == 1
    assert len(city.reached()) == 3
