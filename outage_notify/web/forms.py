"""From what was typed into a form to what a service takes, and back.

Promises: a local time is never guessed (see `domain.window`); whatever cannot be taken is an
InvalidInput that names the field, and the form comes back with everything that was typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from channels.model import Language
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.domain.window import earlier_instant, local_instant, wall_instants
from outage_notify.services.acknowledge import Answer
from outage_notify.services.merge_outages import Taken, joined
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.plan_screen import Draft
from outage_notify.services.resolve_audience import Switching
from outage_notify.store.desk_queries import BoardFilter
from outage_notify.store.outage_tables import Outage

MOST_ELEMENTS = 500
_FOLDS: dict[str, Literal["first", "second"]] = {"first": "first", "second": "second"}
_BY_HAND = {AckState.ACKNOWLEDGED, AckState.OBJECTED, AckState.REFUSED}


def plan_request(form: Mapping[str, str], zone: ZoneInfo) -> PlanRequest:
    """What a planner typed. Raises InvalidInput naming the field."""
    kind = form.get("kind", "")
    if kind not in set(OutageKind):
        raise InvalidInput(f"kind: {kind!r} is none.", "Choose one of the list.")
    return PlanRequest(
        kind=OutageKind(kind),
        start=instant(form, "start", zone),
        end=instant(form, "end", zone),
        reason=_reason(form),
        area=form.get("area", "").strip()[:300],
        line=form.get("line", "").strip()[:300],
        work=elements(form, "work"),
        out=elements(form, "out"),
        close=elements(form, "close"),
        close_ties=form.get("close_ties") == "1",
    )


def plan_draft(form: Mapping[str, str], zone: ZoneInfo, reference: str = "") -> Draft:
    """As much of a plan as was typed so far. InvalidInput only for more elements than a plan may hold."""
    kind = form.get("kind", "")
    ends: dict[str, datetime | None] = {}
    fault: InvalidInput | None = None
    for name in ("start", "end"):
        try:
            ends[name] = instant(form, name, zone) if form.get(name) else None
        except InvalidInput as error:
            ends[name], fault = None, error
    return Draft(
        Switching(
            elements(form, "work"),
            elements(form, "out"),
            elements(form, "close"),
            form.get("close_ties") == "1",
        ),
        OutageKind(kind) if kind in set(OutageKind) else OutageKind.PLANNED,
        ends["start"],
        ends["end"],
        _reason(form),
        form.get("area", "").strip()[:300],
        form.get("line", "").strip()[:300],
        elements(form, "beside"),
        elements(form, "merged"),
        reference,
        fault,
    )


def after_step(form: dict[str, str]) -> dict[str, str]:
    """The form after the button that was pressed did its part: `add:work:line:12` writes into a field,
    `drop:work:line:12` takes out of it. Others leave it as it is."""
    verb, _, rest = form.get("step", "").partition(":")
    name, _, element = rest.partition(":")
    if verb not in {"add", "drop"} or name not in {"work", "out", "close"} or not element:
        return form
    kept = [one for one in elements(form, name) if one != element]
    return form | {name: "\n".join([*kept, element] if verb == "add" else kept)}


def with_taken(form: dict[str, str], taken: Taken, zone: ZoneInfo) -> dict[str, str]:
    """The form of a plan that takes in another outage: its work, its reason and area beside the own ones.

    The window stays what it is; a form without one gets that of the other.
    """
    own = Switching(elements(form, "work"), elements(form, "out"), elements(form, "close"))
    both = joined(own, taken.switching)
    merged = dict.fromkeys((*elements(form, "merged"), taken.reference))
    filled = form | {
        "work": "\n".join(both.work),
        "out": "\n".join(both.out),
        "close": "\n".join(both.close),
        "close_ties": "1" if form.get("close_ties") == "1" or both.close_ties else "",
        "merged": " ".join(merged),
        "area": _beside(form.get("area", ""), taken.area)[:300],
        "reason_zh": _beside(form.get("reason_zh", ""), taken.reason.get(Language.ZH.value, ""))[:300],
        "reason_en": _beside(form.get("reason_en", ""), taken.reason.get(Language.EN.value, ""))[:300],
    }
    for name, value in (("start", taken.start), ("end", taken.end)):
        filled[name] = form.get(name) or value.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    return filled


def _beside(own: str, other: str) -> str:
    own, other = own.strip(), other.strip()
    return own if other in own else f"{own}; {other}" if own else other


def _reason(form: Mapping[str, str]) -> dict[str, str]:
    said = {Language.ZH.value: form.get("reason_zh", ""), Language.EN.value: form.get("reason_en", "")}
    return {language: text.strip() for language, text in said.items() if text.strip()}


def filled_from(outage: Outage) -> dict[str, str]:
    """The form of the revision that planners work on, as it would have been typed."""
    revision, zone = outage.newest, ZoneInfo(outage.timezone)
    switching = revision.switching
    filled = {
        "kind": outage.kind.value,
        "reason_zh": revision.reason.get(Language.ZH.value, ""),
        "reason_en": revision.reason.get(Language.EN.value, ""),
        "area": revision.area,
        "line": revision.line,
        "close_ties": "1" if switching.get("close_ties") else "",
        "version": str(outage.version),
    }
    for name in ("work", "out", "close"):
        filled[name] = "\n".join(switching.get(name, ()))
    for name, value in (("start", revision.start), ("end", revision.end)):
        local = value.astimezone(zone)
        filled[name] = local.strftime("%Y-%m-%dT%H:%M")
        filled[f"{name}_fold"] = "second" if local.fold else "first"
    return filled


def moved_to(filled: dict[str, str], start: str) -> dict[str, str]:
    """The form with its window moved to begin at `start` (as a browser writes it), as long as before; unchanged if
    that is no time."""
    try:
        begins = datetime.fromisoformat(start).replace(tzinfo=None)
        length = datetime.fromisoformat(filled["end"]) - datetime.fromisoformat(filled["start"])
    except (ValueError, KeyError):
        return filled
    ends = begins + length
    return {name: text for name, text in filled.items() if not name.endswith("_fold")} | {
        "start": begins.strftime("%Y-%m-%dT%H:%M"),
        "end": ends.strftime("%Y-%m-%dT%H:%M"),
    }


def instant(form: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime:
    """A local date and time; `<name>_fold` says which of two where the clocks are set back."""
    return local_instant(form.get(name, ""), zone, _FOLDS.get(form.get(f"{name}_fold", "")), field=name)


def happens_twice(form: Mapping[str, str], zone: ZoneInfo) -> set[str]:
    """Fields whose time the clock shows twice: the form then asks which one is meant."""
    found = set()
    for name in ("start", "end", "expected_end"):
        try:
            wall = datetime.fromisoformat(form.get(name, "")).replace(tzinfo=None)
        except ValueError:
            continue  # not typed yet, or not a time: the form says so when it is sent
        before, after = wall_instants(wall, zone)
        if before < after:
            found.add(name)
    return found


def elements(form: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Elements one per line, or separated by commas or spaces; each once. A feeder, whose name may hold
    both, takes its line for itself: `feeder:North street 3`."""
    parts: list[str] = []
    for line in form.get(name, "").splitlines():
        line = line.strip()
        parts += [line] if line.startswith("feeder:") else re.split(r"[\s,，;；]+", line)
    found = tuple(dict.fromkeys(parts))
    if len(found) > MOST_ELEMENTS:
        raise InvalidInput(f"{name}: more than {MOST_ELEMENTS} elements.", "Plan it as several outages.")
    return tuple(one for one in found if one)


def version(form: Mapping[str, str]) -> int:
    """The version that the form was made from; the service refuses a write on top of a newer one."""
    text = form.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput("The form is incomplete.", "Load the page again.")
    return int(text)


def board_filter(args: Mapping[str, str], zone: ZoneInfo, by: str, now: datetime) -> BoardFilter:
    """Which outages the board shows; what is no state, kind, week or day is ignored, since it comes from an
    address. `mine=1`: those that `by` entered; `needs=1`: those that need somebody `now`."""
    states = {OutageState(one) for one in args.get("state", "").split(",") if one in set(OutageState)}
    kind = args.get("kind", "")
    return BoardFilter(
        frozenset(states),
        args.get("q", "").strip()[:100],
        _span(args, zone),
        OutageKind(kind) if kind in set(OutageKind) else None,
        by if args.get("mine") == "1" else "",
        now if args.get("needs") == "1" else None,
    )


def span_of(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first moment of one day to the last of another."""
    low, high = (
        earlier_instant(datetime.combine(one, time()), zone) for one in (first, last + timedelta(days=1))
    )
    return low, high


def _span(args: Mapping[str, str], zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    monday = monday_of(args.get("week", ""))
    if monday is not None:
        return span_of(monday, monday + timedelta(days=6), zone)
    try:
        one = date.fromisoformat(args.get("day", ""))
    except ValueError:
        return None
    return span_of(one, one, zone) if 1970 < one.year < 9000 else None


def month_of(text: str) -> date | None:
    """The first day of a month as browsers write it (2026-03); None if it is none."""
    try:
        return date.fromisoformat(f"{text}-01") if re.fullmatch(r"20\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        return None  # such as month 13


def monday_of(week: str) -> date | None:
    """The Monday of a week as browsers write it (2026-W11); None if it is none."""
    match = re.fullmatch(r"(20\d\d)-W(\d\d)", week, re.ASCII)
    try:
        return date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        return None  # such as week 54


def week_of(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def answer_by_hand(form: Mapping[str, str], scan: bytes = b"") -> Answer:
    """An answer that somebody brought in on paper or from a visit."""
    state, way = form.get("state", ""), form.get("way", "")
    if state not in _BY_HAND or way not in {AckWay.PAPER, AckWay.VISIT}:
        raise InvalidInput("The form is incomplete.", "Choose what was answered, and how.")
    refused = state == AckState.REFUSED
    return Answer(
        AckState(state),
        AckWay(way),
        form.get("signer_name", ""),
        form.get("signer_role", ""),
        form.get("reason", "") if state != AckState.ACKNOWLEDGED else "",
        form.get("witness", "") if refused else "",
        slip_date=day(form, "slip_date") if form.get("slip_date") else None,
        scan=scan,
    )


def day(form: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(form.get(name, ""))
    except ValueError:
        raise InvalidInput(f"{name}: that is not a date.", "Write it as 2026-12-01.") from None
