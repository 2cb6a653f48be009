"""Status callbacks: signed forms posted to the product's webhooks, well or badly as scripted.

Promises: nothing is lost silently. A webhook that cannot be connected to is tried once
more, as at Twilio; whatever fails after that is counted and shown by `health`.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from channels.simulator.script import Behaviour
from channels.simulator.timeline import Timeline
from channels.twilio_signature import HEADER, sign

log = logging.getLogger(__name__)

TIMEOUTS = (5.0, 15.0)  # seconds to connect and to answer, as at Twilio
ATTEMPTS = 2
PAUSE = 0.3  # real seconds between them


class Webhooks:
    """Posts signed forms over kept-alive connections. Thread-safe."""

    def __init__(self, auth_token: str, workers: int) -> None:
        self._auth_token = auth_token
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_maxsize=workers, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._lock = threading.Lock()
        self._sent = 0
        self._failed = 0
        self._last_failure = ""

    def call(self, url: str, form: Mapping[str, str], method: str = "POST") -> tuple[int, str] | None:
        """Status and body of the answer; None if there was none (counted as failed)."""
        token = str(uuid.uuid4())
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE)
            try:
                answer = self._try(url, form, method, token)
                break
            except requests.ConnectionError as error:
                failure = error
            except requests.RequestException as error:
                # It was heard, perhaps acted upon: posting it again could press a key twice.
                self._note_silence(url, error)
                return None
        else:
            self._note_silence(url, failure)
            return None
        self._count("" if answer.status_code < 400 else f"HTTP {answer.status_code}")
        return answer.status_code, answer.text

    def _note_silence(self, url: str, error: requests.RequestException) -> None:
        log.warning("webhook did not answer (%s, host %s)", type(error).__name__, urlsplit(url).hostname)
        self._count(type(error).__name__)

    def _try(self, url: str, form: Mapping[str, str], method: str, token: str) -> requests.Response:
        get = method.upper() == "GET"
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": token,
            HEADER: sign(self._auth_token, url, {} if get else form),
        }
        if get:
            return self._session.get(url, headers=headers, timeout=TIMEOUTS)
        return self._session.post(url, data=dict(form), headers=headers, timeout=TIMEOUTS)

    def _count(self, failure: str) -> None:
        with self._lock:
            if failure:
                self._failed += 1
                self._last_failure = failure
            else:
                self._sent += 1

    def state(self) -> dict[str, int | str]:
        """`sent` and `failed` so far and why the last one failed."""
        with self._lock:
            return {"sent": self._sent, "failed": self._failed, "last_failure": self._last_failure}

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._session.close()


class Receipts:
    """The callbacks of one record, in the order, number and time that the script wants."""

    def __init__(self, webhooks: Webhooks, timeline: Timeline, url: str, behaviour: Behaviour) -> None:
        self._webhooks = webhooks
        self._timeline = timeline
        self._url = url
        self._behaviour = behaviour
        self._held: list[Mapping[str, str]] = []
        self._hold = behaviour.callback_order == "reversed" or behaviour.callback_delay > 0

    def say(self, form: Mapping[str, str]) -> None:
        """One status, told now or held back until `finish`."""
        if not self._url or self._behaviour.callback_drop:
            return
        if self._hold:
            self._held.append(form)
        else:
            self._post(form)

    def _post(self, form: Mapping[str, str]) -> None:
        for _ in range(max(1, self._behaviour.callback_repeat)):
            self._webhooks.call(self._url, form)

    def finish(self, done: Callable[[], None]) -> None:
        """Tell what was held back, then call `done`."""
        held = self._held[::-1] if self._behaviour.callback_order == "reversed" else self._held

        def tell() -> None:
            for form in held:
                self._post(form)
            done()

        if self._behaviour.callback_delay > 0:
            self._timeline.run(tell, after=self._behaviour.callback_delay)
        else:
            tell()
