"""A line of the log: JSON on standard error, and never what somebody's data made an exception say."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from celery.utils.log import LoggingProxy

from outage_notify import log_lines
from outage_notify.worker.celery_app import create_celery
from tests.factories.runtimes import make_runtime

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


@pytest.mark.timeout(30)
def test_a_standard_error_that_is_itself_a_log_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Celery makes it of a worker's: a line that came back to its own logger would wait for itself for ever."""
    log_lines.hear_others()
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    monkeypatch.setattr(sys, "stderr", LoggingProxy(logging.getLogger("redirected"), logging.WARNING))
    log.warning("told", count=1)
    assert [one["event"] for one in lines(capsys)] == ["told"]


def test_a_worker_leaves_standard_error_as_it_is(tmp_path: Path) -> None:
    rt = make_runtime(f"sqlite:///{tmp_path / 'x.db'}", tmp_path)
    assert create_celery(rt).conf.worker_redirect_stdouts is False
    rt.database.close()
