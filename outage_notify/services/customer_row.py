"""One row of the customers' file: checks every cell and gives clean values or faults.

Promises: a cell is either understood or named in a fault with its line; nothing is
guessed. Blank cells of customer columns mean "as in the customer's other rows" and stay
blank here. Leaves what rows say about each other to `store.customer_staging` and the
import.
"""

from __future__ import annotations

import difflib
import functools
import operator
import re
import unicodedata
from collections.abc import Callable, Sequence

from channels.model import Language
from channels.phone_numbers import PhoneNumberError, normalise
from outage_notify.domain.audience import Tier
from outage_notify.services.import_report import Faults

COLUMNS = (
    "customer_id",
    "name",
    "kind",
    "tier",
    "life_support",
    "vulnerable",
    "language",
    "site_id",
    "service_point_id",
    "element",
    "place",
    "sms",
    "voice",
    "email",
    "backup_name",
    "backup_phone",
    "grid_manager",
    "grid_manager_phone",
)
# What belongs to a customer, not to one service point: blank inherits, a second value is a conflict.
CUSTOMER_COLUMNS = (
    "name",
    "kind",
    "tier",
    "life_support",
    "vulnerable",
    "language",
    "sms",
    "voice",
    "email",
    "backup_name",
    "backup_phone",
)
REQUIRED = ("customer_id", "site_id", "service_point_id", "element", "place")

_LONGEST = {
    "customer_id": 100,
    "name": 300,
    "kind": 60,
    "site_id": 100,
    "service_point_id": 100,
    "element": 100,
    "place": 300,
    "email": 320,
    "backup_name": 200,
    "grid_manager": 200,
}
_SHORTEST = min(_LONGEST.values())
_words_of = operator.itemgetter("tier", "life_support", "vulnerable", "language")
_MOST_WORDS = 1_000
_TIERS = {tier.value: tier.value for tier in Tier} | {
    "特级": "SPECIAL",
    "一级": "FIRST",
    "二级": "SECOND",
    "临时性重要": "TEMPORARY",
    "一般": "GENERAL",
    "低压": "LOW_VOLTAGE",
}
_TRUTH = dict.fromkeys(("1", "true", "yes", "y", "是"), "1") | dict.fromkeys(
    ("0", "false", "no", "n", "否"), "0"
)
_LANGUAGES = {"zh-cn": Language.ZH.value, "zh": Language.ZH.value, "en": Language.EN.value}
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\"\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}")
_ELEMENT = re.compile(r"[a-z][a-z0-9_]*:\S(?:.*\S)?")


class Header:
    """The first row: where each column is. `usable` is False after a fault."""

    def __init__(self, line: int, values: Sequence[str], faults: Faults) -> None:
        names = [value.strip() for value in values]
        before = len(faults)
        if len(names) == 1 and re.search(r"customer_id\s*[;\t|]", names[0]):
            mark = next(one for one in ";\t|" if one in names[0])
            word = {";": "semicolons", "\t": "tabs", "|": "bars"}[mark]
            faults.add(
                line, "", f"The columns are separated by {word}.", "Separate them by commas (RFC 4180)."
            )
        else:
            self._compare(line, names, faults)
        self.usable = len(faults) == before
        self.order = [names.index(column) for column in COLUMNS] if self.usable else []

    @staticmethod
    def _compare(line: int, names: list[str], faults: Faults) -> None:
        for name in dict.fromkeys(names):
            if name and names.count(name) > 1:
                faults.add(line, name, "The header names this column twice.", "Keep one of them.")
        unknown = [name for name in dict.fromkeys(names) if name not in COLUMNS]
        missing = [column for column in COLUMNS if column not in names]
        for name in unknown:
            near = difflib.get_close_matches(name.lower(), missing, n=1)
            remedy = f"Is it {near[0]}?" if near else f"Columns are: {','.join(COLUMNS)}."
            shown = clip(name) or "(no name)"
            faults.add(line, shown, "The header has a column that is not known.", remedy)
        for column in missing:
            faults.add(
                line, column, "The header lacks this column.", "Add it; cells may be blank where optional."
            )


class RowChecker:
    """Checks rows against one header."""

    def __init__(self, header: Header, faults: Faults, region: str) -> None:
        self.header = header
        self.faults = faults
        self.region = region
        self._in_order = operator.itemgetter(*header.order) if header.order else tuple
        # Words that were understood before, as they were written.
        self._known_words: dict[tuple[str, ...], tuple[str, ...]] = {}
        # Grid managers and shared numbers repeat on many rows.
        self._number: Callable[[str], str] = functools.lru_cache(maxsize=20_000)(self._normalise)

    def _normalise(self, text: str) -> str:
        return normalise(text, self.region)

    def check(self, line: int, values: Sequence[str]) -> dict[str, str] | None:
        """The clean cells by column in the order of COLUMNS, or None when the row has too few or too many."""
        if len(values) != len(COLUMNS):
            word = "short" if len(values) < len(COLUMNS) else "long"
            message = f"The row is too {word}: {len(values)} columns instead of {len(COLUMNS)}."
            self.faults.add(
                line, "", message, "Blank cells keep their commas; put text with commas in quotes."
            )
            return None
        whole = "".join(values)
        if whole.isprintable() and (whole.isascii() or unicodedata.is_normalized("NFC", whole)):
            # Nothing to mend in any cell, as in nearly every row.
            cells = dict(zip(COLUMNS, map(str.strip, self._in_order(values)), strict=True))
            if max(map(len, values)) > _SHORTEST:
                for column, longest in _LONGEST.items():
                    if len(cells[column]) > longest:
                        cells[column] = self._clean(line, column, cells[column])
        else:
            cells = {
                column: self._clean(line, column, values[at])
                for column, at in zip(COLUMNS, self.header.order, strict=True)
            }
        if not all(map(cells.__getitem__, REQUIRED)):
            for column in REQUIRED:
                if not cells[column]:
                    self.faults.add(line, column, "The cell is blank.", "Fill it in.")
        words = _words_of(cells)
        if (known := self._known_words.get(words)) is not None:
            cells["tier"], cells["life_support"], cells["vulnerable"], cells["language"] = known
        else:
            before = len(self.faults)
            self._words(line, cells)
            if len(self.faults) == before and len(self._known_words) < _MOST_WORDS:
                self._known_words[words] = _words_of(cells)
        self._addresses(line, cells)
        self._element(line, cells)
        return cells

    def _clean(self, line: int, column: str, value: str) -> str:
        if value.isascii() and value.isprintable():
            text = value.strip()
        else:
            text = unicodedata.normalize("NFC", value).strip()
            # Line breaks inside a quoted place or name are spaces to a reader.
            text = re.sub(r"\s*[\r\n]+\s*", " ", text)
            if any(unicodedata.category(one) in {"Cc", "Cs"} for one in text):
                self.faults.add(line, column, "The cell holds control characters.", "Remove them.")
                return ""
        longest = _LONGEST.get(column)
        if longest is not None and len(text) > longest:
            message = f"The text is longer than {longest} characters ({len(text)})."
            self.faults.add(line, column, message, "Shorten it.")
            return text[:longest]
        return text

    def _words(self, line: int, cells: dict[str, str]) -> None:
        if cells["tier"]:
            tier = _TIERS.get(cells["tier"]) or _TIERS.get(cells["tier"].upper().replace(" ", "_"))
            if tier is None:
                message = f"The tier {clip(cells['tier'])} is not known."
                self.faults.add(line, "tier", message, f"Write one of {', '.join(Tier)}.")
            cells["tier"] = tier or ""
        for column in ("life_support", "vulnerable"):
            if cells[column]:
                truth = _TRUTH.get(cells[column].lower())
                if truth is None:
                    message = f"{clip(cells[column])} is neither true nor false."
                    self.faults.add(line, column, message, "Write 1 or 0 (or true, false, yes, no, 是, 否).")
                cells[column] = truth or ""
        if cells["language"]:
            language = _LANGUAGES.get(cells["language"].lower().replace("_", "-"))
            if language is None:
                message = f"The language {clip(cells['language'])} is not known."
                self.faults.add(line, "language", message, "Write zh-CN or en.")
            cells["language"] = language or ""

    def _addresses(self, line: int, cells: dict[str, str]) -> None:
        for column in ("sms", "voice", "backup_phone", "grid_manager_phone"):
            if cells[column]:
                try:
                    cells[column] = self._number(cells[column])
                except PhoneNumberError as error:
                    self.faults.add(line, column, error.message, error.remedy)
                    cells[column] = ""
        if cells["email"]:
            if not _EMAIL.fullmatch(cells["email"]):
                self.faults.add(
                    line, "email", "This is not an e-mail address.", "Write one such as name@example.com."
                )
                cells["email"] = ""
            else:
                person, _, host = cells["email"].rpartition("@")
                cells["email"] = f"{person}@{host.lower()}"
        if cells["grid_manager_phone"] and not cells["grid_manager"]:
            message = "A grid manager's phone number without a name."
            self.faults.add(line, "grid_manager", message, "Name the grid manager.")

    def _element(self, line: int, cells: dict[str, str]) -> None:
        element = cells["element"]
        if not element:
            return
        if not _ELEMENT.fullmatch(element):
            message = f"{clip(element)} is not an element."
            self.faults.add(line, "element", message, "Write kind:id, such as load:7.")


def clip(text: str, most: int = 60) -> str:
    """`text` for a message: printable and not long."""
    shown = "".join(one if one.isprintable() else "?" for one in text[:most])
    return shown + ("…" if len(text) > most else "")
