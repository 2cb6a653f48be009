"""How long an SMS is: its encoding and into how many segments it is cut.

GSM 03.38: a text of its 7-bit alphabet has 160 characters in one segment and 153 in each
of several, characters of the extension table count two; any other text goes as UCS-2,
70 units in one segment and 67 in each of several, characters outside the basic plane
count two. Neither pair is ever torn apart by a segment's end, so a segment can stay one
unit short.
"""

from __future__ import annotations

from collections.abc import Iterable

GSM7 = "GSM-7"
UCS2 = "UCS-2"

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
GSM7_CHARACTERS = BASIC | EXTENSION

_LIMITS = {GSM7: (160, 153), UCS2: (70, 67)}


def sms_length(text: str) -> tuple[str, int]:
    """(encoding, segments) of a text. An empty text still is one segment."""
    used = set(text)
    if used <= BASIC and len(text) <= _LIMITS[GSM7][0]:
        return GSM7, 1
    if used <= GSM7_CHARACTERS:
        return GSM7, _segments(GSM7, (2 if char in EXTENSION else 1 for char in text))
    return UCS2, _segments(UCS2, (2 if ord(char) > 0xFFFF else 1 for char in text))


def not_gsm7(text: str) -> set[str]:
    """The characters that make a text UCS-2."""
    return set(text) - GSM7_CHARACTERS


def _segments(encoding: str, widths: Iterable[int]) -> int:
    single, part = _LIMITS[encoding]
    units = list(widths)
    if sum(units) <= single:
        return 1
    segments, filled = 1, 0
    for width in units:
        if filled + width > part:
            segments, filled = segments + 1, 0
        filled += width
    return segments
