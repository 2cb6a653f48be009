"""Calls through the real client: our own script, served by a web server, followed with pressed keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from channels.model import FaultClass, Language, OutcomeKind, RenderedVoice, Report, ReportStatus
from channels.twilio_signature import verify
from channels.voice import machine_twiml, notice_twiml, thanks_twiml
from fakes.simulation import OURS, TOKEN, Simulation, simulation

ADA = "+447700900101"
VOICE = RenderedVoice(Language.ZH, "您好,这里是供电公司。", "确认请按1。", "谢谢,已收到。", "再见。")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulation]:
    with simulation(tmp_path) as running:
        serve(running)
        yield running


def serve(world: Simulation) -> None:
    """The product's side of a call: the notice, and thanks for key 1."""
    answer_url = "/answer"

    def script(form: dict[str, str]) -> str:
        machine = form.get("AnsweredBy", "").startswith("machine")
        return machine_twiml(VOICE) if machine else notice_twiml(VOICE, answer_url)

    def answer(form: dict[str, str]) -> str:
        return thanks_twiml(VOICE) if form["Digits"] == "1" else notice_twiml(VOICE, answer_url, 2)

    world.hook.answers = {"/voice": script, "/answer": answer}


def reports(world: Simulation) -> list[Report]:
    found = [world.voice.parse_receipt(form) for form in world.hook.forms("/call-status")]
    assert None not in found
    return [one for one in found if one is not None]


def test_a_person_hears_the_notice_and_presses_one(world: Simulation) -> None:
    world.script({"to": ADA, "do": "press:1"})
    outcome = world.voice.send(world.call(ADA))
    assert outcome.kind is OutcomeKind.ACCEPTED
    [entry] = world.ledger()
    assert (entry["channel"], entry["to"], entry["digits"]) == ("voice", ADA, "1")
    assert entry["text"].splitlines() == [VOICE.text, VOICE.question, VOICE.thanks]
    assert entry["languages"] == ["cmn-CN"]
    [answered] = world.hook.forms("/answer")
    assert (answered["Digits"], answered["CallSid"], answered["To"]) == ("1", outcome.provider_id, ADA)
    assert [(one.status, one.answered_by) for one in reports(world)] == [
        (ReportStatus.ACCEPTED, ""),
        (ReportStatus.ACCEPTED, "human"),
        (ReportStatus.DELIVERED, "human"),
    ]


def test_without_a_key_the_whole_is_repeated_once(world: Simulation) -> None:
    world.voice.send(world.call(ADA))
    [entry] = world.ledger()
    assert entry["digits"] == "" and entry["questions"] == 2
    assert entry["text"].splitlines() == [VOICE.text, VOICE.question] * 2 + [VOICE.goodbye]
    assert world.hook.forms("/answer") == []


def test_the_key_can_come_at_the_repetition(world: Simulation) -> None:
    world.script({"do": "press:,1"})
    world.voice.send(world.call(ADA))
    [entry] = world.ledger()
    assert (entry["digits"], entry["questions"]) == ("1", 2)


def test_a_key_that_means_nothing_asks_once_more(world: Simulation) -> None:
    world.script({"do": "press:7,1"})
    world.voice.send(world.call(ADA))
    [entry] = world.ledger()
    assert entry["digits"] == "71"
    assert entry["text"].splitlines()[-1] == VOICE.thanks


def test_everything_about_a_call_is_signed(world: Simulation) -> None:
    world.script({"do": "press:1"})
    world.voice.send(world.call(ADA))
    world.ledger()
    paths = {path for path, _, _ in world.hook.posts}
    assert paths == {"/voice", "/answer", "/call-status"}
    assert all(verify(TOKEN, world.hook.url + path, form, seal) for path, form, seal in world.hook.posts)


@pytest.mark.parametrize(
    ("preset", "fault", "answered_by"),
    [
        ("busy", FaultClass.UNREACHED, ""),
        ("no_answer", FaultClass.UNREACHED, ""),
        ("machine", FaultClass.UNREACHED, "machine"),
        ({"outcome": "fax"}, FaultClass.UNREACHED, "machine"),
        ({"outcome": "canceled"}, FaultClass.UNREACHED, ""),
        ("dead_line", FaultClass.BAD_ADDRESS, ""),
        ({"outcome": "failed", "error_code": 13224}, FaultClass.BAD_ADDRESS, ""),
        ({"outcome": "failed", "error_code": 13227}, FaultClass.CONFIGURATION, ""),
    ],
)
def test_who_was_not_reached_is_not_in_the_ledger(
    world: Simulation, preset: object, fault: FaultClass, answered_by: str
) -> None:
    world.script({"to": ADA, "do": preset})
    sid = world.voice.send(world.call(ADA)).provider_id
    assert world.ledger() == []
    last = reports(world)[-1]
    assert (last.provider_id, last.status, last.fault, last.answered_by) == (
        sid,
        ReportStatus.FAILED,
        fault,
        answered_by,
    )
    fetched = world.voice.fetch(sid)
    assert fetched is not None and fetched.status is ReportStatus.FAILED


def test_a_machine_hears_the_notice_but_no_key_is_pressed(world: Simulation) -> None:
    world.script({"do": ["machine", "press:1"]})
    world.voice.send(world.call(ADA))
    assert world.ledger() == []
    assert [form["AnsweredBy"] for form in world.hook.forms("/voice")] == ["machine_start"]
    assert world.hook.forms("/answer") == []


def test_nobody_is_told_when_our_own_script_cannot_be_fetched(world: Simulation) -> None:
    world.hook.status = 500
    world.voice.send(world.call(ADA))
    assert world.ledger() == []
    assert world.simulator.health()["webhooks"]["failed"] > 0


def test_a_lost_call_is_found_by_time_and_what_is_known(world: Simulation) -> None:
    began = world.clock.time
    known = world.voice.send(world.call(ADA)).provider_id
    world.script({"do": ["lost_answer", "press:1"]})
    assert world.voice.send(world.call(ADA)).kind is OutcomeKind.UNKNOWN
    assert len(world.ledger()) == 2
    found = world.voice.find(world.call(ADA), began, frozenset({known}))
    assert found is not None and len(found) == 1 and found[0].status is ReportStatus.DELIVERED
    assert found[0].provider_id != known
    # Our clock may be minutes ahead of the provider's.
    assert world.voice.find(world.call(ADA), began + timedelta(minutes=4), frozenset({known})) == found
    assert world.voice.find(world.call(ADA), began + timedelta(minutes=6), frozenset({known})) == []


def test_a_call_needs_a_number_to_call_from(world: Simulation) -> None:
    service = type(world.voice)(world.voice._client, "MG" + "1" * 32)
    outcome = service.send(world.call(ADA))
    assert (outcome.kind, outcome.fault) == (OutcomeKind.REJECTED, FaultClass.CONFIGURATION)
    assert "TWILIO_VOICE_FROM" in service.check()
    assert world.voice.check() == ""


def test_a_person_writes_and_gets_an_answer(world: Simulation) -> None:
    world.sms.send(world.text(ADA))
    world.ledger()
    world.hook.answers["/inbound"] = lambda form: (
        f"<Response><Message>收到 {form['Body']}</Message></Response>"
    )
    answer = world.post("reply", {"from": ADA, "body": "1"})
    assert (answer["status"], answer["replies"]) == (200, ["收到 1"])
    [form] = world.hook.forms("/inbound")
    assert (form["From"], form["To"], form["Body"], form["NumSegments"]) == (ADA, OURS, "1", "1")
    assert [entry["text"] for entry in world.ledger()][-1] == "收到 1"


def test_who_writes_stop_gets_nothing_until_start(world: Simulation) -> None:
    world.post("reply", {"from": ADA, "to": OURS, "body": " stop "})
    world.simulator.stop()
    world.start()
    refused = world.sms.send(world.text(ADA))
    assert (refused.kind, refused.fault) == (OutcomeKind.REJECTED, FaultClass.OPTED_OUT)
    world.post("reply", {"from": ADA, "to": OURS, "body": "START"})
    assert world.sms.send(world.text(ADA)).kind is OutcomeKind.ACCEPTED


def test_a_person_calls_and_hears(world: Simulation) -> None:
    world.hook.answers["/inbound-call"] = lambda form: notice_twiml(VOICE, "/answer")
    answer = world.post("call", {"from": ADA, "to": OURS, "keys": ["1"]})
    assert answer["heard"] == [VOICE.text, VOICE.question, VOICE.thanks]
    [entry] = world.ledger()
    assert (entry["to"], entry["digits"]) == (ADA, "1")
    assert world.post("reply", {"from": "nobody", "body": "1"})["error"]
