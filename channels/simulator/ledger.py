"""What reached whom: the simulated world's own memory, against which the product is measured.

An entry is written when a person has it in hand: a text on the handset, a call that was
heard by a human, a mail in the mailbox. The product has no way to write here. Two
texts with the same words to one number are two entries; only a mail that comes again
with the same Message-ID is the same mail, since mailboxes show it once.
"""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.simulator.journal import Journal


class Ledger:
    """Thread-safe, append-only, read back whole after a restart."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._by_key: dict[tuple[str, str, str], dict[str, Any]] = {}
        for record in self._journal.records():
            if "again" in record:
                self._entries[record["again"] - 1]["times"] += 1
            else:
                self._remember(record)

    def _remember(self, entry: dict[str, Any]) -> None:
        self._entries.append(entry)
        self._by_key[entry["channel"], entry["to"], entry["provider_id"]] = entry

    def reached(
        self,
        channel: str,
        to: str,
        provider_id: str,
        at: datetime,
        *,
        text: str,
        subject: str = "",
        digits: str = "",
        **more: Any,
    ) -> None:
        """Note that one message reached one person.

        The provider's id names the message: the same id again (a call resumed after a
        restart) changes nothing.
        """
        with self._lock:
            if (channel, to, provider_id) in self._by_key:
                return
            entry = {
                "seq": len(self._entries) + 1,
                "channel": channel,
                "to": to,
                "subject": subject,
                "text": text,
                "reached_at": at.isoformat(),
                "provider_id": provider_id,
                "digits": digits,
                "times": 1,
                **more,
            }
            self._journal.append(entry)
            self._remember(entry)

    def mailed(self, to: str, message_id: str, at: datetime, *, text: str, subject: str, **more: Any) -> None:
        """Note one mail; a Message-ID that this mailbox already holds only raises `times`."""
        with self._lock:
            known = self._by_key.get(("email", to, message_id)) if message_id else None
            if known is not None:
                self._journal.append({"again": known["seq"]})
                known["times"] += 1
                return
        self.reached("email", to, message_id, at, text=text, subject=subject, **more)

    def holds(self, channel: str, to: str, provider_id: str) -> bool:
        """Whether this very message has reached this person."""
        with self._lock:
            return (channel, to, provider_id) in self._by_key

    def entries(self, channel: str = "", to: str = "", since: int = 0) -> list[dict[str, Any]]:
        """Entries in the order in which people were reached; `since` is the last `seq` already known."""
        with self._lock:
            return [
                dict(entry)
                for entry in self._entries[since:]
                if (not channel or entry["channel"] == channel) and (not to or entry["to"] == to)
            ]

    def count(self) -> int:
        """How many times somebody was reached."""
        with self._lock:
            return len(self._entries)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self._lock:
            self._journal.clear()
            self._entries.clear()
            self._by_key.clear()

    def close(self) -> None:
        """Close the file."""
        self._journal.close()
