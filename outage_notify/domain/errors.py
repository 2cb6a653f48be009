"""Errors that a person can mend. Each says what is wrong, where, and what to do next.

Entry points turn them into an exit status, an HTTP answer or a line on a page;
anything that is not one of these is a defect of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class OutageNotifyError(Exception):
    """A clear refusal: `str(error)` is meant for the person at the keyboard."""

    exit_code = 2

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingsError(OutageNotifyError):
    """A setting is missing or cannot be used."""


class NotFound(OutageNotifyError):
    """What was named does not exist."""


class IllegalMove(OutageNotifyError):
    """The state machine does not allow this step from the present state."""


class NotPermitted(OutageNotifyError):
    """This person may not do this (role, or the same person twice)."""


class TooLate(OutageNotifyError):
    """The window cannot be announced in the time that the law asks for."""


class Conflict(OutageNotifyError):
    """Somebody else changed it in the meantime; nothing was overwritten."""


class Blocked(OutageNotifyError):
    """A check stands in the way: another outage, a protected date, signatures that are missing."""


class InvalidInput(OutageNotifyError):
    """A value that cannot be taken."""


@dataclass(frozen=True)
class Fault:
    """One fault of an imported file: place, what is wrong, and the remedy."""

    file: str
    line: int | None
    field: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        place = self.file + (f", line {self.line}" if self.line is not None else "")
        field = f", field {self.field}" if self.field else ""
        return f"{place}{field}: {self.message} {self.remedy}".rstrip()


class ImportRefused(OutageNotifyError):
    """An import was refused as a whole; `faults` holds every fault that was found."""

    def __init__(self, faults: Sequence[Fault], more: int = 0) -> None:
        self.faults = tuple(faults)
        self.more = more
        count = len(self.faults) + more
        super().__init__(f"{count} fault{'s' if count != 1 else ''} found; nothing was imported.")
