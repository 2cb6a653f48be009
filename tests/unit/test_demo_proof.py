"""The demo's proof: it counts from the ledger, and each way of being wrong shows."""

from __future__ import annotations

from typing import Any

from outage_notify.demo import proof
from outage_notify.demo.proof import Belongs, Expected

ANNA, BEN = "C-ANNA", "C-BEN"
BELONGS = {
    "AAAAAAAAAA": Belongs("SEVEN_DAY r1", frozenset({ANNA})),
    "BBBBBBBBBB": Belongs("SEVEN_DAY r1", frozenset({BEN})),
    "CA1": Belongs("SEVEN_DAY r1", frozenset({BEN})),
    "RRRRRRRRRR": Belongs("REMINDER r1 #1", frozenset({ANNA})),
}
DUE = [Expected("SEVEN_DAY r1", frozenset({ANNA, BEN}))]


def told(reference: str, to: str, channel: str = "sms", provider_id: str = "SM1") -> dict[str, Any]:
    text = f"Planned outage. Ref PO-2026-0001 {reference}" if channel != "voice" else "Hello."
    return {"channel": channel, "to": to, "subject": "", "text": text, "provider_id": provider_id}


def count(*ledger: dict[str, Any], excused: frozenset[str] = frozenset()) -> list[proof.Count]:
    return proof.count(ledger, DUE, BELONGS, excused, extra="REMINDER")


def test_everybody_told_once() -> None:
    (line,) = count(told("AAAAAAAAAA", "+1"), told("", "+2", "voice", "CA1"))
    assert (line.once, line.untold, line.twice) == (2, 0, 0)
    assert proof.holds([line])


def test_somebody_untold() -> None:
    lines = count(told("AAAAAAAAAA", "+1"))
    assert (lines[0].once, lines[0].untold) == (1, 1)
    assert not proof.holds(lines)


def test_whom_no_wire_reaches_is_left_to_a_person() -> None:
    (line,) = count(told("AAAAAAAAAA", "+1"), excused=frozenset({BEN}))
    assert (line.untold, line.excused) == (0, 1)
    assert proof.holds([line])


def test_the_same_notice_to_the_same_address_twice() -> None:
    lines = count(told("AAAAAAAAAA", "+1"), told("AAAAAAAAAA", "+1"), told("BBBBBBBBBB", "+2"))
    assert lines[0].twice == 1
    assert not proof.holds(lines)


def test_two_channels_and_a_backup_contact_are_not_twice() -> None:
    ledger = [
        told("AAAAAAAAAA", "+1"),
        told("AAAAAAAAAA", "a@example.com", "email"),
        told("AAAAAAAAAA", "+9"),
    ]
    (line,) = count(*ledger, told("BBBBBBBBBB", "+2"))
    assert line.twice == 0


def test_a_message_that_belongs_to_nothing() -> None:
    lines = count(told("AAAAAAAAAA", "+1"), told("BBBBBBBBBB", "+2"), told("ZZZZZZZZZZ", "+3"))
    assert lines[-1].name == "unknown"
    assert not proof.holds(lines)


def test_reminders_are_counted_and_nobodys_due() -> None:
    lines = count(told("AAAAAAAAAA", "+1"), told("BBBBBBBBBB", "+2"), told("RRRRRRRRRR", "+1"))
    assert [line.name for line in lines] == ["SEVEN_DAY r1", "REMINDER r1 #1"]
    assert proof.holds(lines)
