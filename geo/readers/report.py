"""Faults and warnings of one file, collected as reading goes on, and the reader's answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from geo.model import Network

# A hostile file can hold millions of faults; nobody reads more than these.
MOST_FAULTS = 1000


@dataclass(frozen=True)
class Fault:
    """One fault: in which table and row of the file, in which field, what, and the remedy."""

    file: str
    table: str
    row: str
    field: str
    message: str
    remedy: str = ""
    # What the file calls its parts: a table, a layer.
    part: str = "table"

    @property
    def place(self) -> str:
        parts = [self.file]
        if self.table:
            parts.append(f"{self.part} {self.table}")
        if self.row:
            parts.append(f"row {self.row}")
        if self.field:
            parts.append(f"field {self.field}")
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.place}: {self.message} {self.remedy}".rstrip()


@dataclass(frozen=True)
class NetworkRead:
    """What came of reading: the network when there are no faults, else None.

    `more` counts faults beyond those listed.
    """

    network: Network | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    more: int = 0


@dataclass
class Report:
    """Collects; `fault` forbids the import, `warn` does not."""

    file: str
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    more: int = 0
    part: str = "table"
    # Told how much of the file has been read, 0 to 1.
    progress: Callable[[float], None] = lambda share: None

    def fault(
        self,
        table: str = "",
        row: object = "",
        field: str = "",
        *,
        message: str,
        remedy: str = "",
    ) -> None:
        if not self._keep(self.faults, table, row, field, message, remedy):
            self.more += 1

    def warn(
        self,
        table: str = "",
        row: object = "",
        field: str = "",
        *,
        message: str,
        remedy: str = "",
    ) -> None:
        self._keep(self.warnings, table, row, field, message, remedy)

    def _keep(
        self, among: list[Fault], table: str, row: object, field: str, message: str, remedy: str
    ) -> bool:
        """Whether there was room for one more."""
        room = len(among) < MOST_FAULTS
        if room:
            among.append(Fault(self.file, table, clip(row), field, message, remedy, self.part))
        return room

    def result(self, network: Network | None) -> NetworkRead:
        return NetworkRead(
            None if self.faults else network,
            tuple(self.faults),
            tuple(self.warnings),
            self.more,
        )


def clip(value: object, most: int = 60) -> str:
    """The value as short printable text, whatever a file holds there."""
    text = value if isinstance(value, str) else repr(value) if value is not None else "nothing"
    text = "".join(one if one.isprintable() else "?" for one in text[: most + 1])
    return text if len(text) <= most else text[:most] + "…"
