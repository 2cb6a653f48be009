"""A mail server that keeps every mail whole, for tests that read what is inside."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.process import free_port


class MailCatcher:
    """Takes all mail on a free port of loopback; `url` is for SMTP_URL."""

    def __init__(self) -> None:
        self._mails: list[tuple[str, EmailMessage]] = []
        port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)
        self._mails += [(to, mail) for to in envelope.rcpt_tos]
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """What this mailbox got, in order."""
        return [mail for to, mail in self._mails if to == address]

    def close(self) -> None:
        self._controller.stop()
