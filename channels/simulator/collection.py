"""What messages and calls have in common: kept, listed, fetched, and taken up again after a restart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from channels.simulator.answers import Answer, Form, by_date, fault, page
from channels.simulator.callbacks import Webhooks
from channels.simulator.ledger import Ledger
from channels.simulator.resources import Record, Records
from channels.simulator.script import Script
from channels.simulator.timeline import Timeline


class Collection(ABC):
    """One resource of the API. `key` names its list, `date` the field that a list is filtered by and its
    parameter, `filters` the other parameters with the fields that they must equal."""

    key: ClassVar[str]
    date: ClassVar[tuple[str, str]]
    filters: ClassVar[dict[str, str]]

    def __init__(
        self,
        account_sid: str,
        records: Records,
        ledger: Ledger,
        script: Script,
        webhooks: Webhooks,
        timeline: Timeline,
        now: Callable[[], datetime],
    ) -> None:
        self._account_sid = account_sid
        self.records = records
        self._ledger = ledger
        self._script = script
        self._webhooks = webhooks
        self._timeline = timeline
        self._now = now

    @abstractmethod
    def go_on(self, record: Record) -> None:
        """What happens to a record next. Gone through again after a restart; the ledger holds."""

    def taking(self, keep: Callable[[], Record]) -> Callable[[], tuple[dict[str, Any], Callable[[], None]]]:
        """What the provider does with a request that it takes: keep the record, show it, go on with it."""

        def take() -> tuple[dict[str, Any], Callable[[], None]]:
            record = keep()
            shown = self.records.show(record)
            return shown, self._timeline.prepared(lambda: self.go_on(record))

        return take

    def resume(self) -> int:
        """After a restart: take up what was under way; how many that were."""
        unsettled = self.records.unsettled()
        for record in unsettled:
            self._timeline.run(lambda record=record: self.go_on(record))  # type: ignore[misc]
        return len(unsettled)

    def listing(self, path: str, query: Form) -> Answer:
        """GET the list: To, the other filters, a date (=, >, <), Page and PageSize."""
        wanted = {field: query[name] for name, field in self.filters.items() if query.get(name)}
        listed = self.records.listed(query.get("To", ""))
        found = (one for one in listed if all(one[field] == value for field, value in wanted.items()))
        date, parameter = self.date
        try:
            return page(by_date(found, date, query, parameter), self.key, path, query)
        except ValueError:
            return fault(400, 20006, f"{parameter} is a date.")

    def fetch(self, sid: str) -> Answer:
        """GET one by its SID."""
        record = self.records.get(sid)
        if record is None:
            return fault(404, 20404, "The requested resource was not found")
        return Answer(body=self.records.show(record))
