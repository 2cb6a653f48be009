"""The simulated mail server: takes mail into mailboxes, or refuses and drops it as scripted."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from weakref import WeakKeyDictionary

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.simulator.ledger import Ledger
from channels.simulator.script import Behaviour, Script

log = logging.getLogger(__name__)

LARGEST_MAIL = 5_000_000


class Mailboxes:
    """What happens to each recipient and to the mail itself (hooks of aiosmtpd)."""

    def __init__(self, ledger: Ledger, script: Script, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._script = script
        self._now = now
        self.taken = 0
        # What was drawn for the recipients of a mail that is still being handed in.
        self._plans: WeakKeyDictionary[Envelope, list[Behaviour]] = WeakKeyDictionary()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """One recipient: taken, or refused for good (5xx) or for now (4xx)."""
        behaviour = self._script.draw("email", address)
        if behaviour.smtp == "reject":
            return f"{behaviour.smtp_code or 550} 5.1.1 No such mailbox (scripted)"
        if behaviour.smtp == "defer":
            return f"{behaviour.smtp_code or 450} 4.2.1 Try again later (scripted)"
        envelope.rcpt_tos.append(address)
        self._plans.setdefault(envelope, []).append(behaviour)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The mail: into each mailbox, then an answer or a dropped connection."""
        content = envelope.original_content or b""
        mail = message_from_bytes(content, policy=policy.default)
        behaviours = self._plans.pop(envelope, [])
        for address, behaviour in zip(envelope.rcpt_tos, behaviours, strict=True):
            if behaviour.smtp != "drop-untaken":
                self._put(mail, address)
        if behaviours and behaviours[0].answer_delay:
            await asyncio.sleep(behaviours[0].answer_delay)
        if any(one.smtp in ("drop", "drop-untaken") for one in behaviours):
            if isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
            return "421 Dropped"
        return "250 OK"

    def _put(self, mail: EmailMessage, address: str) -> None:
        body = mail.get_body(("plain", "html"))
        html = mail.get_body(("html",))
        # A mail without a Message-ID is told apart from every other one.
        message_id = str(mail["Message-ID"] or f"<none-{secrets.token_hex(8)}@simulator.invalid>").strip()
        self._ledger.mailed(
            address,
            message_id,
            self._now(),
            text=body.get_content() if body is not None else "",
            subject=str(mail["Subject"] or ""),
            html=html is not None,
            attachments=[part.get_filename() or "" for part in mail.iter_attachments()],
        )
        self.taken += 1


class MailServer:
    """aiosmtpd on a thread and an event loop of its own; port 0 takes a free one."""

    def __init__(self, mailboxes: Mailboxes, host: str, port: int, user: str, password: str) -> None:
        self._mailboxes = mailboxes
        self._address = (host, port)
        self._login = (user.encode(), password.encode())
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator-smtp", daemon=True)
        self.port = port

    def start(self) -> None:
        """Listen."""
        self._server = self._loop.run_until_complete(
            self._loop.create_server(self._protocol, *self._address, backlog=256)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread.start()

    def _protocol(self) -> SMTP:
        # Logging in is possible, without TLS since this is a simulator, but not asked for.
        return SMTP(
            self._mailboxes,
            hostname="simulator.invalid",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            decode_data=False,
            authenticator=self._authenticate,
            auth_require_tls=False,
            loop=self._loop,
        )

    def _authenticate(
        self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == self._login
        return AuthResult(success=right, handled=False)

    def stop(self) -> None:
        """Close the door and end the thread."""

        async def close() -> None:
            if self._server is not None:
                self._server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
