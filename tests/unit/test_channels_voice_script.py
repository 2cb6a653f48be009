"""The script of a call: language, order, rounds, long texts; and receipts that Twilio may send."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.model import FaultClass, Language, RenderedVoice, Report, ReportStatus
from channels.twilio_client import build_client
from channels.voice import LONGEST_SAY, TwilioVoice, goodbye_twiml, machine_twiml, notice_twiml, thanks_twiml

URL = "https://power.example.com/voice/answer?d=abc&r=1"
EN = RenderedVoice(Language.EN, "Power & light go off.", "Press 1.", "Thank you.", "Goodbye.")
ZH = RenderedVoice(Language.ZH, "停电通知。", "请按1。", "谢谢。", "再见。")


def verbs(script: str) -> list[str]:
    return [verb.tag for verb in ElementTree.fromstring(script)]


def said(script: str) -> list[str]:
    return [verb.text or "" for verb in ElementTree.fromstring(script).iter("Say")]


def test_the_notice_is_said_asked_repeated_and_ended() -> None:
    script = notice_twiml(EN, URL)
    assert verbs(script) == ["Say", "Gather", "Say", "Gather", "Say", "Hangup"]
    assert said(script) == [EN.text, EN.question] * 2 + [EN.goodbye]
    gather = ElementTree.fromstring(script).find("Gather")
    assert gather is not None
    assert (gather.get("numDigits"), gather.get("action"), gather.get("method")) == ("1", URL, "POST")


@pytest.mark.parametrize(("round", "questions"), [(1, 2), (2, 1), (3, 0), (9, 0)])
def test_rounds_come_to_an_end(round: int, questions: int) -> None:
    script = notice_twiml(EN, URL, round)
    assert verbs(script).count("Gather") == questions
    assert said(script)[-1] == EN.goodbye


@pytest.mark.parametrize(
    ("voice", "language", "speaker"), [(EN, "en-GB", "Polly.Amy"), (ZH, "cmn-CN", "Polly.Zhiyu")]
)
def test_each_language_has_its_voice(voice: RenderedVoice, language: str, speaker: str) -> None:
    for script in (
        notice_twiml(voice, URL),
        thanks_twiml(voice),
        machine_twiml(voice),
        goodbye_twiml(voice),
    ):
        spoken = list(ElementTree.fromstring(script).iter("Say"))
        assert {(one.get("language"), one.get("voice")) for one in spoken} == {(language, speaker)}


def test_short_scripts() -> None:
    assert said(thanks_twiml(EN)) == [EN.thanks]
    assert said(machine_twiml(EN)) == [EN.text]
    assert said(goodbye_twiml(EN)) == [EN.goodbye]
    assert verbs(thanks_twiml(EN)) == ["Say", "Hangup"]


PROSE = st.text(alphabet=st.sampled_from("停电 power.。,; \n<&>'\""), max_size=8000)


@given(PROSE)
def test_a_long_text_is_cut_but_nothing_is_left_out(text: str) -> None:
    script = machine_twiml(RenderedVoice(Language.ZH, text, "", "", ""))
    pieces = said(script)
    assert all(piece and len(piece) <= LONGEST_SAY for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def receipt(**form: str) -> Report | None:
    return TwilioVoice(build_client("AC1", "token"), "+441632960000").parse_receipt(
        {"CallSid": "CA1", **form}
    )


@pytest.mark.parametrize(
    ("form", "status", "fault"),
    [
        ({"CallStatus": "queued"}, ReportStatus.PENDING, FaultClass.NONE),
        ({"CallStatus": "ringing"}, ReportStatus.ACCEPTED, FaultClass.NONE),
        ({"CallStatus": "in-progress"}, ReportStatus.ACCEPTED, FaultClass.NONE),
        ({"CallStatus": "completed", "AnsweredBy": "human"}, ReportStatus.DELIVERED, FaultClass.NONE),
        ({"CallStatus": "completed", "AnsweredBy": "unknown"}, ReportStatus.DELIVERED, FaultClass.NONE),
        (
            {"CallStatus": "completed", "AnsweredBy": "machine_end_beep"},
            ReportStatus.FAILED,
            FaultClass.UNREACHED,
        ),
        ({"CallStatus": "completed", "AnsweredBy": "fax"}, ReportStatus.FAILED, FaultClass.UNREACHED),
        ({"CallStatus": "no-answer"}, ReportStatus.FAILED, FaultClass.UNREACHED),
        ({"CallStatus": "failed"}, ReportStatus.FAILED, FaultClass.UNREACHED),
        ({"CallStatus": "failed", "SipResponseCode": "404"}, ReportStatus.FAILED, FaultClass.BAD_ADDRESS),
        ({"CallStatus": "failed", "SipResponseCode": "503"}, ReportStatus.FAILED, FaultClass.UNREACHED),
        ({"CallStatus": "failed", "ErrorCode": "21211"}, ReportStatus.FAILED, FaultClass.BAD_ADDRESS),
    ],
)
def test_receipts(form: dict[str, str], status: ReportStatus, fault: FaultClass) -> None:
    report = receipt(**form)
    assert report is not None
    assert (report.provider_id, report.status, report.fault) == ("CA1", status, fault)
    assert report.raw["CallStatus"] == form["CallStatus"]


def test_what_is_no_receipt() -> None:
    assert receipt(CallStatus="dreaming") is None
    assert receipt() is None
    assert receipt(CallSid="", CallStatus="completed") is None
