"""A reason that somebody types: on one line, there, and never cut."""

from __future__ import annotations

from outage_notify.domain.errors import InvalidInput

LONGEST = 300


def given_reason(reason: str, remedy: str = "Say why this is changed.", longest: int = LONGEST) -> str:
    """The reason without breaks and doubled spaces. InvalidInput for none, and for one that is too long."""
    why = " ".join(reason.split())
    if not why:
        raise InvalidInput("The reason is missing.", remedy)
    if len(why) > longest:
        raise InvalidInput(f"The reason is longer than {longest} characters.", "Shorten it.")
    return why
