"""Texts through the real Twilio client against the simulator: each answer, each fault, found again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from channels.model import FaultClass, OutcomeKind, ReportStatus
from channels.sms import TwilioSms
from channels.twilio_client import build_client
from channels.twilio_signature import verify
from fakes.simulation import ACCOUNT, OURS, TOKEN, Simulation, simulation

ADA = "+447700900101"
BOB = "+447700900102"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulation]:
    with simulation(tmp_path) as running:
        yield running


def test_a_text_is_taken_delivered_and_reported(world: Simulation) -> None:
    outcome = world.sms.send(world.text(ADA))
    assert outcome.kind is OutcomeKind.ACCEPTED
    [entry] = world.ledger()
    assert (entry["to"], entry["text"], entry["provider_id"]) == (
        ADA,
        "Power off on Friday. Ref K7Q2.",
        outcome.provider_id,
    )
    reports = [world.sms.parse_receipt(form) for form in world.hook.forms("/status")]
    assert [one.status for one in reports if one] == [ReportStatus.ACCEPTED, ReportStatus.DELIVERED]
    assert {one.provider_id for one in reports if one} == {outcome.provider_id}


def test_callbacks_are_signed_for_the_url_with_its_query(world: Simulation) -> None:
    world.sms.send(world.text(ADA))
    world.ledger()
    for path, form, signature in world.hook.posts:
        assert verify(TOKEN, world.hook.url + path, form, signature)
        assert not verify(TOKEN, world.hook.url + path, {**form, "MessageStatus": "failed"}, signature)
        assert not verify("another token", world.hook.url + path, form, signature)
    assert world.hook.posts


def test_the_same_text_twice_reaches_twice(world: Simulation) -> None:
    world.sms.send(world.text(ADA))
    world.sms.send(world.text(ADA))
    assert len(world.ledger()) == 2


@pytest.mark.parametrize(
    ("preset", "kind", "fault", "reached"),
    [
        ("invalid_number", OutcomeKind.REJECTED, FaultClass.BAD_ADDRESS, 0),
        ("opted_out", OutcomeKind.REJECTED, FaultClass.OPTED_OUT, 0),
        ({"api": "reject", "code": 21408}, OutcomeKind.REJECTED, FaultClass.CONFIGURATION, 0),
        ({"api": "reject", "code": 21611}, OutcomeKind.LATER, FaultClass.TRANSIENT, 0),
        ("rate_limited", OutcomeKind.LATER, FaultClass.TRANSIENT, 0),
        ("server_error", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN, 0),
        ("server_error_taken", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN, 1),
        ("lost_answer", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN, 1),
        ("dropped", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN, 0),
        ("garbage", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN, 1),
    ],
)
def test_each_answer_has_its_outcome(
    world: Simulation, preset: object, kind: OutcomeKind, fault: FaultClass, reached: int
) -> None:
    world.script({"to": ADA, "do": preset})
    message = world.text(ADA)
    outcome = world.sms.send(message)
    assert (outcome.kind, outcome.fault) == (kind, fault)
    assert ADA not in outcome.detail and ADA[1:] not in outcome.detail
    assert len(world.ledger()) == reached
    found = world.sms.find(message, world.clock.time, frozenset())
    assert found is not None and len(found) == reached


def test_a_rate_limit_says_how_long_to_wait(world: Simulation) -> None:
    world.script({"do": {"api": "429", "retry_after": 7}, "times": 1})
    assert world.sms.send(world.text(ADA)).retry_after == 7.0
    assert world.sms.send(world.text(ADA)).kind is OutcomeKind.ACCEPTED


def test_an_answer_slower_than_the_time_out_is_in_doubt_and_can_be_found(world: Simulation) -> None:
    world.script({"do": {"answer_delay": 0.6}})
    hasty = TwilioSms(build_client(ACCOUNT, TOKEN, api_base=world.simulator.url, read_timeout=0.2), OURS)
    message = world.text(ADA)
    assert hasty.send(message).kind is OutcomeKind.UNKNOWN
    found = world.sms.find(message, world.clock.time, frozenset())
    assert found is not None and len(found) == 1


def test_a_refused_connection_took_nothing(world: Simulation) -> None:
    world.simulator.stop()
    try:
        outcome = world.sms.send(world.text(ADA))
        assert outcome.kind is OutcomeKind.LATER
        assert world.sms.find(world.text(ADA), world.clock.time, frozenset()) is None
        assert world.sms.fetch("SM1") is None
        assert "TWILIO_API_BASE" in world.sms.check()
    finally:
        world.start()


def test_find_knows_its_own_reference_only(world: Simulation) -> None:
    began = world.clock.time
    own = world.sms.send(world.text(ADA, "K7Q2")).provider_id
    world.sms.send(world.text(ADA, "K7Q23"))
    world.sms.send(world.text(BOB, "K7Q2"))
    message = world.text(ADA, "K7Q2")
    found = world.sms.find(message, began, frozenset())
    assert found is not None and [one.provider_id for one in found] == [own]
    assert world.sms.find(message, began, frozenset({own})) == []
    # Not even a clock that is hours ahead of Twilio's hides a text that was taken.
    assert world.sms.find(message, began + timedelta(hours=9), frozenset()) == found
    assert world.sms.find(message, began + timedelta(days=2), frozenset()) == []


def test_find_sees_what_is_still_queued_and_unsent(world: Simulation) -> None:
    world.script({"do": "stuck"})
    message = world.text(ADA)
    sid = world.sms.send(message).provider_id
    found = world.sms.find(message, world.clock.time, frozenset())
    assert found is not None and [one.provider_id for one in found] == [sid]


def test_a_lagging_list_hides_the_text_for_a_while(world: Simulation) -> None:
    world.script({"do": ["lost_answer", "lagging_list"]})
    message, began = world.text(ADA), world.clock.time
    world.sms.send(message)
    assert world.sms.find(message, began, frozenset()) == []
    world.clock.turn(61)
    found = world.sms.find(message, began, frozenset())
    assert found is not None and len(found) == 1


def test_a_dead_number_fails_afterwards(world: Simulation) -> None:
    world.script({"to": ADA, "do": "dead_number"})
    sid = world.sms.send(world.text(ADA)).provider_id
    assert world.ledger() == []
    report = world.sms.fetch(sid)
    assert report is not None
    assert (report.status, report.code, report.fault) == (
        ReportStatus.FAILED,
        "30005",
        FaultClass.BAD_ADDRESS,
    )
    last = world.sms.parse_receipt(world.hook.forms("/status")[-1])
    assert last is not None and (last.status, last.fault) == (ReportStatus.FAILED, FaultClass.BAD_ADDRESS)


def test_a_text_expires_when_its_time_is_over(world: Simulation) -> None:
    world.script({"do": {"delay": 3600}})
    sid = world.sms.send(world.text(ADA, valid_for=600)).provider_id
    assert world.simulator.settle()
    world.clock.turn(3600)
    report = None
    while report is None or report.status is ReportStatus.ACCEPTED:
        report = world.sms.fetch(sid)
    assert (report.status, report.code) == (ReportStatus.FAILED, "30036")
    assert world.ledger() == []


@pytest.mark.parametrize("valid_for", [-5, 0, 1, 36_000, 1_000_000])
def test_validity_is_kept_within_twilios_limits(world: Simulation, valid_for: int) -> None:
    assert world.sms.send(world.text(ADA, valid_for=valid_for)).kind is OutcomeKind.ACCEPTED


def test_a_messaging_service_sends_and_is_found(world: Simulation) -> None:
    service = TwilioSms(build_client(ACCOUNT, TOKEN, api_base=world.simulator.url), "MG" + "1" * 32)
    message = world.text(ADA)
    sid = service.send(message).provider_id
    found = service.find(message, world.clock.time, frozenset())
    assert found is not None and [one.provider_id for one in found] == [sid]


def test_wrong_credentials_are_ours_to_mend(world: Simulation) -> None:
    stranger = TwilioSms(build_client(ACCOUNT, "wrong", api_base=world.simulator.url), OURS)
    outcome = stranger.send(world.text(ADA))
    assert (outcome.kind, outcome.code, outcome.fault) == (
        OutcomeKind.REJECTED,
        "20003",
        FaultClass.CONFIGURATION,
    )
    assert "TWILIO_AUTH_TOKEN" in stranger.check()
    assert world.sms.check() == ""


def test_a_text_that_comes_in_is_not_a_receipt(world: Simulation) -> None:
    assert world.sms.parse_receipt({"MessageSid": "SM1", "SmsStatus": "received", "Body": "1"}) is None
    assert world.sms.parse_receipt({}) is None
