"""What the terminal shows: results on standard output, all else on standard error.

`emit` prints JSON and is the only thing that writes to standard output with --json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from outage_notify.domain.errors import Fault, ImportRefused, OutageNotifyError

# Errors of parts that do not know the product's own; each says what is wrong and what to do.
FOREIGN = frozenset(
    {"GeoError", "KeyFault", "BadToken", "ExportFault", "PhoneNumberError", "RegistryError", "ScriptError"}
)
WIDE = 160  # columns where the output is no terminal: wide enough not to cut


def say(text: str) -> None:
    """A line for the person, on standard error."""
    print(text, file=sys.stderr, flush=True)


def emit(value: Any) -> None:
    """`value` as JSON on standard output. Keys keep their order, text stays readable."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def show(text: str) -> None:
    """A line of the result, on standard output."""
    print(text)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> None:
    """A table of the result, on standard output. `right` names the columns with numbers."""
    drawn = Table(show_edge=False, pad_edge=False)
    for column in columns:
        drawn.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console(file=sys.stdout, markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, markup=False, highlight=False, width=WIDE)
    console.print(drawn)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error where that is a terminal, silence elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=1.0)

        def move(phase: str, fraction: float) -> None:
            bar.update(task, description=f"{what}: {phase}", completed=fraction)

        yield move


def show_faults(faults: Iterable[Fault], more: int = 0) -> None:
    for fault in faults:
        say(str(fault))
    if more:
        say(f"... and {more} more.")


def show_error(error: Exception) -> int | None:
    """Explain an error that a person can mend, and return the exit status; None for a defect."""
    if isinstance(error, ImportRefused):
        show_faults(error.faults, error.more)
        say(str(error))
        return error.exit_code
    if isinstance(error, OutageNotifyError):
        say(f"Error: {error.message}")
        if error.remedy:
            say(error.remedy)
        return error.exit_code
    home = type(error).__module__
    if type(error).__name__ in FOREIGN and home.startswith(("geo", "channels")):
        say(f"Error: {error}")
        return OutageNotifyError.exit_code
    origin = getattr(error, "orig", None) if home.startswith("sqlalchemy.exc") else None
    if type(origin).__name__ in {"OperationalError", "ConnectionTimeout"}:
        # The whole text ends with the statement and its parameters: only the driver's own words are shown.
        say(f"Error: the database cannot be used: {' '.join(str(origin).split())}")
        say("Check OUTAGE_NOTIFY_DATABASE_URL and run `outage-notify doctor`.")
        return OutageNotifyError.exit_code
    return None
