"""Cells of a file turned into values of the model, each with a fault where it cannot be."""

from __future__ import annotations

import math
from typing import Any

from geo.model import PHASES
from geo.readers.report import Report, clip

# Characters of an identifier without its kind, and of a name; as much as the product keeps.
LONGEST_ID = 80
LONGEST_NAME = 200


class Cells:
    """One row of one table: typed access by field name, faults go to the report."""

    def __init__(self, table: str, row: object, values: dict[str, Any], report: Report) -> None:
        self.table = table
        self.row = row
        self.values = values
        self.report = report

    def fault(self, field: str, message: str, remedy: str = "") -> None:
        self.report.fault(self.table, self.row, field, message=message, remedy=remedy)

    def flag(self, field: str, default: bool) -> bool:
        """A truth value: true/false, 1/0; the default where the column does not exist."""
        if field not in self.values:
            return default
        value = self.values[field]
        if isinstance(value, bool):
            return value
        if isinstance(value, (int, float)) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        self.fault(field, f"{clip(value)} is neither true nor false.", "Write true or false.")
        return default

    def text(self, field: str) -> str:
        """The text of a cell in one line, a number as text, empty where there is none."""
        value = self.values.get(field)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ""
        if not isinstance(value, str):
            return clip(value, LONGEST_NAME)
        if value.isprintable() and len(value) <= LONGEST_NAME:
            return value.strip()
        # Control characters and lone surrogates are no names, and databases refuse them.
        plain = "".join(one if one.isprintable() else " " for one in value).strip()
        if len(plain) > LONGEST_NAME:
            self.fault(field, f"It is longer than {LONGEST_NAME} characters.", "Shorten it.")
        return plain[:LONGEST_NAME]

    def number(self, field: str) -> float | None:
        """A finite number, or None where there is none; never a fault, since nothing depends on it."""
        value = self.values.get(field)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:
            return None

    def key(self, field: str) -> str | None:
        """A reference to another row's identifier, or None and a fault."""
        value = self.values.get(field)
        found = identifier(value)
        if found is None:
            self.fault(
                field,
                f"{clip(value)} is not an identifier.",
                "Name an existing element here.",
            )
        return found

    def phases(self, field: str = "phases") -> str:
        value = self.values.get(field)
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return "ABC"
        phases = "".join(sorted(set(value.upper()))) if isinstance(value, str) else ""
        if phases in PHASES:
            return phases
        self.fault(
            field,
            f"{clip(value)} are not phases.",
            "Write a subset of ABC, such as A, BC or ABC.",
        )
        return "ABC"


def identifier(value: object) -> str | None:
    """The text form of an identifier: 12, 12.0 and "12" are one; None for what cannot be one."""
    if isinstance(value, str):
        text = value.strip()
        return text if text and len(text) <= LONGEST_ID and text.isprintable() else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else None
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value.is_integer() and abs(value) < 1e15 else None
    return None
