"""Makes values that people typed fit to stand in a text: one line, no hidden characters, not endless.

A place name or a reason may come from a spreadsheet; a line break in it could forge a
second header of an e-mail, a direction mark could turn a time around, and one en dash
makes an English SMS twice as dear.
"""

from __future__ import annotations

import unicodedata

_TYPOGRAPHIC = str.maketrans(
    {
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "―": "-",
        "−": "-",
        "‘": "'",
        "’": "'",
        "‚": "'",
        "‛": "'",
        "`": "'",
        "´": "'",
        "′": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "″": '"',
        "«": '"',
        "»": '"',
        "…": "...",
        "•": "-",
        "·": "-",
        "×": "x",
        "ç": "c",
        "º": "o",
        "°": " deg",
        "，": ", ",
        "。": ". ",
        "：": ": ",
        "；": "; ",
        "（": " (",
        "）": ") ",
        "、": ", ",
    }
)


def one_line(value: str) -> str:
    """The value in NFC on one line: blanks of every kind become one blank, control, format
    and broken characters go. Private ones stay: rare Chinese characters of old encodings lie there.
    Applied twice it changes nothing more."""
    if value.isascii() and value.isprintable():
        # The usual case, and nothing else can be wrong with it.
        return " ".join(value.split())
    kept = []
    for char in unicodedata.normalize("NFC", value):
        category = unicodedata.category(char)
        if char.isspace() or category in ("Zl", "Zp", "Zs") or category == "Cc":
            kept.append(" ")
        elif category not in ("Cf", "Cs"):
            kept.append(char)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def gsm_friendly(value: str) -> str:
    """Typographic characters replaced by their plain cousins, so that an English SMS stays GSM-7.
    Letters that GSM-7 lacks are left: a name is spelled as its owner spells it."""
    return one_line(one_line(value).translate(_TYPOGRAPHIC))


def clip(value: str, limit: int) -> str:
    """At most `limit` characters; what was cut is shown by three dots."""
    return value if len(value) <= limit else value[: limit - 3].rstrip() + "..."
