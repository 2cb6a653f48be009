"""What followers are owed at each ring: their codes, news of outages, new outages at their places, oblivion.

News goes through the outbox like every notice: one row per address and piece of news, in the
transaction that notes that the followers were looked at, so that a crash tells nobody twice. It is
no notice of the law: it stands at the lowest priority, spaced at `follow_per_second`, is told
to nobody as a customer, and the audit does not count it. Where several things happened since the
last look, the newest alone is told; nothing is told that was said before somebody confirmed.

A code is written down as sent before it is sent: a crash in between loses it, and its owner asks again.
Leaves to others: who may follow (`follow`), what is read (`follow_texts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, OutcomeKind
from geo.within import any_within
from outage_notify.domain.audience import PRIORITIES
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.place import holds, tokens
from outage_notify.services import follow, follow_texts, publish_map, stand_in
from outage_notify.services.runtime import Runtime
from outage_notify.store import delivery_queries, follower_queries, pacing
from outage_notify.store.delivery_queries import Planned
from outage_notify.store.follower_tables import Follower
from outage_notify.store.outage_tables import Outage

log = structlog.get_logger(__name__)

NEWS_LIFE = timedelta(hours=24)
# A transaction that began earlier may end later: outages of the last minutes are looked at again.
OVERLAP = timedelta(minutes=5)
CODES_AT_ONCE = 20


def follow_due(rt: Runtime) -> int:
    """All that is due now; returns how many messages were made or sent. Twice is once."""
    return send_codes(rt) + watch_places(rt) + tell_news(rt) + forget(rt)


def send_codes(rt: Runtime) -> int:
    """Send each code that was asked for, once, within the senders' budgets."""
    sent = 0
    for channel in (Channel.SMS, Channel.EMAIL):
        if channel not in rt.senders:
            continue
        with rt.database.read() as session:
            since = rt.now(session) - follow.CODE_LIFE
            waiting = [one for one in follower_queries.without_code(session, since) if one.channel is channel]
        if not waiting:
            continue
        with rt.database.write() as session:
            now = rt.now(session)
            turn = stand_in.choose(session, rt, channel, now)
            allowed = pacing.spend(session, turn.buckets, min(len(waiting), CODES_AT_ONCE), now)
            ours = [one for one in waiting[:allowed] if follower_queries.take_code(session, one.id, now)]
        for one in ours:
            code = follow.code_of(rt, one.id, one.made_at)
            message = follow_texts.code_message(rt, one.id, channel, one.address, one.language, code)
            outcome = turn.sender.send(message)
            sent += 1
            if outcome.kind is OutcomeKind.LATER:
                with rt.database.write() as session:
                    follower_queries.give_code_back(session, one.id)
            elif outcome.kind is not OutcomeKind.ACCEPTED:
                log.warning("a code was not taken", channel=channel.value, outcome=outcome.kind.value)
    return sent


def watch_places(rt: Runtime) -> int:
    """Let each place follow the outages that hit it; returns how many were new."""
    with rt.database.read() as session:
        number, oldest = follower_queries.oldest_look(session)
        since = oldest - OVERLAP if oldest is not None else None
        if not number or not follower_queries.ahead_changed_since(session, since):
            return 0
    with rt.database.write() as session:
        now, new = rt.now(session), 0
        rows = follower_queries.places(session)
        for outage in follower_queries.ahead_changed_since(session, since):
            if outage.standing.approved_at is not None:
                new += _join(session, outage, rows, now)
        for row in rows:
            row.looked_at = now
        return new


def _join(session: Session, outage: Outage, rows: Sequence[Follower], now: datetime) -> int:
    there = follower_queries.parents_at(session, outage.id)
    standing = outage.standing
    hit = follower_queries.points_hit(session, standing.id)
    words = [tokens(standing.area), tokens(standing.line)]
    new = 0
    for row in rows:
        if row.id in there:
            continue
        means = row.means
        where = [(float(one[0]), float(one[1])) for one in means.get("where", ())]
        named = tuple(means.get("words", ()))
        if not (
            hit.intersection(means.get("points", ()))
            or (where and any_within(standing.public_area, where))
            or any(holds(said, named) for said in words)
        ):
            continue
        new += 1
        session.add(
            Follower(
                channel=row.channel,
                address=row.address,
                language=row.language,
                outage_ref=outage.id,
                place="",
                means={},
                parent_ref=row.id,
                made_at=now,
                confirmed_at=row.confirmed_at,
            )
        )
    return new


def tell_news(rt: Runtime) -> int:
    """News of each outage that changed, to its followers; returns how many deliveries are new."""
    with rt.database.read() as session:
        changed = follower_queries.outages_with_news(session)
    new = 0
    for outage in changed:
        with rt.database.write() as session:
            new += _tell(session, rt, session.get_one(Outage, outage), rt.now(session))
    return new


def _tell(session: Session, rt: Runtime, outage: Outage, now: datetime) -> int:
    rows = follower_queries.to_be_told(session, outage)
    history = publish_map.history_of(session, outage)
    step, number = history[-1], len(history)
    whom = [one for one in rows if one.confirmed_at is not None and step.at > one.confirmed_at]
    for row in rows:
        row.told_version = outage.version
    if not whom or step.at + NEWS_LIFE <= now:
        return 0
    facts = {"step": step.what.value}
    if step.expected_end is not None:
        facts["expected_end"] = step.expected_end.isoformat()
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        outage.revision,
        NoticeKind.FOLLOWERS,
        now=now,
        deadline=now + NEWS_LIFE,
        due_at=now,
        not_after=step.at + NEWS_LIFE,
        serial=number,
        facts=facts,
    )
    seconds = 1 / rt.settings.follow_per_second
    # Behind what waits already for followers of other outages.
    begin = max(now, follower_queries.last_due(session) or now)
    planned = [
        Planned(
            follow.NOBODY,
            one.channel,
            one.address,
            None,
            one.language,
            PRIORITIES[-1],
            begin + timedelta(seconds=seconds * index),
            # Who follows wishes to know; but news of next month waits for the morning.
            urgent=outage.standing.start - now < NEWS_LIFE,
        )
        for index, one in enumerate(whom)
    ]
    return delivery_queries.insert_deliveries(session, notice, planned)


def forget(rt: Runtime) -> int:
    """Delete whoever is due to be forgotten."""
    settings = rt.settings
    with rt.database.write() as session:
        now = rt.now(session)
        return follower_queries.forget(
            session,
            now - timedelta(days=1),
            now - timedelta(days=settings.follow_days),
            now - timedelta(days=settings.follow_place_days),
        )
