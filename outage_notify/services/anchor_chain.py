"""Once a day the head of the chain of receipts goes into other hands: an authority's, a mailbox's, everybody's.

The chain shows that nothing was changed inside it; only somebody outside can show that not all of it was signed
anew with our own key. Promises: one head per day on which something was signed; what an authority or the
mail server did not take is tried again each hour, also heads of earlier days, and each is stamped and
mailed once; nobody waits for them, no transaction is open meanwhile. Leaves to others: what a stamp proves
(`channels.chain_heads`), and taking the heads along in an export (`receipts`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from channels.chain_heads import Authorities, ChainHead, StampFault, ask_for_stamp, letter
from channels.keys import KeyFault
from channels.model import Channel, Language, Message, OutcomeKind
from outage_notify.domain.errors import SettingsError
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store import chain_queries
from outage_notify.store.chain_tables import ChainHeadRow

REST = timedelta(hours=1)
log = structlog.get_logger(__name__)


def anchor_due(rt: Runtime) -> int:
    """Take the head of the day if it is not yet taken, and show those that nobody has seen yet; how many were shown.

    Called twice, or by two at once, a head is stamped and mailed once. Dies midway: what was sent but not noted
    is sent again after an hour, under the same Message-ID.
    """
    settings = rt.settings
    with rt.database.write() as session:
        now = rt.now(session)
        _take(rt, session, now)
        wanted = {"stamps": bool(settings.timestamp_url), "mails": bool(settings.chain_mail_to)}
        claimed = chain_queries.claim_heads(session, now, now - REST, **wanted)
        rows = [row for row in chain_queries.all_heads(session) if row.day in claimed]
    shown = 0
    for row in reversed(rows):
        if settings.timestamp_url and row.stamp is None:
            shown += _stamp(rt, row.day, as_head(row))
        if settings.chain_mail_to and row.mailed_at is None:
            shown += _mail(rt, row.day, as_head(row))
    return shown


def listing(rt: Runtime) -> list[ChainHeadRow]:
    """All heads that were taken, in order."""
    with rt.database.read() as session:
        return chain_queries.all_heads(session)


def authorities(rt: Runtime) -> Authorities | None:
    """Whose stamps this installation believes; None where no authority is set."""
    if not rt.settings.timestamp_authority_file:
        return None
    try:
        return Authorities.load(rt.settings.timestamp_authority_file)
    except KeyFault as error:
        raise SettingsError(str(error), "Check OUTAGE_NOTIFY_TIMESTAMP_AUTHORITY_FILE.") from error


def as_head(row: ChainHeadRow) -> ChainHead:
    return ChainHead.taken(row.receipts, row.sha256, row.taken_at, row.stamp or b"")


def _take(rt: Runtime, session: Session, now: datetime) -> None:
    """The head of today as it stands, unless the chain has not grown since the last one."""
    newest, today = chain_queries.newest_head(session), now.astimezone(rt.zone).date()
    if newest is not None and newest.day >= today:
        return
    head = acks.head(session)
    if head is not None and (newest is None or head.sequence > newest.receipts):
        chain_queries.take_head(session, today, head.sequence, head.sha256, now)


def _stamp(rt: Runtime, day: date, head: ChainHead) -> int:
    trusted = authorities(rt)
    if trusted is None:
        return 0
    try:
        stamp = ask_for_stamp(rt.settings.timestamp_url, head, trusted, rt.settings.provider_timeout)
    except StampFault as error:
        # Tried again; `receipts heads` shows which ones nobody has stamped.
        log.warning("head of the chain was not stamped", day=day.isoformat(), reason=str(error))
        return 0
    with rt.database.write() as session:
        chain_queries.stamped(session, day, stamp, rt.now(session))
    return 1


def _mail(rt: Runtime, day: date, head: ChainHead) -> int:
    sender, to = rt.senders.get(Channel.EMAIL), rt.settings.chain_mail_to
    if sender is None:
        raise SettingsError(
            "The head of the chain cannot be mailed: no mail server is set.",
            "Set OUTAGE_NOTIFY_SMTP_URL and OUTAGE_NOTIFY_MAIL_FROM.",
        )
    content = letter(rt.settings.utility, head, (jwk["kid"] for jwk in rt.signing_key.public_jwks["keys"]))
    domain = rt.settings.mail_from.rpartition("@")[2].rstrip(">") or "localhost"
    message = Message(
        0,
        Channel.EMAIL,
        to,
        head.head[:12],
        Language.EN,
        email=content,
        message_id=f"<chain-head.{day:%Y%m%d}.{head.count}@{domain}>",
    )
    outcome = sender.send(message)
    if outcome.kind is not OutcomeKind.ACCEPTED:
        log.warning("head of the chain was not mailed", day=day.isoformat(), outcome=outcome.kind.value)
        return 0
    with rt.database.write() as session:
        chain_queries.mailed(session, day, to, rt.now(session))
    return 1
