"""Mail through smtplib to the simulated server: what it looks like, and what each refusal means."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from channels.email import SmtpSender, SmtpServer
from channels.model import Channel, FaultClass, Language, Message, OutcomeKind, RenderedEmail
from fakes.simulation import ACCOUNT, TOKEN, Simulation, simulation

ADA = "ada@example.com"
ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nSUMMARY:停电\r\nEND:VCALENDAR\r\n"
ID = "<d7.K7Q2@example.com>"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulation]:
    with simulation(tmp_path) as running:
        yield running


def mail(to: str = ADA, subject: str = "计划停电 PO-2026-0417", message_id: str = ID) -> Message:
    content = RenderedEmail(subject, "正文\n.a line with a dot\n", "<p>正文</p>", ICS)
    return Message(7, Channel.EMAIL, to, "K7Q2", Language.ZH, email=content, message_id=message_id)


def composed(world: Simulation, message: Message) -> EmailMessage:
    return message_from_bytes(world.email.compose(message).as_bytes(), policy=policy.default)


def test_a_mail_arrives_with_text_html_and_calendar(world: Simulation) -> None:
    outcome = world.email.send(mail())
    assert (outcome.kind, outcome.provider_id) == (OutcomeKind.ACCEPTED, ID)
    [entry] = world.ledger()
    assert (entry["channel"], entry["to"], entry["subject"]) == ("email", ADA, "计划停电 PO-2026-0417")
    assert entry["text"].splitlines() == ["正文", ".a line with a dot"]
    assert entry["html"] is True and entry["attachments"] == ["outage.ics"]
    assert entry["provider_id"] == ID


def test_headers_and_parts(world: Simulation) -> None:
    parsed = composed(world, mail())
    assert parsed["Message-ID"] == ID
    assert parsed["From"] == "Power <notice@example.com>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(parsed["Date"]) == world.clock.time
    assert [part.get_content_type() for part in parsed.walk() if not part.is_multipart()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    [calendar] = parsed.iter_attachments()
    assert calendar.get_param("method") is None
    assert calendar.get_content().replace("\r\n", "\n") == ICS.replace("\r\n", "\n")
    assert world.email.compose(mail()).as_bytes().isascii()


def test_the_same_mail_again_is_one_mail_in_the_mailbox(world: Simulation) -> None:
    for _ in range(3):
        world.email.send(mail())
    world.email.send(mail(message_id="<other@example.com>"))
    assert [(entry["provider_id"], entry["times"]) for entry in world.ledger()] == [
        (ID, 3),
        ("<other@example.com>", 1),
    ]
    world.simulator.stop()
    world.start()
    assert [entry["times"] for entry in world.ledger()] == [3, 1]


@pytest.mark.parametrize(
    ("do", "kind", "fault", "reached"),
    [
        ("bad_mailbox", OutcomeKind.REJECTED, FaultClass.BAD_ADDRESS, 0),
        ({"smtp": "reject", "smtp_code": 554}, OutcomeKind.REJECTED, FaultClass.BAD_ADDRESS, 0),
        ("mailbox_later", OutcomeKind.LATER, FaultClass.TRANSIENT, 0),
        ("lost_mail_answer", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN, 1),
        ("dropped_mail", OutcomeKind.UNKNOWN, FaultClass.UNKNOWN, 0),
    ],
)
def test_each_refusal_has_its_outcome(
    world: Simulation, do: object, kind: OutcomeKind, fault: FaultClass, reached: int
) -> None:
    world.script({"channel": "email", "to": ADA, "do": do, "times": 1})
    outcome = world.email.send(mail())
    assert (outcome.kind, outcome.fault) == (kind, fault)
    assert ADA not in outcome.detail
    assert len(world.ledger()) == reached
    # In doubt or put off, the same mail goes again; either way there is one in the mailbox.
    assert world.email.repeatable
    assert world.email.send(mail()).kind is OutcomeKind.ACCEPTED
    assert len(world.ledger()) == 1


def test_a_slow_server_is_in_doubt(world: Simulation) -> None:
    world.script({"channel": "email", "do": {"answer_delay": 1.0}})
    hasty = SmtpSender(
        SmtpServer.parse(world.simulator.smtp_url), "notice@example.com", world.clock, timeout=0.2
    )
    assert hasty.send(mail()).kind is OutcomeKind.UNKNOWN


def test_a_refused_connection_took_nothing(world: Simulation) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = SmtpServer("127.0.0.1", unused.getsockname()[1])
        sender = SmtpSender(server, "notice@example.com", world.clock, timeout=2)
        assert sender.send(mail()).kind is OutcomeKind.LATER
        assert "SMTP_URL" in sender.check()


def test_a_server_that_hangs_up_before_the_mail_took_nothing(world: Simulation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.sendall(b"220 hello\r\n")
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        server = SmtpServer("127.0.0.1", listening.getsockname()[1])
        outcome = SmtpSender(server, "notice@example.com", world.clock, timeout=2).send(mail())
        thread.join()
    assert outcome.kind is OutcomeKind.LATER


def test_logging_in(world: Simulation) -> None:
    host = world.simulator.smtp_url.removeprefix("smtp://")
    right = SmtpSender(
        SmtpServer.parse(f"smtp://{ACCOUNT}:{TOKEN}@{host}"), "notice@example.com", world.clock, timeout=5
    )
    assert right.check() == ""
    assert right.send(mail()).kind is OutcomeKind.ACCEPTED
    wrong = SmtpSender(
        SmtpServer.parse(f"smtp://{ACCOUNT}:no@{host}"), "notice@example.com", world.clock, timeout=5
    )
    outcome = wrong.send(mail())
    assert (outcome.kind, outcome.fault) == (OutcomeKind.REJECTED, FaultClass.CONFIGURATION)
    assert "password" in wrong.check()
    tls = SmtpSender(
        SmtpServer.parse(f"smtp://{host}?starttls=1"), "notice@example.com", world.clock, timeout=5
    )
    outcome = tls.send(mail())
    assert (outcome.kind, outcome.fault) == (OutcomeKind.LATER, FaultClass.CONFIGURATION)


@pytest.mark.parametrize(
    "subject", ["Off\r\nBcc: eve@example.com", "Off\nBcc: eve@example.com", "Off\x0bBcc: e", "a\u2028b"]
)
def test_a_subject_cannot_add_headers(world: Simulation, subject: str) -> None:
    assert world.email.send(mail(subject=subject)).kind is OutcomeKind.ACCEPTED
    parsed = composed(world, mail(subject=subject))
    assert parsed["Bcc"] is None and parsed["Subject"] == " ".join(subject.split())
    assert [entry["to"] for entry in world.ledger()] == [ADA]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com\r\nRCPT TO:<eve@example.com>",
        "ada@example.com,eve@example.com",
        "ada@example.com eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com\nBcc: eve@example.com",
        "ada@@example.com",
    ],
)
def test_what_is_not_one_address_is_refused_without_asking(world: Simulation, address: str) -> None:
    outcome = world.email.send(mail(to=address))
    assert (outcome.kind, outcome.fault) == (OutcomeKind.REJECTED, FaultClass.BAD_ADDRESS)
    assert world.ledger() == []


def test_an_international_address_is_reached(world: Simulation) -> None:
    assert world.email.send(mail(to="李@example.com")).kind is OutcomeKind.ACCEPTED
    assert world.email.send(mail(to="ada@例子.example")).kind is OutcomeKind.ACCEPTED
    assert [entry["to"] for entry in world.ledger()] == ["李@example.com", "ada@xn--fsqu00a.example"]


def test_a_message_id_that_is_none_is_replaced_by_a_stable_one(world: Simulation) -> None:
    made = {
        world.email.send(mail(message_id=given)).provider_id for given in ("", "x", "<a@b>\r\nBcc: e@f.g")
    }
    assert made == {"<delivery-7@example.com>"}


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 25)),
        ("smtps://mail.example.com", SmtpServer("mail.example.com", 465, tls=True)),
        ("smtp://u%40v:p%2Fw@h?starttls=1", SmtpServer("h", 587, "u@v", "p/w", starttls=True)),
        ("smtp://h:2525?starttls=0", SmtpServer("h", 2525)),
    ],
)
def test_smtp_urls(url: str, server: SmtpServer) -> None:
    assert SmtpServer.parse(url) == server


@pytest.mark.parametrize("url", ["", "http://h", "smtp://", "mail.example.com:25", "smtp://h?tls=1"])
def test_a_wrong_smtp_url_names_the_setting_and_keeps_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        SmtpServer.parse(url)
    with pytest.raises(ValueError, match="SMTP_URL") as refused:
        SmtpServer.parse("http://user:secret@host")
    assert "secret" not in str(refused.value)
