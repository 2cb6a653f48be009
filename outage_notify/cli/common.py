"""What commands share: the runtime with an up-to-date database, and options used by several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from outage_notify.services.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else."
)
by_option = click.option("--by", required=True, metavar="USER", help="Who does this; a user's name.")


@contextmanager
def runtime(*, migrated: bool = True) -> Iterator[Runtime]:
    """Settings and parts for one command; the database is brought up to date unless told otherwise."""
    from outage_notify.log_lines import configure
    from outage_notify.services.runtime import Runtime
    from outage_notify.settings import Settings
    from outage_notify.store.migrate import ensure

    # What is logged on the way goes to standard error: standard output is the result's alone.
    configure()
    rt = Runtime.build(Settings.load())
    try:
        if migrated:
            ensure(rt.database)
        yield rt
    finally:
        rt.database.close()


def switching_options(command: F) -> F:
    """--work, --out, --close and --close-ties, as everything that traces takes them."""
    options = [
        click.option(
            "--work",
            multiple=True,
            metavar="KIND:ID",
            help="Will be worked on: every switch on the border of its zone is opened. May be repeated.",
        ),
        click.option(
            "--out",
            multiple=True,
            metavar="KIND:ID",
            help="Is only opened at its ends (a switch: opened). May be repeated.",
        ),
        click.option(
            "--close",
            multiple=True,
            metavar="switch:ID",
            help="A normally open switch to close. May be repeated.",
        ),
        click.option(
            "--close-ties", is_flag=True, help="Close every normally open switch that may be closed."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def reason_texts(reasons: tuple[str, ...]) -> dict[str, str]:
    """`--reason` values by language: "en=Cable repair", or bare, told apart by its script."""
    texts: dict[str, str] = {}
    for reason in reasons:
        language, mark, text = reason.partition("=")
        if mark and language.strip().lower() in {"zh-cn", "zh", "en"}:
            key = "en" if language.strip().lower() == "en" else "zh-CN"
        else:
            key, text = ("zh-CN" if re.search(r"[\u4e00-\u9fff]", reason) else "en"), reason
        if key in texts:
            raise click.UsageError(f"--reason is given twice in {key}.")
        if text.strip():
            texts[key] = text.strip()
    return texts
