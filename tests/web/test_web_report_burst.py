"""A burst of status reports through the web tier, doubled and out of order: none is lost."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select, update

from channels import twilio_signature
from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import links, record_receipts
from outage_notify.services.runtime import Runtime
from outage_notify.store.delivery_tables import Delivery, ProviderReport
from tests.factories import town

AT_ONCE = 8
STATUSES = ("queued", "sent", "delivered")


def test_no_report_of_a_burst_is_lost(app: Flask, rt: Runtime) -> None:
    town.approved(rt)
    texts = Delivery.channel == Channel.SMS
    with rt.database.write() as session:
        now = rt.now(session)
        ids = session.scalars(select(Delivery.id).where(texts).order_by(Delivery.id)).all()
        session.execute(update(Delivery).where(texts).values(state=DeliveryState.SUBMITTING, began_at=now))
    assert len(ids) > AT_ONCE

    def post(which: tuple[int, str]) -> int:
        number, status = which
        token = rt.link_token(links.CALLBACK, number, now + timedelta(days=1))
        path, form = (
            f"/webhooks/twilio/status/{token}",
            {"MessageSid": f"SM{number}", "MessageStatus": status},
        )
        signature = twilio_signature.sign(rt.settings.twilio_auth_token, rt.settings.base_url + path, form)
        headers = {twilio_signature.HEADER: signature}
        return app.test_client().post(path, data=form, headers=headers).status_code

    burst = [(number, status) for number in ids for status in (*STATUSES, "delivered")]
    random.Random(7).shuffle(burst)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = Counter(pool.map(post, burst))
    assert answers == {204: len(burst)}
    # What is still being applied behind the last answer, this waits for.
    record_receipts.apply_reports(rt)
    with rt.database.read() as session:
        applied = ProviderReport.applied_at.is_not(None)
        assert session.scalar(select(func.count()).select_from(ProviderReport).where(applied)) == len(burst)
        columns = (Delivery.id, Delivery.state, Delivery.provider_id)
        found = session.execute(select(*columns).where(texts)).all()
    assert sorted(map(tuple, found)) == [(one, DeliveryState.DELIVERED, f"SM{one}") for one in ids]
