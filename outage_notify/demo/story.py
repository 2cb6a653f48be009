"""The life of one planned outage, scene by scene. Reads as a story; each line is the real thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from importlib.resources import as_file, files
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from outage_notify.demo import people, proof
from outage_notify.demo.proof import Belongs, Expected
from outage_notify.demo.stage import Stage
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.audience import Impact
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.services import plan_outage, run_outage
from outage_notify.services.acknowledge import Answer, answer
from outage_notify.services.approve_outage import approve, preflight
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.outage_views import outage_view
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.receipts import verify_database
from outage_notify.services.users import add_user
from outage_notify.store import outage_queries, story_queries
from outage_notify.store.story_queries import Role

WORK = "line:172"
PLANNER, APPROVER, PASSWORD = "li.na", "wang.wei", "demo-Oberrhein-2026"
REASON = {"zh-CN": "更换20千伏电缆终端头", "en": "Replacement of cable terminations"}
AREA, LINE = "Schutterwald", "Line 172"


@dataclass
class Story:
    """What the scenes hand on to each other."""

    stage: Stage
    out: Console
    start: datetime
    end: datetime
    reference: str = ""
    cast: list[Role] = field(default_factory=list)
    refuser: Role | None = None
    silent: Role | None = None
    dead: Role | None = None
    expected: list[Expected] = field(default_factory=list)

    @property
    def signers(self) -> list[Role]:
        """Key customers who sign without ado."""
        return [one for one in self.cast if one.key and one not in (self.refuser, self.silent)]

    def say(self, line: str) -> None:
        self.out.print(f"[dim]{self.stage.now():%a %d %b %H:%M}[/dim]  {line}")

    def scene(self, title: str) -> None:
        self.out.rule(f"[bold]{title}")


def opening(stage: Stage, out: Console) -> Story:
    """The story before anything has happened: a morning's work, a good two weeks ahead."""
    day = stage.now().date() + timedelta(days=15)
    start = datetime.combine(day, time(8, 30), tzinfo=stage.rt.zone)
    return Story(stage, out, start, start + timedelta(hours=4))


def play(story: Story, *, inject_double: bool = False) -> bool:
    """All scenes in order. Says whether everybody was told once and nobody twice."""
    prepare(story)
    plan(story)
    submit_and_approve(story)
    seven_days_ahead(story)
    signatures(story)
    silence(story)
    moved(story)
    day_ahead(story)
    the_day(story)
    if inject_double:
        _double(story)
    return closing(story)


def prepare(story: Story) -> None:
    """A morning at nine: network, customers, two people."""
    story.scene("The utility: a network and its customers")
    rt = story.stage.rt
    now = story.stage.now()
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(9), tzinfo=rt.zone)
    story.stage.turn_to(tomorrow)
    sample = files("outage_notify") / "sample"
    with as_file(sample / "network" / "oberrhein_schutterwald.json") as path:
        import_network(rt, path, by="demo")
    with as_file(sample / "customers.csv") as path:
        import_customers(rt, path)
    add_user(rt, PLANNER, PASSWORD, ["planner"], "李娜")
    add_user(rt, APPROVER, PASSWORD, ["approver"], "王伟")
    story.say("MV Oberrhein with Schutterwald below it is imported, and everybody who lives and works there.")


def plan(story: Story) -> None:
    """A dispatcher plans; the network is traced; the affected appear by tier."""
    story.scene("李娜 plans work on a cable section")
    rt = story.stage.rt
    request = _request(story)
    seen = plan_outage.preview(rt, request)
    found = seen.resolved.resolution
    story.say(f"Work on {WORK}: open {', '.join(found.opened)}; {len(found.lost)} loads lose supply.")
    story.reference = plan_outage.plan(rt, PLANNER, request)
    story.say(f"{story.reference}, {story.start:%d %b %H:%M} to {story.end:%H:%M}. Who is hit:")
    _show_tiers(story, seen.by_tier)


def submit_and_approve(story: Story) -> None:
    """Submitted by one person, approved by another."""
    story.scene("Submitted by one, approved by another")
    rt = story.stage.rt
    plan_outage.submit(rt, PLANNER, story.reference)
    ahead = preflight(rt, story.reference)
    texts = ", ".join(f"{lang} {n} segments {code}" for lang, (n, code) in ahead.sms_segments.items())
    story.say(f"Preflight: {ahead.people} people; longest texts {texts}.")
    for duty in ahead.unmet_duties:
        story.say(f"[yellow]Not met by wire: {duty}[/yellow]")
    planned = approve(rt, APPROVER, story.reference)
    story.say(f"王伟 approves; {planned} deliveries stand in the outbox.")
    _assign_roles(story)
    _expect(story, "SEVEN_DAY", 1)
    _expect(story, "DAY_AHEAD", 1, hold=True)


def seven_days_ahead(story: Story) -> None:
    """The first wave; a dead number, lost answers, repeated callbacks."""
    story.scene("Seven days ahead")
    story.stage.turn_to(story.start - timedelta(days=8, minutes=-5))
    story.stage.settle()
    _say_channels(story)
    if story.dead:
        story.say(f"The mobile number of {story.dead.name} is dead: the next channel took over.")


def signatures(story: Story) -> None:
    """Most key customers sign: by link, by reply, by key; one refuses."""
    story.scene("Signatures")
    rt = story.stage.rt
    _sign_all(story)
    if story.refuser:
        with rt.database.read() as session:
            outage = outage_queries.outage_by_reference(session, story.reference)
            asked = story_queries.acknowledgement_id(session, outage.id, outage.revision, story.refuser.ref)
        if asked:
            refused = Answer(
                AckState.REFUSED,
                AckWay.VISIT,
                signer_name=story.refuser.name,
                reason="The date collides with an operation that can't be moved.",
                witness="Grid manager on site",
            )
            answer(rt, asked, refused, by=PLANNER)
            story.say(f"{story.refuser.name} refuses (拒签); the grid manager is witness.")


def silence(story: Story) -> None:
    """One says nothing: reminded, called, the backup contact tried, at last a visit."""
    story.scene("One is silent")
    if story.silent is None:
        return
    for _ in range(4):
        story.stage.pass_time(timedelta(hours=24))
        story.stage.settle()
    view = outage_view(story.stage.rt, story.reference)
    visits = [one for one in view["tasks"] if one["kind"] == "visit"]
    for one in visits:
        story.say(f"{one['name']} has not answered: {one['grid_manager']} is to go there.")
    if not visits:
        story.say("[red]No visit task stands.[/red]")


def moved(story: Story) -> None:
    """The window is moved: everybody told is told again, old signatures are stale."""
    story.scene("The work is moved by a week")
    rt, before = story.stage.rt, outage_view(story.stage.rt, story.reference)
    signed = sum(one["state"] == "ACKNOWLEDGED" for one in before["acknowledgements"])
    story.start += timedelta(days=7)
    story.end += timedelta(days=7)
    number = plan_outage.revise(rt, PLANNER, story.reference, _request(story))
    plan_outage.submit(rt, PLANNER, story.reference)
    approve(rt, APPROVER, story.reference)
    _expect(story, "CHANGED", number)
    _drop_held(story)
    _expect(story, "DAY_AHEAD", number)
    story.stage.settle()
    story.say(
        f"Revision {number}: {signed} signatures of the old window are superseded, all are asked again."
    )
    _sign_all(story)
    _say_channels(story)


def day_ahead(story: Story) -> None:
    """The second notice."""
    story.scene("A day ahead")
    story.stage.turn_to(story.start - timedelta(hours=25))
    story.stage.settle()
    _say_channels(story)


def the_day(story: Story) -> None:
    """Start, overrun, end, restored."""
    story.scene("The day")
    rt = story.stage.rt
    story.stage.turn_to(story.start + timedelta(minutes=2))
    run_outage.start(rt, PLANNER, story.reference)
    _expect(story, "STARTED", 2, told_of=True)
    story.stage.settle()
    story.say("The work starts.")
    story.stage.turn_to(story.end - timedelta(minutes=20))
    late = story.end + timedelta(minutes=90)
    run_outage.overrun(rt, PLANNER, story.reference, late)
    _expect(story, "OVERRUN", 2, told_of=True)
    story.stage.settle()
    story.say(f"It takes longer, until {late:%H:%M}; those told are told.")
    story.stage.turn_to(late - timedelta(minutes=10))
    run_outage.complete(rt, PLANNER, story.reference)
    _expect(story, "RESTORED", 2, told_of=True)
    story.stage.settle()
    story.say("Supply is back; restoration is told.")


def closing(story: Story) -> bool:
    """The table, and the chain of receipts."""
    story.scene("What was proved")
    rt = story.stage.rt
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, story.reference)
        owners = story_queries.owners(session, outage.id)
        excused = story_queries.task_customers(session, outage.id)
    belongs = {
        mark: Belongs(_name(kind, revision, serial), customers)
        for mark, (kind, revision, serial, customers) in owners.items()
    }
    # Reminders go to those who have not signed: whoever the escalation chose must have got it.
    reminded: dict[str, set[str]] = {}
    for one in belongs.values():
        if one.notice.startswith("REMINDER"):
            reminded.setdefault(one.notice, set()).update(one.customers)
    expected = [*story.expected, *(Expected(name, frozenset(who)) for name, who in sorted(reminded.items()))]
    counts = proof.count(people.ledger(story.stage), expected, belongs, excused)
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
    notice = next((link for link in _links(story, one)), "")
    table = Table(title="Have a look", show_header=False)
    table.add_row("dispatcher", f"{story.stage.web}/desk/")
    table.add_row("sign in as", f"{PLANNER} or {APPROVER}, password {PASSWORD}")
    table.add_row(f"notice of {one.name}", notice)
    table.add_row("its calendar", f"{story.stage.web}/feeds/{secret}.ics")
    table.add_row("public map", f"{story.stage.web}/")
    table.add_row("why somebody was told", _explain_hint(story, one))
    story.out.print(table)


def _explain_hint(story: Story, one: Role) -> str:
    url = story.stage.rt.settings.database_url
    return (
        f"OUTAGE_NOTIFY_SIMULATOR=1 OUTAGE_NOTIFY_DATABASE_URL={url} "
        f"outage-notify explain --outage {story.reference} --customer {one.customer_id}"
    )


def _request(story: Story) -> PlanRequest:
    return PlanRequest(OutageKind.PLANNED, story.start, story.end, REASON, area=AREA, line=LINE, work=(WORK,))


def _assign_roles(story: Story) -> None:
    """Who refuses, who is silent, whose number is dead; and how the telephones behave."""
    with story.stage.rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, story.reference)
        story.cast = story_queries.cast(session, outage.id, outage.revision)
    key = [one for one in story.cast if one.key]
    story.refuser = next((one for one in key if one.kind == "bank"), key[0] if len(key) > 2 else None)
    rest = [one for one in key if one is not story.refuser]
    story.silent = next((one for one in rest if one.sms and one.voice and one.has_backup), None)
    others = [one for one in story.cast if not one.key and one.sms and one.voice]
    story.dead = others[0] if others else None
    rules: list[dict[str, Any]] = []
    if story.dead:
        rules.append({"channel": "sms", "to": [story.dead.sms], "do": "dead_number"})
    if story.silent:
        rules.append({"channel": "voice", "to": [story.silent.voice], "do": "machine"})
    callers = [one.voice for one in key if one.voice and one is not story.silent]
    rules.append({"channel": "voice", "to": callers, "do": {"keys": ["1"]}})
    rules.append({"channel": "sms", "share": 0.03, "do": "lost_answer"})
    rules.append({"channel": "*", "share": 0.05, "do": "repeated_callbacks"})
    rules.append({"channel": "*", "share": 0.05, "do": "reversed_callbacks"})
    people.script(story.stage, rules, seed=7)


def _sign_all(story: Story) -> None:
    """Every signer signs the standing revision: some by reply, the others by the link in their text."""
    rt = story.stage.rt
    by_reply = 0
    signed = 0
    for number, one in enumerate(story.signers):
        if number % 4 == 3 and one.sms:
            people.reply(story.stage, one.sms, "收到" if number % 8 == 3 else "1")
            by_reply += 1
            continue
        link = next(iter(_links(story, one)), "")
        if link:
            people.sign(link, f"Duty engineer, {one.name}"[:120], "duty engineer")
            signed += 1
    story.stage.settle()
    states = [one["state"] for one in outage_view(rt, story.reference)["acknowledgements"]]
    story.say(
        f"{states.count('ACKNOWLEDGED')} of {len(states)} key customers have signed "
        f"({signed} by link, {by_reply} by replying to the text)."
    )


def _links(story: Story, one: Role) -> list[str]:
    """Signing links in what reached a customer, the newest first."""
    base = f"{story.stage.web}/s/"
    found = []
    for entry in people.ledger(story.stage):
        if entry["to"] in (one.sms, one.email) and base in entry["text"]:
            found.append(base + entry["text"].split(base, 1)[1].split()[0].rstrip(".,;)。）"))
    return found[::-1]


def _expect(story: Story, kind: str, revision: int, *, hold: bool = False, told_of: bool = False) -> None:
    """Note who must know of this notice, from the frozen audience and the policy."""
    rt = story.stage.rt
    with rt.database.read() as session:
        outage = outage_queries.outage_by_reference(session, story.reference)
        cast = story_queries.cast(session, outage.id, outage.revision)
    concerned = {
        one.customer_id
        for one in cast
        if rt.policy.told(Impact(one.impact), one.key)
        and (not told_of or rt.policy.told_of(NoticeKind(kind), one.key))
    }
    name = _name(kind, revision)
    story.expected = [one for one in story.expected if one.name != name]
    story.expected.append(Expected(name, frozenset(concerned)))
    if hold:
        story.out.print(f"[dim]{len(concerned)} people are to hear again a day ahead.[/dim]")


def _drop_held(story: Story) -> None:
    """The day-ahead notice of the replaced revision is not due any more."""
    story.expected = [one for one in story.expected if one.name != _name("DAY_AHEAD", 1)]


def _name(kind: str, revision: int, serial: int = 1) -> str:
    return f"{kind} r{revision}" + (f" #{serial}" if kind == "REMINDER" else "")


def _say_channels(story: Story) -> None:
    view = outage_view(story.stage.rt, story.reference)
    for notice in view["notices"]:
        ways = [
            f"{channel}: " + ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
            for channel, states in sorted(notice["channels"].items())
        ]
        story.say(f"{notice['kind']} r{notice['revision']}: " + "; ".join(ways))


def _show_tiers(story: Story, by_tier: dict[str, dict[str, int]]) -> None:
    table = Table()
    for column in ("tier", "outage", "one of two feeds", "short break", "customers"):
        table.add_column(column, justify="left" if column == "tier" else "right")
    for tier, row in by_tier.items():
        table.add_row(tier, *(str(row[name]) for name in ("outage", "reduced", "momentary", "customers")))
    story.out.print(table)


def _double(story: Story) -> None:
    """For tests of the proof itself: somebody is told twice behind the product's back."""
    entry = next(one for one in people.ledger(story.stage) if one["channel"] == "sms")
    settings = story.stage.rt.settings
    requests.post(
        f"{settings.twilio_api_base}/2010-04-01/Accounts/{settings.twilio_account_sid}/Messages.json",
        auth=(settings.twilio_account_sid, settings.twilio_auth_token),
        data={"To": entry["to"], "From": settings.twilio_from, "Body": entry["text"]},
        timeout=people.TIMEOUT,
    ).raise_for_status()
