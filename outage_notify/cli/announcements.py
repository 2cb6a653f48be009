"""outage paper, announce, announcements, plan-notice: the papers of an outage, and where they were announced."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from channels.model import Language
from channels.papers import Paper
from outage_notify.cli.common import by_option, json_option, runtime
from outage_notify.cli.output import emit, say, show, table
from outage_notify.domain.announcement import Medium

paper_argument = click.argument("paper", type=click.Choice([one.value for one in Paper]))
language_option = click.option(
    "--language",
    type=click.Choice([one.value for one in Language]),
    default=Language.ZH.value,
    show_default=True,
    help="In which language.",
)


@click.command()
@click.argument("reference")
@paper_argument
@language_option
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), help="Write the PDF to this file.")
def paper(reference: str, paper: str, language: str, pdf: Path | None) -> int:
    """Print a paper of an outage as text, or write its PDF: hotline entry, media announcement,
    community poster, plan notice."""
    from outage_notify.services import papers

    with runtime() as rt:
        if pdf is not None:
            pdf.write_bytes(papers.paper_pdf(rt, reference, Paper(paper), Language(language)))
            return 0
        made = papers.paper(rt, reference, Paper(paper), Language(language))
    sys.stdout.write(made.text)
    say(f"SHA-256 {made.sha256}")
    return 0


@click.command()
@click.argument("reference")
@paper_argument
@click.option("--medium", required=True, type=click.Choice([one.value for one in Medium]), help="Where.")
@click.option(
    "--place", default="", help="Which newspaper, station, community or office, or the page's address."
)
@click.option("--at", "when", metavar="TIME", help="Local time of the announcement; left out: now.")
@click.option("--sha256", default="", help="Hash of the words that were announced; another one is refused.")
@language_option
@by_option
@json_option
def announce(
    reference: str,
    paper: str,
    medium: str,
    place: str,
    when: str | None,
    sha256: str,
    language: str,
    by: str,
    as_json: bool,
) -> int:
    """Record that a paper was announced: medium, time and hash of the words, which the policy counts."""
    from outage_notify.domain.window import local_instant
    from outage_notify.services import announce as service

    with runtime() as rt:
        at = local_instant(when, rt.zone, field="at") if when else None
        said = service.Announced(Paper(paper), Medium(medium), Language(language), place, at, sha256)
        number = service.announce(rt, by, reference, said)
    if as_json:
        emit({"id": number})
    else:
        show(f"{reference}: recorded as announcement {number}.")
    return 0


@click.command()
@click.argument("reference")
@click.option("--take-back", "number", type=int, help="Mark this record as entered wrongly.")
@click.option("--reason", default="", help="What was wrong with it.")
@click.option("--by", default="", metavar="USER", help="Who takes it back.")
@json_option
def announcements(reference: str, number: int | None, reason: str, by: str, as_json: bool) -> int:
    """Show what has to be announced and what was; or take a wrong record back.

    Exit status 1 if a duty to announce is past its deadline without a record in time.
    """
    from outage_notify.services import announce as service

    with runtime() as rt:
        if number is not None:
            service.take_back(rt, by, number, reason)
        found = service.announcements(rt, reference)
    if as_json:
        emit(found)
    else:
        for one in found["duties"]:
            show(f"{one['state']:<5} {one['asks']} by {one['deadline']} ({one['article']})")
        columns = ["id", "revision", "paper", "medium", "place", "language", "at", "recorded_by", "sha256"]
        rows = [one for one in found["records"] if not one["void_at"]]
        table(columns, ([str(one[name]) for name in columns] for one in rows))
    return 1 if any(one["state"] == "late" for one in found["duties"]) else 0


@click.command("plan-notice")
@click.argument("reference")
@language_option
@by_option
@json_option
def plan_notice(reference: str, language: str, by: str, as_json: bool) -> int:
    """Mail the plan notice to the offices of OUTAGE_NOTIFY_PLAN_NOTICE_TO that have not got it; each on record.

    Exit status 1 if one of them did not take it.
    """
    from outage_notify.services.send_plan_notice import send_plan_notice

    with runtime() as rt:
        sent = send_plan_notice(rt, by, reference, Language(language))
    if as_json:
        emit({"sent": sent.now, "before": sent.before, "failed": len(sent.failed)})
    else:
        show(f"{reference}: sent to {sent.now}, {sent.before} had it before, {len(sent.failed)} failed.")
    return 1 if sent.failed else 0
