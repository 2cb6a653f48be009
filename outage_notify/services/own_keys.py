"""Customers who sign with a key of their own: registered, confirmed by the utility, used, revoked.

Promises: a key counts only from when somebody at the utility has confirmed whose it is; what it signs is the
text that stands, for this customer and this installation, and nothing else; the same signature sent
twice is refused the second time, because the answer stands; an unknown, unconfirmed, revoked and foreign key are
refused alike (`BadAnswer`). Leaves to others: the signatures themselves (`channels.own_keys`,
`channels.passkeys`) and the receipt (`acknowledge`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from channels.keys import KeyFault
from channels.own_keys import (
    BadAnswer,
    Statement,
    key_name,
    open_signed,
    proof_of_key,
    read_public_key,
    thumbprint,
)
from channels.signing import BadToken
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.services import acknowledge, feed_addresses
from outage_notify.services.acknowledge import Answer
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store import own_key_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from outage_notify.store.own_key_tables import OwnKey
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import record

ASK = "outage-notify-ask"
FRESH = timedelta(minutes=5)  # how far the clock of a customer's machine may be off
_MOST = 20


def listing(rt: Runtime, customer_id: str) -> list[OwnKey]:
    """All keys of a customer, oldest first."""
    with rt.database.read() as session:
        return own_key_queries.keys_of(session, feed_addresses.customer(session, customer_id).id)


def waiting(rt: Runtime) -> Sequence[Customer]:
    """Customers with a key that waits for confirmation."""
    with rt.database.read() as session:
        return own_key_queries.customers_with_waiting_keys(session)


def add(rt: Runtime, by: str, customer_id: str, text: str, label: str) -> str:
    """Register a key that the customer handed to the desk, which confirms it by that; its name."""
    try:
        jwk = read_public_key(text)
    except KeyFault as error:
        raise InvalidInput(str(error), "Ask the customer for the public part.") from None
    with rt.database.write() as session:
        owner, now = feed_addresses.customer(session, customer_id), rt.now(session)
        key = keep(session, owner.id, jwk["crv"], thumbprint(jwk), json.dumps(jwk), label, by, now)
        key.confirmed_at, key.confirmed_by = now, by
        record(session, now, by, "own_key_confirmed", customer=owner.id, key=key.name)
        return key.name


def keep(
    session: Session,
    customer: int,
    kind: str,
    name: str,
    public_key: str,
    label: str,
    by: str,
    now: datetime,
    credential: str = "",
) -> OwnKey:
    """One more key, not yet confirmed. Conflict if it is known already, whosever it is."""
    label = " ".join(label.split())
    if not 0 < len(label) <= 200 or not label.isprintable():
        raise InvalidInput("The label is empty or too long.", "Say whose key it is, such as: duty engineer.")
    if own_key_queries.key_by_name(session, name) is not None:
        raise Conflict("This key is registered already.", "Use another key.")
    if sum(one.revoked_at is None for one in own_key_queries.keys_of(session, customer)) >= _MOST:
        raise InvalidInput(f"There are {_MOST} keys already.", "Revoke one that is no longer used.")
    key = OwnKey(
        customer_ref=customer,
        kind=kind,
        name=name,
        label=label,
        public_key=public_key,
        credential=credential,
        created_at=now,
        created_by=by,
    )
    session.add(key)
    session.flush()
    record(session, now, by, "own_key_added", customer=customer, key=name, kind=kind)
    return key


def confirm(rt: Runtime, by: str, customer_id: str, key: int) -> None:
    """The desk has made sure whose key it is. Twice is once."""
    with rt.database.write() as session:
        found, now = _of(session, customer_id, key), rt.now(session)
        if found.confirmed_at is None and found.revoked_at is None:
            found.confirmed_at, found.confirmed_by = now, by
            record(session, now, by, "own_key_confirmed", customer=found.customer_ref, key=found.name)


def revoke(rt: Runtime, by: str, customer_id: str, key: int) -> None:
    """The key signs nothing more; what it signed stands. Twice is once."""
    with rt.database.write() as session:
        found, now = _of(session, customer_id, key), rt.now(session)
        if found.revoked_at is None:
            found.revoked_at, found.revoked_by = now, by
            record(session, now, by, "own_key_revoked", customer=found.customer_ref, key=found.name)


def _of(session: Session, customer_id: str, key: int) -> OwnKey:
    owner = feed_addresses.customer(session, customer_id)
    found = session.get(OwnKey, key)
    if found is None or found.customer_ref != owner.id:
        raise NotFound("There is no such key.", "Load the customer's page again.")
    return found


# A customer's machine


def notices(rt: Runtime, signed: str) -> list[dict[str, Any]]:
    """What the owner of the key that signed this question is asked to answer, each with the statement to sign."""
    with rt.database.read() as session:
        now = rt.now(session)
        key, payload = _opened(session, signed)
        _require_fresh(rt, payload, now)
        return [
            _notice(session, rt, ack) for ack in own_key_queries.asked_of_customer(session, key.customer_ref)
        ]


def answer(rt: Runtime, signed: str) -> SignedReceipt:
    """Take the statement that a registered key signed. Sent twice, the second is refused (IllegalMove)."""
    with rt.database.write() as session:
        key, payload = _opened(session, signed)
        statement = Statement.from_json(payload)
        proof = proof_of_key(signed, json.loads(key.public_key))
        return answer_signed(session, rt, key, statement, AckWay.OWN_KEY, proof)


def answer_signed(
    session: Session,
    rt: Runtime,
    key: OwnKey,
    statement: Statement,
    way: AckWay,
    proof: Mapping[str, str],
) -> SignedReceipt:
    """The receipt of a statement whose signature fits. Conflict if it is about another text than stands."""
    ack = _asked(session, rt, key, statement)
    _, shown = acknowledge.notice_text(session, rt, ack)
    if statement.text_sha256 != shown:
        raise Conflict("The text that was signed is not the one that stands.", "Read the notice again.")
    given = Answer(
        AckState(statement.answer) if statement.answer in set(AckState) else AckState.REQUESTED,
        way,
        statement.signer_name,
        statement.signer_role,
        statement.reason,
        wished=statement.wished,
        shown_sha256=shown,
        proof=dict(proof),
    )
    if (given.signer_name, given.signer_role, given.reason, given.wished) != (
        statement.signer_name,
        statement.signer_role,
        statement.reason,
        statement.wished,
    ):
        raise InvalidInput("A field begins, ends or is set apart with blanks.", "Sign it without them.")
    return acknowledge.answer_in(session, rt, ack, given, rt.now(session))


def statement_of(rt: Runtime, ack: Acknowledgement, text_sha256: str, **given: str) -> Statement:
    """What is to be signed to answer `ack`."""
    return Statement(
        rt.settings.base_url,
        ack.customer.customer_id,
        ack.outage.reference,
        ack.revision,
        text_sha256,
        **{"answer": AckState.ACKNOWLEDGED.value, "signer_name": "", **given},
    )


def _asked(session: Session, rt: Runtime, key: OwnKey, statement: Statement) -> Acknowledgement:
    ack = own_key_queries.asked_about(session, key.customer_ref, statement.outage, statement.revision)
    here = (statement.audience.rstrip("/"), statement.customer)
    # Another customer's notice and none at all are answered alike.
    if ack is None or here != (rt.settings.base_url, ack.customer.customer_id):
        raise BadAnswer("about nothing that this key may answer")
    return ack


def _opened(session: Session, signed: str) -> tuple[OwnKey, bytes]:
    key = own_key_queries.key_by_name(session, key_name(signed.strip()))
    if key is None or not key.signs or key.credential:
        raise BadAnswer("no such key")
    return key, open_signed(signed.strip(), json.loads(key.public_key))


def _require_fresh(rt: Runtime, payload: bytes, now: datetime) -> None:
    """A question is taken for some minutes only, so that one that was overheard is soon worth nothing."""
    try:
        asked = json.loads(payload)
        at = datetime.fromisoformat(asked["at"])
        fits = asked["type"] == ASK and asked["audience"].rstrip("/") == rt.settings.base_url
        fresh = abs(at - now) <= FRESH
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BadAnswer("not a question") from None
    if not (fits and fresh):
        raise BadAnswer("an old question, or one for somebody else")


def _notice(session: Session, rt: Runtime, ack: Acknowledgement) -> dict[str, Any]:
    text, shown = acknowledge.notice_text(session, rt, ack)
    revision = next(one for one in ack.outage.revisions if one.number == ack.revision)
    return {
        "outage": ack.outage.reference,
        "revision": ack.revision,
        "state": ack.state.value,
        "start": revision.start.isoformat(),
        "end": revision.end.isoformat(),
        "text": text,
        "statement": {**asdict(statement_of(rt, ack, shown)), "type": "outage-notify-answer"},
    }


def of_link(session: Session, ack_id: int) -> tuple[Acknowledgement, list[OwnKey]]:
    """The acknowledgement behind a link and its customer's keys. BadToken if there is none."""
    ack = acks.fresh(session, ack_id)
    if ack is None:
        raise BadToken("unknown")
    return ack, own_key_queries.keys_of(session, ack.customer_ref)
