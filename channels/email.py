"""E-mail by SMTP: text, HTML and the calendar entry in one message.

Promises: one connection per mail, each step under the time-out, no exception for what
the server does. A mail that may have been taken can be sent again unharmed, since it
carries the same Message-ID (`repeatable`); SMTP cannot be asked afterwards, so `find`
and `fetch` know nothing. Bounces that come as mail are left to whoever reads them.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError, MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from channels.model import Channel, FaultClass, Message, Outcome, OutcomeKind, Report, Sighting

PORTS = {"smtp": 25, "smtps": 465}
MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
ENHANCED = re.compile(r"\s*([45])\.(\d{1,3})\.(\d{1,3})\b")
MAILBOX_FULL = (2, 2)
# Texts are encoded to seven bits, so that no server on the way has to change them.
SEVEN_BIT = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class SmtpServer:
    """Where and how to hand in mail, from an `SMTP_URL`."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False  # from the first byte
    starttls: bool = False

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """`smtp://user:pass@host:587?starttls=1`, `smtps://host`. Raises ValueError with the remedy."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            # The URL itself is not repeated: it may hold a password.
            raise ValueError(
                "SMTP_URL must look like smtp://user:password@host:587?starttls=1 or smtps://host."
            )
        options = parse_qs(parts.query)
        if unknown := set(options) - {"starttls"}:
            raise ValueError(f"SMTP_URL has no option {min(unknown)!r}; it has starttls=1.")
        starttls = options.get("starttls", ["0"])[0].lower() in ("1", "true", "yes")
        return cls(
            host=parts.hostname,
            port=parts.port or (587 if starttls else PORTS[parts.scheme]),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=parts.scheme == "smtps",
            starttls=starttls,
        )


class _Stage:
    """How far a mail has come, which decides what a broken connection means."""

    CONNECT, LOGIN, SENDER, RECIPIENT, DATA = range(5)


class SmtpSender:
    """Hands mail to one SMTP server."""

    channel = Channel.EMAIL
    repeatable = True

    def __init__(
        self,
        server: SmtpServer,
        mail_from: str,
        now: Callable[[], datetime],
        timeout: float = 20.0,
        suffix: str = "",
    ) -> None:
        """`mail_from` is `Name <address>`. Raises ValueError if it is no address."""
        self.name = f"smtp{suffix}"
        name, bare = parseaddr(mail_from)
        address = _address(bare)
        self._from = Address(_one_line(name), address.username, address.domain)
        self._server = server
        self._now = now
        self._timeout = timeout

    def send(self, message: Message) -> Outcome:
        """Hand one mail over. Called twice, the mailbox sees one mail, if it heeds Message-IDs."""
        try:
            to = _address(message.to).addr_spec
        except ValueError:
            return _rejected(FaultClass.BAD_ADDRESS, "501", "the address is not an e-mail address")
        mail = self.compose(message)
        stage = _Stage.CONNECT
        session: smtplib.SMTP | None = None
        try:
            session = self._connect()
            stage = _Stage.LOGIN
            self._log_in(session)
            stage = _Stage.SENDER
            international = not to.isascii() or not self._from.addr_spec.isascii()
            options = ["SMTPUTF8"] if international else []
            if international and not session.has_extn("smtputf8"):
                return _rejected(FaultClass.BAD_ADDRESS, "553", "the server takes no international addresses")
            _expect(session.mail(self._from.addr_spec, options))
            stage = _Stage.RECIPIENT
            _expect(session.rcpt(to))
            stage = _Stage.DATA
            policy = SEVEN_BIT.clone(utf8=True) if international else SEVEN_BIT
            _expect(session.data(mail.as_bytes(policy=policy)))
        except smtplib.SMTPResponseException as error:
            return _answered(stage, error.smtp_code, error.smtp_error)
        except ssl.SSLError:
            return _later(stage, FaultClass.CONFIGURATION, "the server's certificate or TLS is not usable")
        except smtplib.SMTPNotSupportedError:
            return _later(stage, FaultClass.CONFIGURATION, "the server lacks what SMTP_URL asks for")
        except (smtplib.SMTPException, OSError) as error:
            return _later(stage, FaultClass.TRANSIENT, f"no answer ({type(error).__name__})")
        finally:
            if session is not None:
                _hang_up(session)
        return Outcome(OutcomeKind.ACCEPTED, provider_id=str(mail["Message-ID"]))

    def compose(self, message: Message) -> EmailMessage:
        """The mail as it goes out. Line breaks in headers become spaces: a subject cannot add headers."""
        mail = EmailMessage(policy=SEVEN_BIT)
        mail["From"] = self._from
        mail["To"] = _address(message.to)
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = self._message_id(message)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["Content-Language"] = message.language.value
        if message.unsubscribe_url:
            # One tap in the mail program (RFC 8058).
            mail["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        content = message.email
        if content is None:
            mail["Subject"] = _one_line(message.reference)
            mail.set_content(message.text)
            return mail
        mail["Subject"] = _one_line(content.subject)
        mail.set_content(content.text)
        if content.html:
            mail.add_alternative(content.html, subtype="html")
        if content.ics and content.method:
            # Beside text and HTML, where clients look for an invitation (RFC 6047).
            more = {"method": content.method, "component": "VEVENT"}
            mail.add_alternative(content.ics, subtype="calendar", params=more)
        elif content.ics:
            # No METHOD: the entry is offered for saving, it is not an invitation to answer.
            mail.add_attachment(content.ics, subtype="calendar", filename="outage.ics")
        return mail

    def _message_id(self, message: Message) -> str:
        if MESSAGE_ID.fullmatch(message.message_id):
            return message.message_id
        return f"<delivery-{message.delivery}@{self._from.domain}>"

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        # Our name in the greeting is the sender's domain; asking the machine for its own can hang in DNS.
        name = self._from.domain if self._from.domain.isascii() else "localhost"
        if server.tls:
            return smtplib.SMTP_SSL(
                server.host,
                server.port,
                local_hostname=name,
                timeout=self._timeout,
                context=ssl.create_default_context(),
            )
        return smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=self._timeout)

    def _log_in(self, session: smtplib.SMTP) -> None:
        if self._server.starttls:
            session.ehlo_or_helo_if_needed()
            session.starttls(context=ssl.create_default_context())
        session.ehlo_or_helo_if_needed()
        if self._server.user:
            session.login(self._server.user, self._server.password)

    def find(self, message: Message, began: datetime, known_ids: frozenset[str]) -> list[Sighting] | None:
        """SMTP cannot be asked; a doubtful mail is simply sent again."""
        return None

    def fetch(self, provider_id: str) -> Report | None:
        """SMTP cannot be asked."""
        return None

    def parse_receipt(self, form: Mapping[str, str]) -> Report | None:
        """SMTP posts no forms."""
        return None

    def check(self) -> str:
        """For `doctor`: whether the server takes a connection and our credentials."""
        try:
            session = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            return f"The mail server cannot be reached ({type(error).__name__}). Check SMTP_URL."
        try:
            self._log_in(session)
        except smtplib.SMTPAuthenticationError:
            return "The mail server refuses user or password. Check SMTP_URL."
        except (smtplib.SMTPException, OSError) as error:
            return f"The mail server does not log us in ({type(error).__name__}). Check SMTP_URL."
        finally:
            _hang_up(session)
        return ""


def _expect(reply: tuple[int, bytes]) -> None:
    if not 200 <= reply[0] < 300:
        raise smtplib.SMTPResponseException(*reply)


def _answered(stage: int, code: int, text: bytes | str) -> Outcome:
    """A reply of the server: nothing was taken. 4xx passes, 5xx stays; the stage tells whose fault it is."""
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    found = ENHANCED.match(words)
    subject, detail = (int(found[2]), int(found[3])) if found else (0, 0)
    if 400 <= code < 500:
        return Outcome(
            OutcomeKind.LATER, code=str(code), fault=FaultClass.TRANSIENT, detail=f"SMTP {code}, for now"
        )
    if code < 500:
        # -1 is smtplib's word for a reply that was none; anything else is no answer to what we said.
        return _later(stage, FaultClass.UNKNOWN, f"SMTP {code}")
    if stage == _Stage.CONNECT:
        return _later(stage, FaultClass.TRANSIENT, f"SMTP {code}: the server takes no mail now")
    if stage in (_Stage.LOGIN, _Stage.SENDER) or subject == 7:
        return _rejected(FaultClass.CONFIGURATION, str(code), f"SMTP {code}: the server does not accept us")
    if stage == _Stage.RECIPIENT:
        if (subject, detail) == MAILBOX_FULL:
            return _rejected(FaultClass.TRANSIENT, str(code), f"SMTP {code}: the mailbox is full")
        return _rejected(FaultClass.BAD_ADDRESS, str(code), f"SMTP {code}: no such mailbox")
    return _rejected(FaultClass.UNKNOWN, str(code), f"SMTP {code}: the mail was refused")


def _rejected(fault: FaultClass, code: str, detail: str) -> Outcome:
    return Outcome(OutcomeKind.REJECTED, code=code, fault=fault, detail=detail)


def _later(stage: int, fault: FaultClass, detail: str) -> Outcome:
    """A broken connection: before the mail was handed over nothing was taken, afterwards nobody knows."""
    if stage == _Stage.DATA:
        return Outcome(OutcomeKind.UNKNOWN, fault=FaultClass.UNKNOWN, detail=detail)
    return Outcome(OutcomeKind.LATER, fault=fault, detail=detail)


def _hang_up(session: smtplib.SMTP) -> None:
    """Part politely where possible; the outcome stands already."""
    try:
        session.quit()
    except (smtplib.SMTPException, OSError):
        session.close()


def _one_line(text: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def _address(text: str) -> Address:
    """One bare address, or ValueError: no list, no name, no control characters.

    An international domain becomes its ASCII form; an international local part stays.
    """
    local, _, domain = text.rpartition("@")
    if not local or not domain or not text.isprintable() or any(mark in text for mark in ' ,;:<>()[]"\\'):
        raise ValueError("This is not one e-mail address.")
    try:
        host = domain if domain.isascii() else domain.encode("idna").decode()
        if local.isascii():
            return Address(addr_spec=f"{local}@{host}")
    except (HeaderParseError, MessageError, ValueError, IndexError) as error:
        raise ValueError("This is not an e-mail address.") from error
    if "@" in local:
        raise ValueError("This is not one e-mail address.")
    return Address(username=local, domain=host)
