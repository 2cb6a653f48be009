"""A line of the log: JSON on standard error, and never what somebody's data made an exception say."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from outage_notify import log_lines

SECRET = "+447700900123"
log = structlog.get_logger()


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    log_lines.configure()
    yield
    root.handlers[:] = before


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == "" and SECRET not in err
    return [json.loads(line) for line in err.splitlines()]


def fail() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise RuntimeError(f"no text for {SECRET}") from error


def test_a_line_is_a_constant_text_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("delivery settled", delivery=7, channel="sms")
    log.debug("left out")
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "delivery settled", "level": "info", "delivery": 7, "channel": "sms"}


def test_of_an_exception_its_kind_and_place_are_told_and_not_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        fail()
    except RuntimeError:
        log.exception("message can't be made", delivery=7)
    (line,) = lines(capsys)
    assert line["error"] == "RuntimeError from KeyError" and line["level"] == "error"
    assert len(line["where"]) == 2 and line["where"][-1].endswith(" fail")


def test_what_a_library_logs_of_an_exception_is_told_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    log_lines.hear_others()
    log_lines.hear_others()
    try:
        fail()
    except RuntimeError as error:
        logging.getLogger("celery.app.trace").error(
            "Task %(name)s raised: %(exc)s", {"name": "send", "exc": error}, exc_info=True
        )
    (line,) = lines(capsys)
    assert (line["logger"], line["error"]) == ("celery.app.trace", "RuntimeError from KeyError")
    logging.getLogger("kombu").warning("trying again in %s s", 4)
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("trying again in 4 s", "warning")


def test_a_field_that_is_no_json_is_written_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning("odd", what={1, 2}, text="停电")
    (line,) = lines(capsys)
    assert line["what"] == "{1, 2}" and line["text"] == "停电"
