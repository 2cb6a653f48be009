"""Applies many reports of providers in a few statements, as far as they say nothing unusual.

The usual: a text that we know was taken or arrived. All else (a failure, a call, another id than the one that is
known, a message that has to be looked for) is left to `record_receipts`, which looks at one at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from channels.model import REPORT_RANK, Channel, Report, ReportStatus
from outage_notify.services.runtime import Runtime
from outage_notify.store import report_claims, report_queries

NOT_UNDERSTOOD = "not understood"
APPLIED, OUTRANKED = "applied", "outranked"


def apply_usual(
    session: Session, rt: Runtime, ids: Sequence[int], now: datetime, first_check: timedelta
) -> tuple[dict[int, str], list[int]]:
    """Apply what is usual of these stored reports; returns their verdicts, and the ids of the others.

    Of several reports of one text the highest is applied, whatever their order, and the others are
    outranked. Reports that somebody else has applied are in neither.
    """
    rows = report_queries.take_unapplied(session, ids)
    about = {one.delivery_ref for one in rows if one.delivery_ref is not None}
    held = {one.id: one for one in report_claims.hold_reported(session, about)}
    verdicts: dict[int, str] = {}
    said: dict[int, list[tuple[int, Report]]] = defaultdict(list)
    left: list[int] = []
    for row in rows:
        known = held.get(row.delivery_ref)
        sender = rt.sender_named(row.channel, known.sender if known else "")
        report = sender.parse_receipt(row.form) if sender else None
        if report is None:
            verdicts[row.id] = NOT_UNDERSTOOD
        elif known is None:
            left.append(row.id)
        else:
            said[known.id].append((row.id, report))
    best: dict[int, tuple[int, Report]] = {}
    for delivery, reports in said.items():
        if _is_usual(held[delivery], [report for _, report in reports]):
            best[delivery] = max(reports, key=lambda one: (REPORT_RANK[one[1].status], -one[0]))
            verdicts |= {id: OUTRANKED for id, _ in reports}
        else:
            left += [id for id, _ in reports]
    won = _move(session, {one: report for one, (_, report) in best.items()}, now, now + first_check)
    verdicts |= {id: APPLIED for delivery, (id, _) in best.items() if delivery in won}
    report_queries.note_applied(session, verdicts, now)
    return verdicts, sorted(left)


def _is_usual(held: Row[Any], reports: Sequence[Report]) -> bool:
    ids = {held.provider_id, *(one.provider_id for one in reports)} - {None, ""}
    return (
        held.channel is Channel.SMS
        and len(ids) <= 1
        and all(one.status is not ReportStatus.FAILED for one in reports)
    )


def _move(session: Session, best: Mapping[int, Report], now: datetime, check_at: datetime) -> set[int]:
    arrived = {id: one.provider_id for id, one in best.items() if one.status is ReportStatus.DELIVERED}
    taken = {id: one.provider_id for id, one in best.items() if id not in arrived}
    won = report_claims.delivered_many(session, arrived, now)
    won |= report_claims.reported_many(session, taken, now, check_at)
    report_claims.remember_many(session, {id: pid for id, pid in (arrived | taken).items() if id not in won})
    return won
