"""The numbers of a period against an oracle that goes through small random worlds row by row."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState
from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.delivery import TOLD, DeliveryState
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState, RevisionState
from outage_notify.services import numbers
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.database import Base
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from tests.factories.people import NOW, add_customer
from tests.factories.runtimes import make_runtime

FIRST_DAY, LAST_DAY = date(2026, 2, 1), date(2026, 3, 31)
TIERS = (Tier.SPECIAL, Tier.LOW_VOLTAGE)
PLANS = (
    NoticeKind.SEVEN_DAY,
    NoticeKind.CHANGED,
    NoticeKind.DAY_AHEAD,
    NoticeKind.REMINDER,
    NoticeKind.STARTED,
)
DELIVERED = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.READY)

hours = st.integers(min_value=-50, max_value=50)


@dataclass(frozen=True)
class Drawn:
    """One outage: start in hours from now, revisions, state, members (customer, impact, key), messages."""

    start: int
    long: int
    state: OutageState
    approved: bool
    revision: int
    ran: tuple[int, int]
    members: list[tuple[int, Impact, bool]]
    messages: list[tuple[NoticeKind, int, DeliveryState, int, list[int]]] = field(default_factory=list)
    answers: dict[int, tuple[AckState, int]] = field(default_factory=dict)


drawn = st.builds(
    Drawn,
    start=st.integers(min_value=-900, max_value=900),
    long=st.integers(min_value=1, max_value=9),
    state=st.sampled_from(sorted(OutageState)),
    approved=st.booleans() | st.just(True),
    revision=st.sampled_from([1, 2]),
    ran=st.tuples(st.integers(min_value=-2, max_value=2), st.integers(min_value=0, max_value=9)),
    members=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(sorted(Impact)), st.booleans()), max_size=7
    ),
    messages=st.lists(
        st.tuples(
            st.sampled_from(PLANS),
            st.sampled_from([1, 2]),
            st.sampled_from(DELIVERED),
            hours,
            st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True),
        ),
        max_size=6,
    ),
    answers=st.dictionaries(
        st.integers(0, 4), st.tuples(st.sampled_from(sorted(AckState)), hours), max_size=4
    ),
)


@pytest.fixture
def rt(migrated_url: str, tmp_path: Any) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def store(rt: Runtime, worlds: list[Drawn], reach: list[tuple[bool, bool]]) -> None:
    """Five customers and the drawn outages. `reach`: has a usable address, has gone."""
    with rt.database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            # The audit log is empty here, and its database refuses even to empty it.
            if table.name not in {"clock_offset", "publication", "events", "audit_links"}:
                session.execute(table.delete())
        people = []
        for number, (usable, gone) in enumerate(reach):
            customer = add_customer(
                session, customer_id=f"P{number}", tier=TIERS[number % 2], places=("1 A",) * 7
            )
            if gone:
                customer.gone_at = NOW
            if not usable:
                for contact in customer.contacts:
                    if not contact.backup:
                        contact.opted_out_at = NOW
            people.append(customer)
        for number, one in enumerate(worlds):
            start = NOW + timedelta(hours=one.start)
            ran = start + timedelta(hours=one.ran[0])
            outage = Outage(
                reference=f"R{number}",
                kind="planned",
                state=one.state,
                revision=one.revision,
                timezone="Europe/Berlin",
                created_at=NOW,
                created_by="x",
                changed_at=NOW,
                started_at=ran if one.state in {OutageState.ACTIVE, OutageState.COMPLETED} else None,
                completed_at=ran + timedelta(hours=one.ran[1])
                if one.state is OutageState.COMPLETED
                else None,
                cancelled_at=ran - timedelta(hours=20) if one.state is OutageState.CANCELLED else None,
            )
            for revision in range(1, one.revision + 1):
                shift = timedelta(days=40 * (one.revision - revision))
                outage.revisions.append(
                    OutageRevision(
                        number=revision,
                        state=RevisionState.APPROVED,
                        start=start + shift,
                        end=start + shift + timedelta(hours=one.long),
                        reason={"en": "x"},
                        switching={},
                        isolation={},
                        lost=[],
                        overrides=[],
                        planned_by="x",
                        approved_at=NOW if one.approved else None,
                    )
                )
            session.add(outage)
            session.flush()
            used: Counter[int] = Counter()
            for who, impact, key in one.members:
                point = people[who].service_points[used[who]]
                used[who] += 1
                session.add(
                    AudienceMember(
                        revision_ref=outage.revisions[-1].id,
                        service_point_ref=point.id,
                        customer_ref=people[who].id,
                        impact=impact,
                        tier=people[who].tier,
                        is_key=key,
                        life_support=False,
                    )
                )
            serials: Counter[tuple[NoticeKind, int]] = Counter()
            for index, (kind, revision, state, at, whom) in enumerate(one.messages):
                serials[kind, revision] += 1
                notice = Notice(
                    outage_ref=outage.id,
                    revision=revision,
                    kind=kind,
                    serial=serials[kind, revision],
                    deadline=start,
                    due_at=start,
                    not_after=start,
                    created_at=NOW,
                    facts={},
                )
                session.add(notice)
                session.flush()
                accepted = start + timedelta(hours=at) if state in TOLD else None
                message = Delivery(
                    short_ref=f"{number}-{index}",
                    notice_ref=notice.id,
                    outage_ref=outage.id,
                    revision=revision,
                    channel=Channel.SMS,
                    address=f"a{index}",
                    language="en",
                    priority=1,
                    state=state,
                    due_at=start,
                    not_after=start,
                    accepted_at=accepted,
                )
                session.add(message)
                session.flush()
                session.add_all(
                    DeliveryRecipient(delivery_ref=message.id, customer_ref=people[each].id) for each in whom
                )
            for who, (ack, at) in one.answers.items():
                session.add(
                    Acknowledgement(
                        outage_ref=outage.id,
                        revision=one.revision,
                        customer_ref=people[who].id,
                        state=ack,
                        requested_at=NOW,
                        answered_at=start + timedelta(hours=at),
                    )
                )


def in_period(rt: Runtime, one: Drawn) -> bool:
    day = (NOW + timedelta(hours=one.start)).astimezone(rt.zone).date()
    return one.approved and FIRST_DAY <= day <= LAST_DAY


def oracle_notice(rt: Runtime, worlds: list[Drawn]) -> dict[Tier, list[int]]:
    """Goes through every outage, customer and message, one after the other."""
    found: dict[Tier, list[int]] = {tier: [0, 0, 0] for tier in Tier}
    for one in worlds:
        start = NOW + timedelta(hours=one.start)
        if not in_period(rt, one) or one.state is OutageState.CANCELLED or start > NOW:
            continue
        mine = [message for message in one.messages if message[1] == one.revision]
        first = {NoticeKind.SEVEN_DAY, NoticeKind.CHANGED} & {kind for kind, *_ in mine} or {
            NoticeKind.DAY_AHEAD
        }
        if first != {NoticeKind.DAY_AHEAD}:
            first = {NoticeKind.SEVEN_DAY, NoticeKind.CHANGED}
        for who in {who for who, impact, key in one.members if rt.policy.told(impact, key)}:
            told = [(kind, at) for kind, _, state, at, whom in mine if state in TOLD and who in whom]
            if any(kind in first and at <= 0 for kind, at in told):
                place = 0
            elif any(kind is not NoticeKind.STARTED for kind, _ in told):
                place = 1
            else:
                place = 2
            found[TIERS[who % 2]][place] += 1
    return found


def oracle_sums(rt: Runtime, worlds: list[Drawn], served: int) -> tuple[float, ...]:
    planned = interruptions = actual = done = 0.0
    for one in worlds:
        if not in_period(rt, one) or one.state is OutageState.CANCELLED:
            continue
        dark = len({who for who, impact, _ in one.members if impact is Impact.OUTAGE})
        planned += dark * one.long * 60
        interruptions += dark
        if one.state is OutageState.COMPLETED:
            actual += dark * one.ran[1] * 60
            done += dark
    return tuple(total / served if served else 0.0 for total in (planned, interruptions, actual, done))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    worlds=st.lists(drawn, max_size=5),
    reach=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=5, max_size=5),
)
def test_the_database_counts_what_a_patient_person_counts(
    rt: Runtime, worlds: list[Drawn], reach: list[tuple[bool, bool]]
) -> None:
    store(rt, worlds, reach)
    found = numbers.numbers(rt, FIRST_DAY, LAST_DAY)
    told = {one.tier: [one.in_time, one.late, one.untold] for one in found.classes}
    assert told == oracle_notice(rt, worlds)
    here = [number for number, (_, gone) in enumerate(reach) if not gone]
    assert found.served == len(here)
    assert found.coverage == (sum(1 for number in here if reach[number][0]), len(here))
    indices = (found.saidi_planned, found.saifi_planned, found.saidi_actual, found.saifi_actual)
    assert indices == pytest.approx(oracle_sums(rt, worlds, len(here)))
    mine = [one for one in worlds if in_period(rt, one)]
    kept = [one for one in mine if one.state is not OutageState.CANCELLED]
    hit: Counter[int] = Counter()
    for one in kept:
        hit.update({who for who, impact, _ in one.members if impact is Impact.OUTAGE})
    assert found.repeats == dict(Counter(hit.values()))
    assert (found.outages, found.cancelled) == (len(mine), len(mine) - len(kept))
    over = [
        one for one in kept if one.state is OutageState.COMPLETED and one.ran[0] + one.ran[1] > one.long
    ] + [one for one in kept if one.state is OutageState.ACTIVE and one.start + one.long < 0]
    assert found.overruns == len(over)
    assert sum(month.outages for month in found.months) == len(kept)
    asked: Counter[str] = Counter()
    for one in kept:
        for ack, at in one.answers.values() if one.start <= 0 else ():
            signed = "in_time" if at <= 0 else "late"
            words = {
                AckState.ACKNOWLEDGED: signed,
                AckState.REFUSED: "refused",
                AckState.OBJECTED: "objected",
            }
            asked[words.get(ack, "missing")] += 1
    assert {name: count for name, count in found.signatures.items() if count} == dict(asked)


def test_the_table_holds_every_number_and_no_formula(rt: Runtime) -> None:
    rows = list(csv.reader(io.StringIO(numbers.as_csv(numbers.numbers(rt, FIRST_DAY, LAST_DAY)))))
    assert rows[0] == ["section", "what", "value", "unit"]
    assert ["index", "SAIDI as planned", "0.0", "minutes per customer"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]


def test_a_period_that_is_none_is_refused(rt: Runtime) -> None:
    with pytest.raises(InvalidInput):
        numbers.numbers(rt, LAST_DAY, FIRST_DAY)
    with pytest.raises(InvalidInput):
        numbers.numbers(rt, date(1999, 1, 1), LAST_DAY)
