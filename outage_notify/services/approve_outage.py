"""The second person's part: look at what approval would do, and approve.

Approval commits audience, notices, deliveries and requests to sign together, or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel, Language
from channels.render import render_sms
from outage_notify.domain import ladder
from outage_notify.domain.announcement import AnnouncementDuty, DutyState
from outage_notify.domain.checks import Finding
from outage_notify.domain.errors import IllegalMove, NotPermitted
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState, RevisionState, require_move
from outage_notify.domain.policy import LeadFault
from outage_notify.domain.window import check_window
from outage_notify.services import acknowledge, announce, check_plan, schedule_notices, time_waves
from outage_notify.services.check_plan import Checked
from outage_notify.services.collector_pause import collector_paused
from outage_notify.services.crowd import Listed
from outage_notify.services.customer_file import Progress, no_progress
from outage_notify.services.notice_facts import facts_for
from outage_notify.services.plan_outage import changing, check_lead, lead_faults
from outage_notify.services.resolve_audience import freeze
from outage_notify.services.runtime import Runtime
from outage_notify.services.time_waves import WavePlan
from outage_notify.services.whom_to_tell import Person, as_affected, people
from outage_notify.store import claims, outage_queries, own_step_queries, user_lookup
from outage_notify.store.delivery_queries import short_ref
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.pacing import wave_time
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record


@dataclass(frozen=True, order=True)
class Unwritten:
    """An article that asks for writing, and how many customers no channel reaches so; `letter`: a letter would."""

    article: str
    letter: bool
    customers: int

    @property
    def sentence(self) -> str:
        by_hand = " (a letter has to be printed)" if self.letter else ""
        return f"{self.article}: in writing{by_hand}: {self.customers}"


@dataclass(frozen=True)
class Preflight:
    """What stands in the way, and what approval would set in motion."""

    lead_faults: Sequence[LeadFault]
    people: int
    missing_contacts: int
    # Duties that the channels at hand don't meet, such as "article: writing, 3 customers".
    unmet_duties: Sequence[str]
    # The longest text in each language: segments and encoding.
    sms_segments: Mapping[str, tuple[int, str]]
    # How long the first wave takes on each channel.
    waves: Mapping[str, timedelta]
    # Each planned notice by each channel: how long it takes, and whether it ends before its deadline.
    wave_plans: Sequence[WavePlan] = ()
    # What else stands in the way, the gravest first.
    findings: Sequence[Finding] = ()
    # What has to be announced to everybody, and by when; too late already: an unmet duty as well.
    announcements: Sequence[AnnouncementDuty] = ()
    # The duties of writing among those that are not met.
    unwritten: Sequence[Unwritten] = ()


def preflight(rt: Runtime, reference: str) -> Preflight:
    """Look, change nothing."""
    with rt.database.read() as session:
        now = rt.now(session)
        outage = outage_queries.outage_by_reference(session, reference)
        revision = outage.newest
        persons = people(session, rt, outage, revision.number)
        members = outage_queries.audience(session, revision)
        affected = tuple(as_affected(members))
        first = [target for one in persons.values() for target in ladder.first(one.ladder, one.contacts)]
        counted = Counter(target.channel for target in first)
        rates = {
            Channel.SMS: rt.settings.sms_per_second,
            Channel.VOICE: rt.settings.voice_per_second,
            Channel.EMAIL: rt.settings.email_per_second,
        }
        announcements = announce.of_revision(session, rt, outage, revision, now)
        unwritten = _unwritten(persons.values())
        return Preflight(
            lead_faults=lead_faults(
                session,
                rt,
                outage.kind,
                revision.start,
                ZoneInfo(outage.timezone),
                Listed(affected),
                now,
            ),
            people=len(persons),
            missing_contacts=sum(1 for one in persons.values() if not _reachable(one)),
            unmet_duties=[one.sentence for one in unwritten]
            + [one.sentence for one in announcements if one.state is DutyState.LATE],
            sms_segments=_segments(session, rt, outage, revision, list(persons.values())),
            waves={one.value: wave_time(counted[one], rate) for one, rate in rates.items() if counted[one]},
            wave_plans=time_waves.foresee(
                rt, persons.values(), revision.start, ZoneInfo(outage.timezone), now
            ),
            findings=check_plan.findings(
                session, rt, Checked.of(outage, revision, revision.lost, Listed(affected))
            ),
            announcements=announcements,
            unwritten=unwritten,
        )


def approve(
    rt: Runtime,
    by: str,
    reference: str,
    accept_exception: bool = False,
    version: int | None = None,
    override_reason: str = "",
    progress: Progress = no_progress,
) -> int:
    """Approve what was submitted; returns how many deliveries were planned.

    The approver is not the submitter. The network is traced and everything checked anew; checks
    that the planner asked to be let through need `override_reason`.
    Waves that can't end before their deadline are refused, unless it is accepted.
    Of revision n+1: unsent deliveries of n are withdrawn, old signatures are superseded,
    those told get CHANGED, all others a first notice. Called twice: IllegalMove, nothing sent twice.
    """
    with changing(rt, reference, version) as (session, outage, now):
        revision = require_approver(session, outage, by)
        check_window(revision.start, revision.end, now)
        progress("tracing", 0.0)
        found = freeze(session, rt, revision)
        progress("checking", 0.1)
        revision.exception_rule = check_lead(session, rt, outage, revision, found.crowd, now)
        if revision.exception_rule and not accept_exception:
            raise NotPermitted(
                f"{reference} asks for an exception from {revision.exception_rule}: "
                f"{revision.exception_reason}",
                "Approve with --accept-exception if you answer for it.",
            )
        checked = Checked.of(outage, revision, found.resolution.dark, found.crowd)
        standing_in_the_way = check_plan.findings(session, rt, checked)
        overridden = check_plan.require_second_person(
            outage, revision, standing_in_the_way, by, override_reason, now
        )
        revision.own_steps_ref = own_step_queries.newest_ref(session)
        _stand(session, outage, revision, by, now)
        with collector_paused():
            # Hundreds of thousands of rows and no circles among them: the search for circles would cost a third.
            every = len(found.crowd.told(rt.policy))
            planned = schedule_notices.announce(
                session, rt, outage, now, lambda done: progress("planning", 0.2 + 0.6 * done / max(every, 1))
            )
        progress("waves", 0.85)
        late = [one.sentence for one in time_waves.end_in_time(session, rt, outage, now)]
        if late and not accept_exception:
            raise NotPermitted(
                f"{reference} can't be announced in time. {' '.join(late)}",
                "Raise the rates in the settings if your provider allows it, move the work, or approve "
                "with --accept-exception if you answer for it.",
            )
        record(
            session,
            now,
            by,
            "approved",
            outage=outage.id,
            revision=revision.number,
            deliveries=planned,
            exception=revision.exception_rule,
            overridden=overridden,
            late_waves=late,
        )
        return planned


def require_approver(session: Session, outage: Outage, by: str) -> OutageRevision:
    """The revision that waits for approval. NotPermitted and IllegalMove where `by` can't approve it."""
    user_lookup.require(session, by, Role.APPROVER)
    revision = outage.newest
    if revision.state is not RevisionState.SUBMITTED:
        raise IllegalMove(
            f"{outage.reference} revision {revision.number} is {revision.state}.",
            "Only what was submitted is approved.",
        )
    if by in {revision.submitted_by, revision.planned_by}:
        raise NotPermitted(
            f"{by} planned or submitted {outage.reference} and can't approve it.", "Ask another approver."
        )
    return revision


def _stand(session: Session, outage: Outage, revision: OutageRevision, by: str, now: datetime) -> None:
    """Make `revision` the standing one."""
    revision.state = RevisionState.APPROVED
    revision.approved_by, revision.approved_at = by, now
    if revision.number == 1:
        require_move(outage.reference, outage.state, OutageState.APPROVED)
        outage.state = OutageState.APPROVED
    else:
        outage.standing.state = RevisionState.SUPERSEDED
        outage.revision = revision.number
        claims.withdraw_unsent(session, outage.id, now, "revised", below_revision=revision.number)
        # What is under way may come back unsent; it is withdrawn when its turn comes, so it must get one.
        claims.pause(session, outage.id, False)
        acknowledge.supersede(session, outage, revision.number, now)
    session.flush()


def _reachable(person: Person) -> bool:
    return any(one.usable and one.channel is not Channel.LETTER for one in person.contacts)


def _unwritten(people: Iterable[Person]) -> list[Unwritten]:
    """Duties of writing that no usable channel of a customer meets, counted by article."""
    counted: Counter[tuple[str, bool]] = Counter()
    for person in people:
        ways = {one.channel for one in person.contacts if one.usable}
        reached = {one.channel for one in ladder.first(person.ladder, person.contacts)}
        for duty in person.duties.values():
            if duty.duty and duty.written and not duty.written_by & reached:
                counted[duty.rule.article, Channel.LETTER in duty.written_by & ways] += 1
    return sorted(Unwritten(article, letter, count) for (article, letter), count in counted.items())


def _segments(
    session: Session, rt: Runtime, outage: Outage, revision: OutageRevision, people: Sequence[Person]
) -> dict[str, tuple[int, str]]:
    """The longest SMS in each language among those with most places; texts differ by places alone."""
    longest: dict[str, tuple[int, str]] = {}
    for language in Language:
        mine = [one for one in people if one.customer.language is language]
        mine.sort(key=lambda one: -len(one.customer.name) - 1000 * one.key)
        for person in mine[:20]:
            facts = facts_for(
                session, rt, outage, revision, person.customer, NoticeKind.SEVEN_DAY, short_ref()
            )
            text = render_sms(facts)
            if text.segments > longest.get(language.value, (0, ""))[0]:
                longest[language.value] = (text.segments, text.encoding)
    return longest
