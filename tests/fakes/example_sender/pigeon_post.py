"""A sender of another package: texts by a provider that speaks JSON of its own.

    POST /v1/push     {"msisdn", "content", "tag", "ttl", "notify"}   202 {"ticket": "P-1"}
    GET  /v1/tickets/P-1                                              {"ticket", "phase", "why"}
    GET  /v1/tickets?msisdn=...&since=...                             {"tickets": [...]}
    it posts to `notify`                                              {"ticket", "phase", "why"}

Phases: loft (taken), air (on its way), handset (arrived), lost (why: no_such_bird | closed).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests

from channels.model import (
    Channel,
    FaultClass,
    Message,
    Outcome,
    OutcomeKind,
    Report,
    ReportStatus,
    Sighting,
)
from channels.registry import SenderConfig
from channels.sender import Sender

PHASES = {
    "loft": ReportStatus.ACCEPTED,
    "air": ReportStatus.ACCEPTED,
    "handset": ReportStatus.DELIVERED,
    "lost": ReportStatus.FAILED,
}
FAULTS = {"no_such_bird": FaultClass.BAD_ADDRESS, "closed": FaultClass.TRANSIENT}


class PigeonPost:
    """One request for each `send`, no retries, no exception for what network or provider do."""

    name = "pigeon-post"
    channel = Channel.SMS
    repeatable = False

    def __init__(self, base: str, key: str, connect: float, read: float) -> None:
        self._base, self._timeout = base.rstrip("/"), (connect, read)
        self._session = requests.Session()
        self._session.headers["X-Key"] = key

    def send(self, message: Message) -> Outcome:
        try:
            answer = self._session.post(
                f"{self._base}/v1/push",
                json={
                    "msisdn": message.to,
                    "content": message.text,
                    "tag": message.reference,
                    "ttl": message.valid_for,
                    "notify": message.report_url,
                },
                timeout=self._timeout,
            )
        except (requests.ConnectTimeout, requests.exceptions.InvalidURL):
            return Outcome(OutcomeKind.LATER, fault=FaultClass.TRANSIENT, detail="no connection")
        except requests.RequestException as error:
            return Outcome(OutcomeKind.UNKNOWN, fault=FaultClass.UNKNOWN, detail=type(error).__name__)
        return self._outcome(answer)

    def _outcome(self, answer: requests.Response) -> Outcome:
        status = answer.status_code
        if status == 202:
            try:
                return Outcome(OutcomeKind.ACCEPTED, provider_id=str(answer.json()["ticket"]))
            except (ValueError, KeyError, TypeError):
                return Outcome(OutcomeKind.UNKNOWN, fault=FaultClass.UNKNOWN, detail="no ticket")
        if status == 429:
            wait = answer.headers.get("Retry-After", "")
            return Outcome(
                OutcomeKind.LATER,
                code="429",
                fault=FaultClass.TRANSIENT,
                retry_after=float(wait) if wait.isdigit() else None,
            )
        if status in (401, 403):
            return Outcome(OutcomeKind.REJECTED, code=str(status), fault=FaultClass.CONFIGURATION)
        if 400 <= status < 500:
            return Outcome(OutcomeKind.REJECTED, code=str(status), fault=FaultClass.BAD_ADDRESS)
        return Outcome(OutcomeKind.UNKNOWN, code=str(status), fault=FaultClass.UNKNOWN)

    def find(self, message: Message, began: datetime, known_ids: frozenset[str]) -> list[Sighting] | None:
        found = self._ask("/v1/tickets", {"msisdn": message.to, "since": f"{began.timestamp() - 60:.0f}"})
        if found is None:
            return None
        return [
            Sighting(str(one["ticket"]), PHASES.get(one["phase"], ReportStatus.PENDING))
            for one in found["tickets"]
            if one["tag"] == message.reference and one["ticket"] not in known_ids
        ]

    def fetch(self, provider_id: str) -> Report | None:
        found = self._ask(f"/v1/tickets/{provider_id}", {})
        return None if found is None else self.parse_receipt({name: str(it) for name, it in found.items()})

    def parse_receipt(self, form: Mapping[str, str]) -> Report | None:
        status = PHASES.get(form.get("phase", ""))
        if status is None or not form.get("ticket"):
            return None
        why = form.get("why", "")
        fault = FAULTS.get(why, FaultClass.UNKNOWN) if status is ReportStatus.FAILED else FaultClass.NONE
        return Report(form["ticket"], status, why, fault, raw=dict(form))

    def check(self) -> str:
        return (
            ""
            if self._ask("/v1/tickets", {"msisdn": "", "since": "0"}) is not None
            else "No answer from the loft."
        )

    def _ask(self, path: str, query: dict[str, str]) -> Any:
        try:
            answer = self._session.get(f"{self._base}{path}", params=query, timeout=self._timeout)
            return answer.json() if answer.status_code == 200 else None
        except (requests.RequestException, ValueError):
            return None


def build(config: SenderConfig) -> Sender | None:
    """What the entry point names. None while it is not configured: the channel stays as it is."""
    base = config.extra.get("PIGEON_URL", "")
    if not base:
        return None
    return PigeonPost(base, config.extra.get("PIGEON_KEY", ""), config.connect_timeout, config.read_timeout)
