"""What each kind of broken answer means: was the message taken, surely not, or perhaps?

A server of plain sockets gives answers that no orderly web server would give.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from twilio.rest.api.v2010.account.message import MessageInstance

from channels.model import Channel, FaultClass, Language, Message, Outcome, OutcomeKind
from channels.sms import TwilioSms
from channels.twilio_client import MOST_ASKED, PAGE, InDoubt, build_client, recent

ADA = "+447700900101"
MESSAGE = Message(1, Channel.SMS, ADA, "K7Q2", Language.EN, text="The text. K7Q2", callback_url="https://c/")
START = datetime(2026, 4, 17, 9, tzinfo=UTC)
JSON = "Content-Type: application/json\r\n"


@contextmanager
def answering(raw: bytes, asked: list[bytes] | None = None) -> Iterator[str]:
    """A base address where one connection gets exactly these bytes, then is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                request = connection.recv(65_536)
                if asked is not None:
                    asked.append(request)
                connection.sendall(raw)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def http(status: str, body: str = "", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


def send(base: str, **more: float) -> Outcome:
    return TwilioSms(build_client("AC1", "token", api_base=base, **more), "+441632960000").send(MESSAGE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "kind", "fault"),
    [
        (http("201 Created", '{"sid": "SM1"}', JSON), OutcomeKind.ACCEPTED, FaultClass.NONE),
        (http("201 Created", "{}", JSON), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("201 Created", "[]", JSON), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("200 OK", "<html>", ""), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("204 No Content"), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (b"", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (b"soup\r\n\r\n", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("500 Oops", '{"code": 20500}', JSON), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("502 Bad Gateway", "<html>"), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("503 Later", "", "Retry-After: 3\r\n"), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("408 Slow"), OutcomeKind.UNKNOWN, FaultClass.UNKNOWN),
        (http("301 Moved", "", "Location: https://x/\r\n"), OutcomeKind.LATER, FaultClass.CONFIGURATION),
        (http("401 No", "<html>"), OutcomeKind.REJECTED, FaultClass.CONFIGURATION),
        (http("404 No", "<html>"), OutcomeKind.REJECTED, FaultClass.CONFIGURATION),
        (
            http("400 No", '{"code": 21211, "message": "x"}', JSON),
            OutcomeKind.REJECTED,
            FaultClass.BAD_ADDRESS,
        ),
        (http("400 No", '{"code": 99999}', JSON), OutcomeKind.REJECTED, FaultClass.UNKNOWN),
        (
            http("400 No", '{"type": "t", "title": "t", "status": 400, "code": 21610}', JSON),
            OutcomeKind.REJECTED,
            FaultClass.OPTED_OUT,
        ),
        (http("429 Slow down"), OutcomeKind.LATER, FaultClass.TRANSIENT),
    ],
)
def test_answers(raw: bytes, kind: OutcomeKind, fault: FaultClass) -> None:
    with answering(raw) as base:
        outcome = send(base)
    assert (outcome.kind, outcome.fault) == (kind, fault)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Retry-After: 12\r\n", 12.0),
        ("Retry-After: 0.5\r\n", 0.5),
        ("Retry-After: -3\r\n", 0.0),
        ("", None),
        ("Retry-After: soon\r\n", None),
        (
            "Date: Fri, 17 Apr 2026 09:00:00 GMT\r\nRetry-After: Fri, 17 Apr 2026 09:01:30 GMT\r\n",
            90.0,
        ),
    ],
)
def test_retry_after(headers: str, seconds: float | None) -> None:
    with answering(http("429 Slow down", "", headers)) as base:
        assert send(base).retry_after == seconds


def test_a_refused_connection_and_an_unknown_host_took_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert send(f"http://127.0.0.1:{unused.getsockname()[1]}").kind is OutcomeKind.LATER
    assert send("http://no-such-host.invalid").kind is OutcomeKind.LATER


def test_silence_is_in_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        outcome = send(f"http://127.0.0.1:{listening.getsockname()[1]}", read_timeout=0.1)
    assert outcome.kind is OutcomeKind.UNKNOWN


def test_the_base_address_may_have_a_path() -> None:
    asked: list[bytes] = []
    with answering(http("201 Created", '{"sid": "SM1"}', JSON), asked) as base:
        send(f"{base}/twilio/")
    assert asked[0].startswith(b"POST /twilio/2010-04-01/Accounts/AC1/Messages.json HTTP/1.1\r\n")


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TWILIO_REGION": "ie1",
        "TWILIO_EDGE": "dublin",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    with answering(http("201 Created", '{"sid": "SM1"}', JSON)) as base:
        assert send(base).provider_id == "SM1"


def test_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), answering(http("400 No", '{"code": 21211}', JSON)) as base:
        outcome = send(base)
    found: list[bytes] = []
    with caplog.at_level(logging.DEBUG), answering(http("200 OK", '{"messages": []}', JSON), found) as base:
        client = build_client("AC1", "token", api_base=base)
        assert TwilioSms(client, "+441632960000").find(MESSAGE, START, frozenset()) == []
    assert b"To=%2B447700900101" in found[0]
    everything = caplog.text + outcome.detail
    assert "7700900101" not in everything and "The text" not in everything


@pytest.mark.parametrize("base", ["api.twilio.com", "ftp://api.twilio.com", "https://"])
def test_a_base_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="base address"):
        build_client("AC1", "token", api_base=base)


def record(minutes: float, direction: str = "outbound-api") -> MessageInstance:
    created = format_datetime(START + timedelta(minutes=minutes))
    payload = {"sid": "SM1", "date_created": created, "direction": direction}
    return MessageInstance(None, payload, "AC1")  # type: ignore[arg-type]


def test_recent_records_are_ours_and_young_enough() -> None:
    shown = [record(2), record(1, "inbound"), record(0), record(-1), record(0.5)]
    assert list(recent(shown, START)) == [shown[0], shown[2], shown[4]]


def test_a_waiting_record_sorted_behind_older_ones_is_still_seen() -> None:
    shown = [*(record(-90_000) for _ in range(PAGE - 1)), record(1)]
    assert list(recent(shown, START)) == shown[-1:]


def test_old_pages_are_not_asked_for() -> None:
    asked = 0

    def pages() -> Iterator[MessageInstance]:
        nonlocal asked
        while True:
            asked += 1
            yield record(-90_000)

    assert list(recent(pages(), START)) == []
    assert asked == PAGE + 1


def test_too_many_records_are_no_answer() -> None:
    with pytest.raises(InDoubt):
        list(recent((record(1) for _ in range(MOST_ASKED + 1)), START))


def test_without_a_reference_nothing_can_be_found() -> None:
    sms = TwilioSms(build_client("AC1", "token", api_base="http://127.0.0.1:9"), "+441632960000")
    assert sms.find(replace(MESSAGE, reference=""), START, frozenset()) is None
