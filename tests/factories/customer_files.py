"""Customers' files for tests: rows that are right unless the test says otherwise."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from outage_notify.services.customer_row import COLUMNS


def customer_row(number: int = 1, **changes: Any) -> dict[str, str]:
    """One good row; each number is another customer with one service point on load:`number`."""
    row = {
        "customer_id": f"C{number}",
        "name": f"Customer {number}",
        "kind": "household",
        "tier": "LOW_VOLTAGE",
        "life_support": "0",
        "vulnerable": "0",
        "language": "en",
        "site_id": f"S{number}",
        "service_point_id": f"P{number}",
        "element": f"load:{number}",
        "place": f"{number} River Road",
        "sms": f"+1212555{100 + number:04d}",
        "voice": "",
        "email": f"c{number}@example.com",
        "backup_name": "",
        "backup_phone": "",
        "grid_manager": "Ines Vogt",
        "grid_manager_phone": "+493023125700",
    }
    unknown = set(changes) - set(row)
    assert not unknown, unknown
    return row | {name: str(value) for name, value in changes.items()}


def csv_text(rows: Iterable[dict[str, str]], columns: Iterable[str] = COLUMNS) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(columns), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_customers(
    path: Path, rows: Iterable[dict[str, str]], encoding: str = "utf-8", columns: Iterable[str] = COLUMNS
) -> Path:
    path.write_bytes(csv_text(rows, columns).encode(encoding))
    return path
