"""Answers of the simulated API: bodies as Twilio writes them, scripted faults, pages of a list."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from channels.simulator.script import Behaviour

Form = Mapping[str, str]
LARGEST_PAGE = 1000


@dataclass
class Answer:
    """What goes back over the wire. `lost` closes the connection without a word; `then` runs afterwards."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    lost: bool = False
    then: Callable[[], None] | None = None

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False).encode()


GARBAGE = Answer(200, "<html>It works!</html>", content_type="text/html")


def fault(status: int, code: int, message: str, **headers: str) -> Answer:
    """An error as Twilio's API words it."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Answer(status, body, headers)


def scripted(behaviour: Behaviour, take: Callable[[], tuple[dict[str, Any], Callable[[], None]]]) -> Answer:
    """Answer a creating request as the script says.

    `take` keeps the record and returns what is shown of it and what happens next; it is
    called only where the provider takes the request. Where the answer does not come
    properly, what happens next starts before the answer, as it may in the real world.
    """
    if behaviour.api == "reject":
        return fault(400, behaviour.code, "The request was refused (scripted).")
    if (refused := untaken(behaviour)) is not None:
        return refused
    shown, then = take()
    if behaviour.api == "ok" and not behaviour.answer_delay:
        return Answer(201, shown, then=then)
    then()
    if behaviour.answer_delay:
        time.sleep(behaviour.answer_delay)
    if behaviour.api == "lost":
        return Answer(lost=True)
    if behaviour.api == "500-taken":
        return fault(500, 20500, "Internal Server Error")
    return GARBAGE if behaviour.api == "garbage" else Answer(201, shown)


def untaken(behaviour: Behaviour) -> Answer | None:
    """What comes of a request that the provider does not heed, whether it sends or asks; None if it does."""
    if behaviour.api not in ("429", "500", "dropped"):
        return None
    if behaviour.answer_delay:
        time.sleep(behaviour.answer_delay)
    if behaviour.api == "429":
        return fault(429, 20429, "Too Many Requests", **{"Retry-After": f"{behaviour.retry_after:g}"})
    if behaviour.api == "500":
        return fault(500, 20500, "Internal Server Error")
    return Answer(lost=True)


def asked(behaviour: Behaviour, answer: Callable[[], Answer]) -> Answer:
    """Answer a question as the script says."""
    if (refused := untaken(behaviour)) is not None:
        return refused
    if behaviour.answer_delay:
        time.sleep(behaviour.answer_delay)
    return GARBAGE if behaviour.api == "garbage" else answer()


def page(records: Iterator[dict[str, Any]], key: str, path: str, query: Form) -> Answer:
    """One page of a list, with the addresses of its neighbours."""
    try:
        size = min(max(int(query.get("PageSize", 50)), 1), LARGEST_PAGE)
        number = max(int(query.get("Page", 0)), 0)
    except ValueError:
        return fault(400, 20006, "PageSize and Page are numbers.")
    start = number * size
    rows = list(islice(records, start, start + size + 1))
    more = len(rows) > size
    rows = rows[:size]

    def uri(which: int) -> str:
        return f"{path}?{urlencode({**query, 'PageSize': size, 'Page': which})}"

    return Answer(
        body={
            key: rows,
            "first_page_uri": uri(0),
            "previous_page_uri": uri(number - 1) if number else None,
            "next_page_uri": uri(number + 1) if more else None,
            "uri": uri(number),
            "page": number,
            "page_size": size,
            "start": start,
            "end": start + max(len(rows) - 1, 0),
        }
    )


def by_date(
    records: Iterator[dict[str, Any]], name: str, query: Form, parameter: str
) -> Iterator[dict[str, Any]]:
    """Filter by a date field: `DateSent` that day, `DateSent>` from then on, `DateSent<` up to then.

    A record without that date (not sent yet) is left out, as at Twilio.
    """
    tests: list[Callable[[datetime], bool]] = []
    for suffix in ("", ">", "<"):
        if text := query.get(parameter + suffix):
            tests.append(_date_test(text, suffix))
    for record in records:
        if tests:
            if not record[name]:
                continue
            moment = parsedate_to_datetime(record[name])
            if not all(test(moment) for test in tests):
                continue
        yield record


def _date_test(text: str, suffix: str) -> Callable[[datetime], bool]:
    limit = datetime.fromisoformat(text)
    limit = limit if limit.tzinfo else limit.replace(tzinfo=UTC)
    if suffix == ">":
        return lambda moment: moment >= limit
    if suffix == "<":
        return lambda moment: moment <= limit
    return lambda moment: moment.date() == limit.date()
