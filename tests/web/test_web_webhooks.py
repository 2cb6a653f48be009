"""The provider's calls: signature first, then stored, then understood."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from channels import twilio_signature
from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import apply_batch, links, record_receipts
from outage_notify.services.report_intake import Intake, Told
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, ProviderReport
from outage_notify.store.people_tables import Customer
from tests.factories import town
from tests.factories.people import NOW


class Provider:
    """Posts as Twilio does, with its signature over the public address."""

    def __init__(self, app: Flask, rt: Runtime) -> None:
        self.client, self.settings = app.test_client(), rt.settings

    def post(
        self, path: str, form: dict[str, str], *, signature: str | None = None, **more: str
    ) -> TestResponse:
        url = self.settings.base_url + path
        right = twilio_signature.sign(self.settings.twilio_auth_token, url, form)
        headers = {twilio_signature.HEADER: right if signature is None else signature} | more
        return self.client.post(path, data=form, headers=headers)


@pytest.fixture
def provider(app: Flask, rt: Runtime) -> Provider:
    return Provider(app, rt)


def sent(rt: Runtime, channel: Channel, customer: str = "W1") -> int:
    """An approved outage; the first delivery to this customer by this channel, as if it had just been taken."""
    town.approved(rt)
    with rt.database.write() as session:
        found = session.scalars(
            select(Delivery)
            .where(
                Delivery.channel == channel, Delivery.recipients.any(customer=_customer(session, customer))
            )
            .order_by(Delivery.id)
        ).first()
        assert found is not None
        found.state, found.began_at, found.provider_id = DeliveryState.ACCEPTED, NOW, f"SM-{found.id}"
        return found.id


def _customer(session: Session, customer_id: str) -> Customer:
    return session.scalars(select(Customer).where(Customer.customer_id == customer_id)).one()


def delivery(rt: Runtime, number: int) -> Delivery:
    with rt.database.read() as session:
        return session.get_one(Delivery, number)


def acknowledgement(rt: Runtime, customer: str = "W1") -> Acknowledgement:
    with rt.database.read() as session:
        return session.scalars(
            select(Acknowledgement).where(Acknowledgement.customer == _customer(session, customer))
        ).one()


def token(rt: Runtime, purpose: str, subject: int, days: int = 1) -> str:
    return rt.link_token(purpose, subject, NOW + timedelta(days=days))


def test_a_status_report_is_stored_and_applied(provider: Provider, rt: Runtime) -> None:
    number = sent(rt, Channel.SMS)
    form = {"MessageSid": f"SM-{number}", "MessageStatus": "delivered"}
    path = f"/webhooks/twilio/status/{token(rt, links.CALLBACK, number)}"
    assert provider.post(path, form).status_code == 204
    assert delivery(rt, number).state is DeliveryState.DELIVERED
    with rt.database.read() as session:
        assert [row.form for row in session.scalars(select(ProviderReport))] == [form]


@pytest.mark.parametrize("signature", ["", "bm90IGl0"])
def test_without_the_right_signature_nothing_is_believed_or_kept(
    provider: Provider, rt: Runtime, signature: str
) -> None:
    number = sent(rt, Channel.SMS)
    path = f"/webhooks/twilio/status/{token(rt, links.CALLBACK, number)}"
    form = {"MessageSid": f"SM-{number}", "MessageStatus": "delivered"}
    assert provider.post(path, form, signature=signature).status_code == 403
    assert delivery(rt, number).state is DeliveryState.ACCEPTED
    with rt.database.read() as session:
        assert session.scalars(select(ProviderReport)).all() == []


def test_the_signature_covers_the_public_address_whatever_the_proxy_says(
    provider: Provider, rt: Runtime
) -> None:
    number = sent(rt, Channel.SMS)
    path = f"/webhooks/twilio/status/{token(rt, links.CALLBACK, number)}"
    form = {"MessageSid": f"SM-{number}", "MessageStatus": "delivered"}
    assert provider.post(path, form, Host="10.0.0.7:9000").status_code == 204


def test_a_report_about_an_unknown_delivery_is_kept(provider: Provider, rt: Runtime) -> None:
    form = {"MessageSid": "SM-unknown", "MessageStatus": "sent"}
    assert provider.post(f"/webhooks/twilio/status/{'x' * 31}", form).status_code == 404
    with rt.database.read() as session:
        assert session.scalars(select(ProviderReport)).one().form == form


def test_a_report_whose_token_has_ended_is_kept_without_its_delivery(provider: Provider, rt: Runtime) -> None:
    number = sent(rt, Channel.SMS)
    path = f"/webhooks/twilio/status/{token(rt, links.CALLBACK, number, days=-1)}"
    form = {"MessageSid": "SM-other", "MessageStatus": "delivered"}
    assert provider.post(path, form).status_code == 404
    assert delivery(rt, number).state is DeliveryState.ACCEPTED
    with rt.database.read() as session:
        kept = session.scalars(select(ProviderReport)).one()
    assert (kept.form, kept.delivery_ref, kept.verdict) == (form, None, "unknown message")


@pytest.mark.parametrize("unusual", ["large", "query", "multipart"])
def test_an_unusual_form_is_read_by_the_application_and_kept_as_well(
    provider: Provider, rt: Runtime, unusual: str
) -> None:
    number = sent(rt, Channel.SMS)
    path = f"/webhooks/twilio/status/{token(rt, links.CALLBACK, number)}"
    form = {"MessageSid": f"SM-{number}", "MessageStatus": "delivered", "Note": "ü\x00"}
    more = {}
    if unusual == "large":
        form["More"] = "x" * 20_000
    elif unusual == "query":
        path += "?again=1"
    else:
        more["Content-Type"] = "multipart/form-data"
    assert provider.post(path, form, **more).status_code == 204
    assert delivery(rt, number).state is DeliveryState.DELIVERED
    with rt.database.read() as session:
        assert session.scalars(select(ProviderReport)).one().form == form


def test_a_report_is_kept_even_where_it_can_t_be_applied_now(
    provider: Provider, rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = sent(rt, Channel.SMS)
    path = f"/webhooks/twilio/status/{token(rt, links.CALLBACK, number)}"
    with monkeypatch.context() as broken:
        broken.setattr(apply_batch, "apply_usual", None)
        form = {"MessageSid": f"SM-{number}", "MessageStatus": "delivered"}
        assert provider.post(path, form).status_code == 204
    assert delivery(rt, number).state is DeliveryState.ACCEPTED
    assert record_receipts.apply_reports(rt) == 1
    assert delivery(rt, number).state is DeliveryState.DELIVERED


def test_what_the_lane_can_t_store_goes_to_the_application(
    provider: Provider, rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = sent(rt, Channel.SMS)
    path = f"/webhooks/twilio/status/{token(rt, links.CALLBACK, number)}"
    form = {"MessageSid": f"SM-{number}", "MessageStatus": "delivered"}
    take, tries = Intake.take, []

    def once_in_vain(intake: Intake, told: Told) -> bool:
        tries.append(told)
        if len(tries) == 1:
            raise OSError("the database is away")
        return take(intake, told)

    monkeypatch.setattr(Intake, "take", once_in_vain)
    assert provider.post(path, form).status_code == 204
    assert len(tries) == 2
    assert delivery(rt, number).state is DeliveryState.DELIVERED


def test_a_token_of_another_purpose_does_not_open_a_call(provider: Provider, rt: Runtime) -> None:
    number = sent(rt, Channel.VOICE, "N1")
    path = f"/webhooks/twilio/voice/{token(rt, links.CALLBACK, number)}"
    assert provider.post(path, {"CallSid": "CA1"}).status_code == 404


def test_a_call_says_the_notice_and_a_pressed_key_signs(provider: Provider, rt: Runtime) -> None:
    number = sent(rt, Channel.VOICE, "N1")
    script = provider.post(f"/webhooks/twilio/voice/{token(rt, links.VOICE, number)}", {"CallSid": "CA1"})
    text = script.get_data(as_text=True)
    assert script.mimetype == "text/xml"
    assert "<Gather" in text and "Oberrhein Netz" in text
    answer_path = text.split('action="')[1].split('"')[0].removeprefix(rt.settings.base_url)
    assert "round=1" in answer_path
    # A key that means nothing is asked for once more, then the call ends.
    again = provider.post(answer_path, {"CallSid": "CA1", "Digits": "7"}).get_data(as_text=True)
    assert "<Gather" in again and "round=2" in again
    assert acknowledgement(rt, "N1").state is AckState.REQUESTED
    thanks = provider.post(answer_path, {"CallSid": "CA1", "Digits": "1"}).get_data(as_text=True)
    assert "<Gather" not in thanks and "<Hangup" in thanks
    signed = acknowledgement(rt, "N1")
    assert (signed.state, signed.way) == (AckState.ACKNOWLEDGED, AckWay.KEY_PRESS)
    assert delivery(rt, number).state is DeliveryState.DELIVERED


def test_a_machine_hears_the_notice_and_is_not_asked(provider: Provider, rt: Runtime) -> None:
    number = sent(rt, Channel.VOICE, "N1")
    path = f"/webhooks/twilio/voice/{token(rt, links.VOICE, number)}"
    text = provider.post(path, {"CallSid": "CA1", "AnsweredBy": "machine_start"}).get_data(as_text=True)
    assert "Oberrhein Netz" in text and "<Gather" not in text


def test_an_incoming_text_is_answered_with_nothing(provider: Provider, rt: Runtime) -> None:
    number = sent(rt, Channel.SMS)
    form = {"MessageSid": "SM-in-1", "From": delivery(rt, number).address, "Body": "1"}
    answer = provider.post("/webhooks/twilio/inbound", form)
    assert answer.status_code == 200
    assert answer.get_data(as_text=True).endswith("<Response></Response>")
    assert acknowledgement(rt).way is AckWay.REPLY
    assert provider.post("/webhooks/twilio/inbound", {"Body": "1"}).status_code == 400
