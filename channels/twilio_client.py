"""The one place that builds a Twilio client, and the one place that says what its failures mean.

Promises: base address replaceable, explicit time-outs, one kept-alive session that many
threads may share, no retries (sending is not idempotent at Twilio), nothing logged
(requests hold numbers and texts). Each failure is sorted by one question: can the
message have been taken? `NotTaken` surely not (refused connection, 429, redirect),
`InDoubt` perhaps (time-out, reset, 5xx, an answer that makes no sense).

The read time-out counts from byte to byte, as in `urllib3`; connecting and reading
are limited apart. What follows from an outcome is the caller's decision.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.rest.api.v2010.account.message import MessageInstance
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from channels.model import FaultClass, Outcome, OutcomeKind
from channels.twilio_errors import classify_http

PAGE = 1000  # the largest page that Twilio gives
MOST_ASKED = 10 * PAGE  # more than this to one number is not a doubt but a defect
SLACK = timedelta(minutes=5)  # between our clock and Twilio's
Record = TypeVar("Record", CallInstance, MessageInstance)

API_BASE = "https://api.twilio.com"
TOO_MANY_REQUESTS = 429
REQUEST_TIMEOUT = 408
# Its debug lines hold the query, and with it numbers: not even a debug log may show those.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotTaken(Exception):
    """The provider surely did not take the request; it may be made again."""

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        fault: FaultClass = FaultClass.TRANSIENT,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.fault = fault
        self.retry_after = retry_after


class InDoubt(Exception):
    """Nobody can say here whether the provider took the request."""

    def __init__(self, detail: str, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class ApiHttpClient(HttpClient):
    """Carries the SDK's requests to `api_base`, whatever host the SDK had in mind.

    Straight on urllib3's pool of kept-alive connections: what `requests` adds for each call
    (sessions, cookies, hooks) costs about as much as all the rest, and none of it is needed.
    """

    def __init__(self, api_base: str, connect_timeout: float, read_timeout: float, connections: int) -> None:
        super().__init__(logging.getLogger(__name__), False, read_timeout)
        base = urlsplit(api_base)
        if base.scheme not in ("http", "https") or not base.hostname:
            raise ValueError(f"{api_base!r} is not a base address; it looks like {API_BASE}.")
        self._base = (base.scheme, base.netloc, base.path.rstrip("/"))
        self._pool = _pool(
            api_base, base.hostname, Timeout(connect=connect_timeout, read=read_timeout), connections
        )

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request, one answer. Raises `NotTaken` or `InDoubt`; a 4xx is an answer."""
        sent = dict(headers or {})
        try:
            url = self._rebase(uri)
            if params:
                url += ("&" if "?" in url else "?") + _form(params)
            if auth:
                sent["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode("ascii")
            body = None
            if data:
                body = _form(data)
                sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
            answer = self._pool.urlopen(
                method.upper(), url, body=body, headers=sent, retries=False, redirect=False
            )
            text = answer.data.decode("utf-8", "replace")
        except (LocationValueError, UnicodeError) as error:
            raise NotTaken(
                f"the request could not be built ({type(error).__name__})", fault=FaultClass.CONFIGURATION
            ) from error
        except HTTPError as error:
            raise _sorted(error) from error
        _refuse_non_answers(answer)
        return Response(answer.status, text, answer.headers)

    def _rebase(self, uri: str) -> str:
        parts = urlsplit(uri)
        scheme, host, prefix = self._base
        return urlunsplit((scheme, host, prefix + parts.path, parts.query, ""))

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._pool.clear()


def _pool(api_base: str, host: str, timeout: Timeout, connections: int) -> PoolManager:
    """Proxies and certificates of the machine are looked up once, as `requests` does, not for each message."""
    machine: Any = requests.Session().merge_environment_settings(api_base, {}, None, None, None)
    verify, proxies = machine["verify"], machine["proxies"]
    options: dict[str, Any] = {"num_pools": 2, "maxsize": connections, "timeout": timeout}
    bundle = verify if isinstance(verify, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH
    options["ca_cert_dir" if Path(bundle).is_dir() else "ca_certs"] = bundle
    options["cert_reqs"] = "CERT_REQUIRED" if verify else "CERT_NONE"
    proxy = None if host in LOOPBACK else requests.utils.select_proxy(api_base, proxies)
    return ProxyManager(proxy, **options) if proxy else PoolManager(**options)


def _form(fields: Mapping[str, object]) -> str:
    return urlencode({name: value for name, value in fields.items() if value is not None}, doseq=True)


def _sorted(error: HTTPError) -> NotTaken | InDoubt:
    """Whether the request can have left this machine when `error` was raised."""
    if isinstance(error, ProxyError):
        # Raised only while the way to the proxy is being opened.
        return NotTaken("the proxy cannot be reached")
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return NotTaken("the server's certificate is not trusted", fault=FaultClass.CONFIGURATION)
    if isinstance(error, NewConnectionError):
        # A refused connection and an unknown host are both of this kind.
        return NotTaken("connection refused or host unknown")
    if isinstance(error, ConnectTimeoutError):
        return NotTaken("no connection in time")
    return InDoubt(f"the answer was lost ({type(error).__name__})")


def _refuse_non_answers(answer: BaseHTTPResponse) -> None:
    status = answer.status
    if status == TOO_MANY_REQUESTS:
        raise NotTaken("too many requests", code="20429", retry_after=_retry_after(answer))
    if 300 <= status < 400:
        raise NotTaken(
            f"HTTP {status}: the address of the API redirects; set the final one",
            fault=FaultClass.CONFIGURATION,
        )
    if status >= 500 or status == REQUEST_TIMEOUT or status < 200:
        raise InDoubt(f"HTTP {status}", code=str(status))


def _retry_after(answer: BaseHTTPResponse) -> float | None:
    """Seconds from a Retry-After header, given as such or as a date (by the server's own clock)."""
    text = answer.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass  # Not a number of seconds, so it is a date.
    try:
        then, present = parsedate_to_datetime(text), parsedate_to_datetime(answer.headers.get("Date", ""))
        return max(0.0, (then - present).total_seconds())
    except (ValueError, TypeError):
        return None


def build_client(
    account_sid: str,
    auth_token: str,
    *,
    api_base: str = API_BASE,
    connect_timeout: float = 5.0,
    read_timeout: float = 15.0,
    connections: int = 64,
) -> Client:
    """A Twilio client that is safe to share between threads. Reads nothing from the environment."""
    http = ApiHttpClient(api_base or API_BASE, connect_timeout, read_timeout, connections)
    # An edge or a region from the environment would move the host behind the settings' back.
    nowhere = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
    return Client(account_sid, auth_token, http_client=http, environment=nowhere)


def outcome_of(create: Callable[[], str | None]) -> Outcome:
    """Run one creating call that returns the new resource's SID, and say what it came to.

    Called twice it sends twice. Details hold codes and our own words, never what
    Twilio wrote, since that quotes numbers.
    """
    try:
        sid = create()
    except NotTaken as error:
        return Outcome(
            OutcomeKind.LATER,
            code=error.code,
            fault=error.fault,
            detail=error.detail,
            retry_after=error.retry_after,
        )
    except InDoubt as error:
        return Outcome(OutcomeKind.UNKNOWN, code=error.code, fault=FaultClass.UNKNOWN, detail=error.detail)
    except (TwilioRestException, TwilioServiceException) as error:
        return _refused(error)
    except (TwilioException, ValueError, TypeError, AttributeError, KeyError) as error:
        # The answer was "yes" but not one that the SDK can read.
        return _senseless(type(error).__name__)
    return Outcome(OutcomeKind.ACCEPTED, provider_id=sid) if sid else _senseless("no SID")


def _senseless(why: str) -> Outcome:
    return Outcome(OutcomeKind.UNKNOWN, fault=FaultClass.UNKNOWN, detail=f"the answer makes no sense ({why})")


def _refused(error: TwilioRestException | TwilioServiceException) -> Outcome:
    status = int(error.status)
    if not 400 <= status < 500:
        return _senseless(f"HTTP {status}")
    found = classify_http(status, error.code)
    code = str(error.code or status)
    # A refusal that passes by itself took nothing either: it is "later", not "never".
    kind = OutcomeKind.LATER if found.fault is FaultClass.TRANSIENT else OutcomeKind.REJECTED
    return Outcome(kind, code=code, fault=found.fault, detail=f"HTTP {status}, code {code}: {found.meaning}")


# What can come of a question (GET): no answer, a refusal, or an answer that can't be read.
NO_ANSWER = (NotTaken, InDoubt, TwilioException, ValueError, TypeError, AttributeError, KeyError)


def recent(records: Iterable[Record], since: datetime) -> Iterator[Record]:
    """Those of an addressee's records that we made at or after `since`; the list comes newest first.

    Twilio sorts by a date that a waiting record does not have yet, so the first page is
    looked through to its end. Raises `InDoubt` when there are too many to look at.
    """
    for seen, record in enumerate(records, 1):
        created = record.date_created
        if seen > MOST_ASKED:
            raise InDoubt("too many records to look through")
        if created is None or (record.direction or "").startswith("inbound"):
            continue
        if created >= since:
            yield record
        elif seen > PAGE and created < since - timedelta(days=1):
            return


def check_account(client: Client, account_sid: str) -> str:
    """Empty if the account answers and is active, else what is missing, in plain words."""
    try:
        account = client.api.v2010.accounts(account_sid).fetch()
    except NotTaken as error:
        return f"Twilio cannot be asked: {error.detail}. Check TWILIO_API_BASE and the network."
    except InDoubt as error:
        return f"Twilio does not answer properly: {error.detail}. Try again; see status.twilio.com."
    except (TwilioRestException, TwilioServiceException) as error:
        meaning = classify_http(int(error.status), error.code).meaning
        return (
            f"Twilio refuses (HTTP {error.status}, code {error.code}): {meaning}. "
            "Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
        )
    except (TwilioException, ValueError, TypeError, AttributeError, KeyError):
        return "What answers at TWILIO_API_BASE is not Twilio's API. Check the address."
    if account.status != "active":
        return f"The Twilio account is {account.status}, not active. See the Twilio console."
    return ""
