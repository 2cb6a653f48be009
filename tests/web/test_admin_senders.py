"""Senders held and let go by an administrator: nothing is claimed meanwhile, a provider's answer does not end it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from channels.model import Channel
from outage_notify.domain.errors import InvalidInput, NotFound, NotPermitted
from outage_notify.services import hold_sender, settings_view
from outage_notify.services.runtime import Runtime
from outage_notify.store import pacing, sender_health
from outage_notify.store.pacing import Bucket
from outage_notify.store.work_tables import Event
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person

SENDERS = "/desk/admin/senders"
BUCKET = [Bucket("twilio-sms", 10.0, Channel.SMS)]


def test_a_sender_is_held_seen_and_let_go(app: Flask, rt: Runtime) -> None:
    admin = Person(app).sign_in(town.ADMIN)
    hold = f"{SENDERS}/twilio-sms/hold"
    assert admin.send(hold, {"hours": "2", "reason": "wrong texts"}, SENDERS).status_code == 303
    page = admin.get(SENDERS).get_data(as_text=True)
    assert "by xu.li: wrong texts" in page and "Held" in page
    with rt.database.write() as session:
        assert pacing.spend(session, BUCKET, 5, NOW) == 0
    gone = admin.send(f"{SENDERS}/twilio-sms/resume", {"reason": "mended"}, SENDERS)
    assert gone.status_code == 303
    with rt.database.write() as session:
        assert pacing.spend(session, BUCKET, 5, NOW) == 5
        words = list(
            session.scalars(select(Event.what).where(Event.what.like("sender_%")).order_by(Event.id))
        )
    assert words == ["sender_held", "sender_resumed"]
    assert admin.send(hold, {"hours": "2", "reason": " "}, SENDERS).status_code == 422
    assert admin.send(hold, {"hours": "x", "reason": "x"}, SENDERS).status_code == 422


def test_a_hold_ends_by_itself_and_not_by_a_provider_that_answers(rt: Runtime) -> None:
    hold_sender.hold(rt, town.ADMIN, "twilio-sms", 1, "x")
    with rt.database.write() as session:
        sender_health.take_down(session, "twilio-sms", NOW, "down")
        sender_health.let_try(session, "twilio-sms")
        sender_health.bring_up(session, "twilio-sms")
        assert pacing.is_held(session, "twilio-sms", NOW)
        # What the provider caused ends with its answer.
        pacing.hold(session, "twilio-sms", NOW + timedelta(hours=3), "429")
        sender_health.take_down(session, "twilio-sms", NOW, "down")
        sender_health.bring_up(session, "twilio-sms")
        assert not pacing.is_held(session, "twilio-sms", NOW)
    hold_sender.hold(rt, town.ADMIN, "twilio-sms", 1, "x")
    with rt.database.read() as session:
        assert not pacing.is_held(session, "twilio-sms", NOW + timedelta(hours=1))
    assert settings_view.senders(rt)[0].held_reason


def test_who_may_not_and_what_is_not_is_refused(rt: Runtime) -> None:
    with pytest.raises(NotPermitted):
        hold_sender.hold(rt, town.PLANNER, "twilio-sms", 1, "x")
    with pytest.raises(NotFound):
        hold_sender.hold(rt, town.ADMIN, "pigeons", 1, "x")
    with pytest.raises(InvalidInput):
        hold_sender.hold(rt, town.ADMIN, "twilio-sms", 73, "x")
