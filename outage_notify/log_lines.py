"""How the program writes its log: one JSON line per event on standard error, a constant text and fields.

Promises: what others log (Celery, the broker's client) comes out the same way, and of an exception its kind and the
places that it passed are written, never its words: drivers, templates and parsers quote the values that
they could not take, and those may be a person's. Leaves to whoever logs: no field holds an address, a name or a text.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO, cast

import structlog

log = structlog.get_logger()

_DEEPEST = 5  # exceptions of one chain that are named


class _StandardError:
    """Standard error as it is when a line is written, also after somebody has put another in its place."""

    def __init__(self) -> None:
        self.of_thread = threading.local()

    @property
    def writing(self) -> bool:
        """Whether this thread is within `write`."""
        return getattr(self.of_thread, "writing", False)

    def write(self, text: str) -> int:
        self.of_thread.writing = True
        try:
            return sys.stderr.write(text)
        finally:
            self.of_thread.writing = False

    def flush(self) -> None:
        sys.stderr.flush()


class _FromOthers(logging.Handler):
    """What libraries log. Where there is an exception, the text alone, without what is filled in."""

    def emit(self, record: logging.LogRecord) -> None:
        if _STANDARD_ERROR.writing:
            # Somebody made standard error a log: what it hears are our own lines, while we hold their lock.
            print(record.getMessage(), file=sys.__stderr__)
            return
        fields = {"exc_info": record.exc_info} if record.exc_info else {}
        said = str(record.msg) if record.exc_info else record.getMessage()
        log.log(record.levelno, said, logger=record.name, **fields)


def configure(level: int = logging.INFO) -> None:
    """Called by whoever builds the parts. Twice is harmless."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _error_without_words,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _STANDARD_ERROR)),
        cache_logger_on_first_use=True,
    )


def hear_others() -> None:
    """`configure` for a process that runs for long: what libraries warn of is written here too. Twice is harmless."""
    configure()
    root = logging.getLogger()
    if not any(isinstance(one, _FromOthers) for one in root.handlers):
        root.addHandler(_FromOthers())


def places(trace: TracebackType | None) -> list[str]:
    """File, line and function of each frame; no values, since those may be personal."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def kind(error: BaseException | None) -> str:
    """What an exception is, and from which others it came."""
    names: list[str] = []
    while error is not None and len(names) < _DEEPEST:
        names.append(type(error).__name__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " from ".join(names)


def _error_without_words(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    if given:
        error = given if isinstance(given, BaseException) else None
        error = given[1] if isinstance(given, tuple) else error or sys.exc_info()[1]
        event.setdefault("error", kind(error))
        event["where"] = places(error.__traceback__ if error is not None else None)
    return event


_STANDARD_ERROR = _StandardError()
