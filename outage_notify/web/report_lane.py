"""The fast lane of status reports: a genuine one is stored before sessions, languages and forms are set up.

A wave of a hundred thousand texts is followed by two or three times as many reports. Promises: what is answered
here is signed, is a usual form and carries a token of ours; it is stored when the answer goes out. All else goes on to
the application with its body unread, where it is refused or counted against the limits as ever. What carries the
provider's signature is never turned away for coming too fast.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl

import structlog

from channels import twilio_signature
from channels.model import Channel
from channels.signing import BadToken, open_token
from outage_notify.services import links
from outage_notify.services.report_intake import Intake, Told
from outage_notify.services.runtime import Runtime

log = structlog.get_logger()

Wsgi = Callable[..., Iterable[bytes]]
BEFORE = "/webhooks/twilio/status/"
_FORM = "application/x-www-form-urlencoded"
_LARGEST = 16 * 1024
_SIGNATURE = "HTTP_" + twilio_signature.HEADER.upper().replace("-", "_")
UNKNOWN = b"No delivery is known by this address; the report was kept.\n"


class ReportLane:
    """WSGI middleware around the whole application. `fixed`: the headers that every answer of it has."""

    def __init__(
        self, application: Wsgi, rt: Runtime, intake: Intake, fixed: Sequence[tuple[str, str]]
    ) -> None:
        self.application = application
        self._rt, self._intake = rt, intake
        settings = rt.settings
        self._accounts = [
            one for one in (settings.twilio_auth_token, settings.second_twilio_auth_token) if one
        ]
        self._headers = [*fixed, ("Cache-Control", "no-store")]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("REQUEST_METHOD") == "POST" and environ.get("PATH_INFO", "").startswith(BEFORE):
            told = self._told(environ)
            held = None if told is None else self._take(told)
            if held:
                start_response("204 NO CONTENT", self._headers)
                return []
            if held is False:
                plain = [
                    ("Content-Type", "text/plain; charset=utf-8"),
                    ("Content-Length", str(len(UNKNOWN))),
                ]
                start_response("404 NOT FOUND", [*self._headers, *plain])
                return [UNKNOWN]
        return self.application(environ, start_response)

    def _take(self, told: Told) -> bool | None:
        """Whether its token held; None: it could not be stored."""
        try:
            return self._intake.take(told)
        except Exception as error:
            # The application tries once more, and answers for a failure as it does everywhere.
            log.warning("a report could not be stored at once", error=type(error).__name__)
            return None

    def _told(self, environ: dict[str, Any]) -> Told | None:
        """The report, if it is genuine and nothing about it is unusual."""
        length = environ.get("CONTENT_LENGTH") or ""
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != _FORM:
            return None
        if environ.get("QUERY_STRING") or not length.isdecimal() or not 0 < int(length) <= _LARGEST:
            return None
        body = environ["wsgi.input"].read(int(length))
        # The application reads it again where this lane is not the right one.
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            pairs = parse_qsl(
                body.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict"
            )
        except ValueError:
            return None
        form = dict(pairs)
        if len(form) != len(pairs):
            return None
        path = environ["PATH_INFO"]
        url, signature = self._rt.settings.base_url + path, environ.get(_SIGNATURE, "")
        if not any(twilio_signature.verify(one, url, form, signature) for one in self._accounts):
            return None
        try:
            delivery, expires = open_token(self._rt.link_keys, links.CALLBACK, path.removeprefix(BEFORE))
        except BadToken:
            return None
        return Told(channel_of(form), delivery, form, expires)


def channel_of(form: dict[str, str]) -> Channel:
    """What a status report of Twilio's is about."""
    return Channel.VOICE if "CallSid" in form else Channel.SMS
