"""What the scenes of the demo hand on to each other, and how they speak on the terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.table import Table

from outage_notify.demo import people
from outage_notify.demo.proof import Expected
from outage_notify.demo.stage import Stage
from outage_notify.domain.audience import Impact
from outage_notify.domain.notice import NoticeKind
from outage_notify.services.outage_views import outage_view
from outage_notify.store import outage_queries, story_queries
from outage_notify.store.story_queries import Role

# They exist only in the demo's own database, and the password is printed on the terminal.
PLANNER, APPROVER, PASSWORD = "li.na", "wang.wei", "demo-Oberrhein-2026"


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
    said: set[str] = field(default_factory=set)

    @property
    def signers(self) -> list[Role]:
        """Key customers who sign without ado."""
        return [one for one in self.cast if one.key and one not in (self.refuser, self.silent)]

    def say(self, line: str) -> None:
        self.out.print(f"[dim]{self.stage.now():%a %d %b %H:%M}[/dim]  {line}")

    def scene(self, title: str) -> None:
        self.out.rule(f"[bold]{title}")


def expect(story: Story, kind: str, revision: int, *, hold: bool = False, told_of: bool = False) -> None:
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
    name = name_of(kind, revision)
    story.expected = [one for one in story.expected if one.name != name]
    story.expected.append(Expected(name, frozenset(concerned)))
    if hold:
        story.out.print(f"[dim]{len(concerned)} people are to hear again a day ahead.[/dim]")


def drop_held(story: Story) -> None:
    """The day-ahead notice of the replaced revision is not due any more."""
    story.expected = [one for one in story.expected if one.name != name_of("DAY_AHEAD", 1)]


def name_of(kind: str, revision: int, serial: int = 1) -> str:
    return f"{kind} r{revision}" + (f" #{serial}" if kind == "REMINDER" else "")


def say_channels(story: Story) -> None:
    """The deliveries of the standing revision, of notices that changed since last said."""
    view = outage_view(story.stage.rt, story.reference)
    for notice in view["notices"]:
        ways = [
            f"{channel} " + ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
            for channel, states in sorted(notice["channels"].items())
        ]
        line = f"{name_of(notice['kind'], notice['revision'], notice['serial'])}: " + "; ".join(ways)
        if notice["revision"] == view["revision"] and line not in story.said:
            story.said.add(line)
            story.say(line)


def show_tiers(story: Story, by_tier: dict[str, dict[str, int]]) -> None:
    table = Table()
    for column in ("tier", "outage", "one of two feeds", "short break", "customers"):
        table.add_column(column, justify="left" if column == "tier" else "right")
    for tier, row in by_tier.items():
        table.add_row(tier, *(str(row[name]) for name in ("outage", "reduced", "momentary", "customers")))
    story.out.print(table)


def links(story: Story, one: Role) -> list[str]:
    """Signing links in what reached a customer, the newest first."""
    base = f"{story.stage.web}/s/"
    found = []
    for entry in people.ledger(story.stage):
        if entry["to"] in (one.sms, one.email) and base in entry["text"]:
            found.append(base + entry["text"].split(base, 1)[1].split()[0].rstrip(".,;)。）"))
    return found[::-1]
