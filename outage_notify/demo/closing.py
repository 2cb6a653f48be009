"""The end of the demo: the table of what was proved, and where to look now."""

from __future__ import annotations

import sys
from pathlib import Path

import requests

from outage_notify.demo import people, proof
from outage_notify.demo.book import APPROVER, PASSWORD, PLANNER, Story, links, name_of
from outage_notify.demo.proof import Belongs
from outage_notify.services.receipts import verify_database
from outage_notify.store import outage_queries, story_queries
from outage_notify.store.story_queries import Role


def closing(story: Story) -> bool:
    """The table, and the chain of receipts."""
    story.scene("What was proved")
    rt = story.stage.rt
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, story.reference)
        owners = story_queries.owners(session, outage.id)
        excused = story_queries.task_customers(session, outage.id)
    belongs = {
        mark: Belongs(name_of(kind, revision, serial), customers)
        for mark, (kind, revision, serial, customers) in owners.items()
    }
    counts = proof.count(people.ledger(story.stage), story.expected, belongs, excused, extra="REMINDER")
    story.out.print(proof.table(counts))
    chain = verify_database(rt)
    story.say(f"Receipts: {chain.count} in the chain, {'unbroken' if chain.ok else 'BROKEN'}.")
    good = proof.holds(counts) and chain.ok
    verdict = "[green]Everybody was told, nobody twice.[/green]" if good else "[red]It does not hold.[/red]"
    story.out.print(f"[bold]{verdict}")
    return good


def addresses(story: Story) -> None:
    """Where to look now."""
    rt = story.stage.rt
    one = story.signers[0] if story.signers else story.cast[0]
    with rt.database.read() as session:
        secret = story_queries.feed_secret(session, one.ref)
    notice = next((link for link in links(story, one)), "")
    # Plain lines: a table cuts addresses on a narrow terminal, and a cut one cannot be opened.
    for label, value in (
        ("dispatcher", f"{story.stage.web}/desk/"),
        ("sign in as", f"{PLANNER} or {APPROVER}, password {PASSWORD}"),
        (f"notice of {one.name}", notice),
        ("its calendar", f"{story.stage.web}/feeds/{secret}.ics"),
        ("public map", f"{story.stage.web}/"),
        ("why somebody was told", _explain_hint(story, one)),
    ):
        story.out.print(f"[bold]{label}:[/bold] {value}", soft_wrap=True)


def _explain_hint(story: Story, one: Role) -> str:
    url = story.stage.rt.settings.database_url
    # As it was called, so that the line can be pasted: .venv/bin is seldom on the path.
    program = sys.argv[0] if Path(sys.argv[0]).name == "outage-notify" else "outage-notify"
    return (
        f"OUTAGE_NOTIFY_SIMULATOR=1 OUTAGE_NOTIFY_DATABASE_URL={url} "
        f"{program} explain --outage {story.reference} --customer {one.customer_id}"
    )


def inject_double(story: Story) -> None:
    """For tests of the proof itself: somebody is told twice behind the product's back."""
    entry = next(one for one in people.ledger(story.stage) if one["channel"] == "sms")
    settings = story.stage.rt.settings
    requests.post(
        f"{settings.twilio_api_base}/2010-04-01/Accounts/{settings.twilio_account_sid}/Messages.json",
        auth=(settings.twilio_account_sid, settings.twilio_auth_token),
        data={"To": entry["to"], "From": settings.twilio_from, "Body": entry["text"]},
        timeout=people.TIMEOUT,
    ).raise_for_status()
