"""Strict reading of a policy file: an unknown, missing, doubled or ill-formed key is an error that names it.

`Section` is one mapping of the file: values are taken out by key and by type, and what is left
over at the end is unknown. Durations are written 30m, 24h, 2d or 1h30m; clock times are quoted ("21:00"),
because YAML reads a bare 21:00 as a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast

import yaml

from channels.model import Channel, Language
from outage_notify.domain.audience import Impact
from outage_notify.domain.checks import Limits
from outage_notify.domain.errors import SettingsError
from outage_notify.domain.ladder import Action, Escalation, Ladder, Rung, Step
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.policy import CustomerClass, ExceptionClause, Lead, LeadUnit, Policy, Reach, Rule
from outage_notify.domain.quiet_hours import NO_QUIET_HOURS, QuietHours

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_NOTICES = frozenset({NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD})
_NEWS = (NoticeKind.STARTED, NoticeKind.OVERRUN, NoticeKind.RESTORED)
_MISSING: Any = object()


class _Loader(yaml.SafeLoader):
    """YAML without the two traps: a doubled key, of which the later silently wins, and objects."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            problem = ""
            if not isinstance(key, yaml.ScalarNode):
                problem = "a key must be a plain word"
            elif key.value in seen:
                problem = f"the key {key.value} is given twice"
            if problem:
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_policy(text: str, place: str) -> Policy:
    """The policy written in `text`; `place` is how errors name the file. SettingsError on any fault."""
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise SettingsError(f"{place}{line}: not valid YAML: {problem}.", "Mend the file.") from error
    root = Section(data, place, "")
    policy = root.build(lambda: _policy(root))
    root.done()
    return policy


class Section:
    """One mapping in the file. Every value is taken once; `done` complains about the rest."""

    def __init__(self, data: object, place: str, path: str) -> None:
        self.place, self.path = place, path
        if not isinstance(data, dict):
            raise self.fault("", "a mapping of keys to values belongs here")
        self.left: dict[object, object] = dict(data)

    def fault(self, key: str, message: str, remedy: str = "") -> SettingsError:
        where = ".".join(part for part in (self.path, key) if part) or "the file"
        return SettingsError(f"{self.place}, {where}: {message}.", remedy)

    def take(self, key: str, default: Any = _MISSING) -> Any:
        value = self.left.pop(key, default)
        if value is _MISSING:
            raise self.fault(key, "is missing")
        return value

    def has(self, key: str) -> bool:
        return key in self.left

    def done(self) -> None:
        if self.left:
            raise self.fault(
                str(next(iter(self.left))), "is not a key that is known here", "Check its spelling."
            )

    def build(self, make: Callable[[], T]) -> T:
        """`make()`, with a refusal of the domain told as a fault of this section."""
        try:
            return make()
        except ValueError as error:
            raise self.fault("", str(error)) from error

    def text(self, key: str, default: Any = _MISSING) -> str:
        value = self.take(key, default)
        if not isinstance(value, str):
            raise self.fault(key, f"must be text, not {value!r}", "Put it in quotes.")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.fault(key, f"must be true or false, not {value!r}")
        return value

    def one_of(self, key: str, kind: type[E], default: Any = _MISSING) -> E:
        return self.member(key, kind, self.take(key, default))

    def member(self, key: str, kind: type[E], value: object) -> E:
        try:
            return kind(cast(str, value))
        except ValueError:
            raise self.fault(key, f"{value!r} is not one of {', '.join(kind)}") from None

    def items(self, key: str, default: Any = _MISSING) -> list[Any]:
        value = self.take(key, default)
        if not isinstance(value, list):
            raise self.fault(key, "must be a list")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key, [])
        if not all(isinstance(one, str) for one in values):
            raise self.fault(key, "must be a list of words")
        return tuple(values)

    def members(self, key: str, kind: type[E], default: Any = _MISSING) -> tuple[E, ...]:
        found = tuple(self.member(key, kind, one) for one in self.items(key, default))
        if not found:
            raise self.fault(key, "must not be empty")
        if len(set(found)) != len(found):
            raise self.fault(key, "names something twice")
        return found

    def section(self, key: str, default: Any = _MISSING) -> Section:
        return Section(self.take(key, default), self.place, ".".join(p for p in (self.path, key) if p))

    def sections(self, key: str) -> list[Section]:
        path = ".".join(p for p in (self.path, key) if p)
        return [Section(one, self.place, f"{path}[{n}]") for n, one in enumerate(self.items(key), start=1)]

    def duration(self, key: str, default: Any = _MISSING) -> timedelta:
        value = self.take(key, default)
        match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
        if match is None:
            raise self.fault(key, f"{value!r} is not a duration", "Write it as 30m, 24h, 2d or 1h30m.")
        days, hours, minutes = (int(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes)

    def clock(self, key: str) -> time:
        value = self.take(key)
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise self.fault(key, f"{value!r} is not a time of day", 'Write it in quotes: "21:00".')
        return time(int(match[1]), int(match[2]))


def _policy(root: Section) -> Policy:
    rules = tuple(_rule(one) for one in root.sections("rules"))
    ids = [rule.id for rule in rules]
    doubled = {one for one in ids if ids.count(one) > 1}
    if doubled:
        raise root.fault("rules", f"two rules have the id {min(doubled)}")
    if not any(
        rule.notice is NoticeKind.DAY_AHEAD
        and rule.applies_to is CustomerClass.ALL
        and OutageKind.PLANNED in rule.work
        for rule in rules
    ):
        raise root.fault(
            "rules", "no rule sends DAY_AHEAD to all for planned work", "Add one with duty: false."
        )
    ladders = tuple(_ladder(one) for one in root.sections("ladders"))
    if not ladders or ladders[-1][0] is not CustomerClass.ALL:
        raise root.fault("ladders", "the last ladder must apply to all", "Whoever fits no other takes it.")
    names = _table(root.section("names"), Language, lambda section, key: section.text(key))
    impacts = root.section("impacts")
    immediate = root.section("immediate")
    margins = root.section("margins")
    policy = Policy(
        id=root.text("id"),
        names=MappingProxyType({key.value: value for key, value in names.items()}),
        country=root.text("country"),
        subdivision=root.text("subdivision") if root.has("subdivision") else None,
        rules=rules,
        impacts=MappingProxyType(
            {
                Impact.NONE: Reach.NONE,
                **{one: impacts.one_of(one, Reach) for one in Impact if one is not Impact.NONE},
            }
        ),
        immediate=MappingProxyType({one: immediate.one_of(one, Reach) for one in _NEWS}),
        margins=MappingProxyType({one: margins.duration(one) for one in sorted(_NOTICES)}),
        ladders=ladders,
        quiet_hours=_quiet(root),
        escalation=_escalation(root),
        exception=_exception(root),
        written_by=frozenset(root.members("written_by", Channel, ["letter"])),
        letter_margin=root.duration("letter_margin", "24h"),
        wave_margin=root.duration("wave_margin", "1h"),
        late_change=root.duration("late_change", "48h"),
        spacing=root.duration("spacing", "12h"),
        token_life=root.duration("token_life", "45d"),
        limits=_limits(root),
    )
    for section in (impacts, immediate, margins):
        section.done()
    return policy


def _table(section: Section, kind: type[E], take: Callable[[Section, str], T]) -> Mapping[E, T]:
    found = {one: take(section, one) for one in kind}
    section.done()
    return found


def _rule(section: Section) -> Rule:
    lead = _lead(section.section("lead"))
    notice = section.one_of("notice", NoticeKind)
    if notice not in _NOTICES:
        raise section.fault("notice", f"must be SEVEN_DAY or DAY_AHEAD, not {notice}")
    duty = section.flag("duty", True)
    grade = section.text("grade", "" if not duty else _MISSING)
    if grade not in ("A", "B", "C") and (duty or grade):
        raise section.fault("grade", f"{grade!r} is not one of A, B, C", "A: the primary text was read.")
    acknowledgement = section.take("acknowledgement", None)
    if acknowledgement not in ("required", "sought", None):
        raise section.fault("acknowledgement", f"{acknowledgement!r} is not one of required, sought")
    basis = section.text("basis", "law" if duty else "house")
    if basis not in ("law", "house"):
        raise section.fault("basis", f"{basis!r} is not one of law, house")
    groups = section.items("channels_any", [])
    if not all(isinstance(group, list) and all(isinstance(one, str) for one in group) for group in groups):
        raise section.fault("channels_any", "must be a list of lists of words")
    rule = Rule(
        id=section.text("id"),
        applies_to=section.one_of("applies_to", CustomerClass),
        work=frozenset(section.members("work", OutageKind)),
        notice=notice,
        lead=lead,
        article=section.text("article"),
        grade=grade,
        duty=duty,
        basis=cast('Literal["law", "house"]', basis),
        written=section.flag("written"),
        acknowledgement=cast('Literal["required", "sought"] | None', acknowledgement),
        channels_any=tuple(tuple(group) for group in groups),
        channels_all=section.texts("channels_all"),
        content=section.texts("content"),
        liability=section.text("liability", ""),
        note=section.text("note", ""),
    )
    section.done()
    return rule


def _lead(section: Section) -> Lead:
    value = section.take("value")
    if not isinstance(value, int) or isinstance(value, bool):
        raise section.fault("value", f"must be a whole number, not {value!r}")
    count_from = section.text("count_from", "sent")
    if count_from not in ("sent", "received"):
        raise section.fault("count_from", f"{count_from!r} is not one of sent, received")
    unit = section.one_of("unit", LeadUnit)
    notice_day, outage_day = section.flag("exclude_notice_day"), section.flag("exclude_outage_day")
    counted = cast('Literal["sent", "received"]', count_from)
    section.done()
    return section.build(lambda: Lead(value, unit, counted, notice_day, outage_day))


def _rung(section: Section) -> Rung:
    rung = Rung(section.members("channels", Channel), section.flag("backup"), section.flag("required"))
    section.done()
    return rung


def _ladder(section: Section) -> tuple[CustomerClass, Ladder]:
    applies_to, visit = section.one_of("applies_to", CustomerClass), section.flag("visit")
    rungs = tuple(_rung(one) for one in section.sections("rungs"))
    if not rungs:
        raise section.fault("rungs", "must not be empty")
    section.done()
    return applies_to, section.build(lambda: Ladder(rungs, visit))


def _quiet(root: Section) -> QuietHours:
    if not root.has("quiet_hours"):
        return NO_QUIET_HOURS
    section = root.section("quiet_hours")
    begin, end, slack = section.clock("begin"), section.clock("end"), section.duration("slack", "1h")
    section.done()
    return section.build(lambda: QuietHours(begin, end, slack))


def _escalation(root: Section) -> Escalation:
    if not root.has("escalation"):
        return Escalation()
    section = root.section("escalation")
    reserve = section.duration("reserve", "24h")
    steps = []
    for one in section.sections("steps"):
        action, after = one.one_of("action", Action), one.duration("after")
        rung = None
        if action is not Action.VISIT:
            rung = Rung(one.members("channels", Channel), one.flag("backup"))
        one.done()
        steps.append(Step(action, after, rung))
    section.done()
    return section.build(lambda: Escalation(tuple(steps), reserve))


def _limits(root: Section) -> Limits:
    if not root.has("limits"):
        return Limits()
    section = root.section("limits")
    longest = section.duration("longest") if section.has("longest") else None
    times = section.take("times", Limits.times)
    if not isinstance(times, int) or isinstance(times, bool) or times < 2:
        raise section.fault("times", f"must be a whole number from 2, not {times!r}")
    limits = Limits(
        longest,
        section.text("longest_article", ""),
        times,
        section.duration("within", "60d"),
        section.duration("merge_within", "14d"),
        *_yearly(section),
        section.flag("plan_required", False),
    )
    section.done()
    return limits


def _yearly(section: Section) -> tuple[int | None, str, bool]:
    """The cap of a calendar year, its article, and whether somebody has read that."""
    if not section.has("yearly"):
        return None, "", True
    most = section.take("yearly")
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise section.fault("yearly", f"must be a whole number from 1, not {most!r}")
    grade = section.text("yearly_grade")
    if grade not in ("A", "B", "C"):
        raise section.fault(
            "yearly_grade", f"{grade!r} is not one of A, B, C", "A: the primary text was read."
        )
    return most, section.text("yearly_article"), grade != "C"


def _exception(root: Section) -> ExceptionClause:
    if not root.has("exception"):
        return ExceptionClause()
    section = root.section("exception")
    clause = ExceptionClause(
        section.flag("permitted"), section.text("article", ""), section.text("grade", "")
    )
    if clause.permitted and not clause.article:
        raise section.fault("article", "is missing", "Say by which rule a late window may be approved.")
    section.done()
    return clause
