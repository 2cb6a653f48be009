"""The pace of a sender is one, however many workers send, and a claim that dies has spent nothing of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.services import send_batch
from outage_notify.services.runtime import Runtime
from outage_notify.store import claims
from outage_notify.store.sender_tables import SenderState
from tests.factories.world import World, world


def test_what_one_worker_has_spent_no_other_one_has(migrated_sqlite_copy: str, tmp_path: Path) -> None:
    """One text in a hundred seconds: so slow that a busy machine makes no difference."""
    with world(migrated_sqlite_copy, tmp_path, SMS_PER_SECOND="0.01") as city:
        homes = [city.customer(voice=None, email=None) for _ in range(4)]
        shop = city.customer(tier=Tier.GENERAL, voice=None, email=None)
        city.approved()
        city.turn_to(city.monday + timedelta(days=2, hours=1))
        other = Runtime.build(city.rt.settings)
        assert [send_batch.send_due(one) for one in (city.rt, other, city.rt)] == [1, 0, 0]
        # The highest tier had the only one.
        assert city.reached() == [("sms", city.address(shop, Channel.SMS))]
        city.pass_time(seconds=101)
        assert [send_batch.send_due(one) for one in (other, city.rt)] == [1, 0]
        other.database.close()
        assert city.reached()[1] in [("sms", city.address(one, Channel.SMS)) for one in homes]


def test_a_claim_that_dies_has_spent_nothing(city: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*arguments: object) -> None:
        raise RuntimeError("killed here")

    city.customer()
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed here"):
        patch.setattr(claims, "claim", dies)
        send_batch.send_due(city.rt)
    with city.rt.database.read() as session:
        assert session.get(SenderState, "twilio-sms") is None
    assert city.work() == 1
