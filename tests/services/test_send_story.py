"""From approval to the mailbox: what goes out when, and what one lost answer does."""

from __future__ import annotations

from channels.model import Channel
from tests.factories.world import World


def test_a_household_is_told_once_by_text(city: World) -> None:
    home = city.customer()
    city.approved()
    assert city.work() == 0
    assert city.first_wave() == 1
    assert city.reached() == [("sms", city.address(home, Channel.SMS))]
    assert city.story(home) == [("SEVEN_DAY", "sms", "DELIVERED"), ("DAY_AHEAD", "sms", "READY")]
    assert city.work() == 0
    assert city.reconcile().holds
