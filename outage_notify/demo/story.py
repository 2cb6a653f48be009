"""The life of one planned outage, scene by scene. Reads as a story; each line is the real thing."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from importlib.resources import as_file, files
from typing import Any

from rich.console import Console

from outage_notify.demo import closing, people
from outage_notify.demo.book import (
    APPROVER,
    PASSWORD,
    PLANNER,
    Story,
    drop_held,
    expect,
    links,
    say_channels,
    show_tiers,
)
from outage_notify.demo.stage import Stage
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.outage import OutageKind
from outage_notify.services import plan_outage, print_letters, run_outage, start_gate
from outage_notify.services.acknowledge import Answer, answer
from outage_notify.services.approve_outage import approve, preflight
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.outage_views import outage_view
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.users import add_user
from outage_notify.store import outage_queries, story_queries

WORK = "line:174"
REASON = {"zh-CN": "更换20千伏电缆终端头", "en": "Replacement of cable terminations"}
AREA, LINE = "Schutterwald", "Line 174"


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
        closing.inject_double(story)
    return closing.closing(story)


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
    request = request_for(story)
    seen = plan_outage.preview(rt, request)
    found = seen.resolved.resolution
    story.say(f"Work on {WORK}: open {', '.join(found.opened)}; {len(found.lost)} loads lose supply.")
    story.reference = plan_outage.plan(rt, PLANNER, request)
    story.say(f"{story.reference}, {story.start:%d %b %H:%M} to {story.end:%H:%M}. Who is hit:")
    show_tiers(story, seen.by_tier)


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
    expect(story, "SEVEN_DAY", 1)
    expect(story, "DAY_AHEAD", 1, hold=True)


def seven_days_ahead(story: Story) -> None:
    """The first wave; a dead number, lost answers, repeated callbacks."""
    story.scene("Seven days ahead")
    story.stage.turn_to(story.start - timedelta(days=8, minutes=-5))
    story.stage.settle()
    say_channels(story)
    _letters(story)
    if story.dead:
        story.say(f"The mobile number of {story.dead.name} is dead: the next channel took over.")


def _letters(story: Story) -> None:
    """Who has neither telephone nor e-mail gets a letter: printed, posted, its day entered."""
    rt = story.stage.rt
    if not print_letters.pending(rt):
        return
    batch, pdf = print_letters.print_batch(rt, PLANNER, story.reference)
    sent = print_letters.mark_posted(rt, PLANNER, batch, story.stage.now().date())
    story.say(f"By letter: {sent} printed ({len(pdf) // 1024} kB of PDF) and posted.")


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
    number = plan_outage.revise(rt, PLANNER, story.reference, request_for(story))
    plan_outage.submit(rt, PLANNER, story.reference)
    approve(rt, APPROVER, story.reference)
    expect(story, "CHANGED", number)
    drop_held(story)
    expect(story, "DAY_AHEAD", number)
    story.stage.settle()
    story.say(
        f"Revision {number}: {signed} signatures of the old window are superseded, all are asked again."
    )
    _sign_all(story)
    say_channels(story)


def day_ahead(story: Story) -> None:
    """The second notice."""
    story.scene("A day ahead")
    eve = story.start - timedelta(hours=23, minutes=30)
    while story.stage.now() + timedelta(days=1) < eve:
        story.stage.pass_time(timedelta(days=1))
        _letters(story)
    story.stage.turn_to(eve)
    story.stage.settle()
    say_channels(story)


def the_day(story: Story) -> None:
    """Start, overrun, end, restored."""
    story.scene("The day")
    rt = story.stage.rt
    story.stage.turn_to(story.start + timedelta(minutes=2))
    start_gate.decide(rt, APPROVER, story.reference, "The grid manager stands at the door of who is silent.")
    run_outage.start(rt, PLANNER, story.reference)
    expect(story, "STARTED", 2, told_of=True)
    story.stage.settle()
    story.say("The work starts.")
    story.stage.turn_to(story.end - timedelta(minutes=20))
    late = story.end + timedelta(minutes=90)
    run_outage.overrun(rt, PLANNER, story.reference, late)
    expect(story, "OVERRUN", 2, told_of=True)
    story.stage.settle()
    story.say(f"It takes longer, until {late:%H:%M}; those told are told.")
    story.stage.turn_to(late - timedelta(minutes=10))
    run_outage.complete(rt, PLANNER, story.reference)
    expect(story, "RESTORED", 2, told_of=True)
    story.stage.settle()
    story.say("Supply is back; restoration is told.")


def request_for(story: Story, start: datetime | None = None) -> PlanRequest:
    """The work as it is planned; at another start, for as long."""
    begin = start or story.start
    end = begin + (story.end - story.start)
    return PlanRequest(OutageKind.PLANNED, begin, end, REASON, area=AREA, line=LINE, work=(WORK,))


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
        link = next(iter(links(story, one)), "")
        if link:
            people.sign(link, f"Duty engineer, {one.name}"[:120], "duty engineer")
            signed += 1
    story.stage.settle()
    states = [one["state"] for one in outage_view(rt, story.reference)["acknowledgements"]]
    story.say(
        f"{states.count('ACKNOWLEDGED')} of {len(states)} key customers have signed "
        f"({signed} by link, {by_reply} by replying to the text)."
    )
