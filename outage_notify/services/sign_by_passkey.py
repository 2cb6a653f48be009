"""A customer's passkey, from its own page: register a device, and sign with it.

Promises: a device that was registered by whoever holds a link signs nothing until the utility has confirmed it;
what is signed is named before the device is asked and checked again afterwards. Leaves to others: keys as such
(`own_keys`), cryptography (`channels.passkeys`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from channels import passkeys
from channels.own_keys import PASSKEY, BadAnswer, Statement
from channels.passkeys import Passkey
from outage_notify.domain.acknowledgement import AckWay
from outage_notify.services import acknowledge, delegate, links, own_keys, ways_in
from outage_notify.services.runtime import Runtime
from outage_notify.store import own_key_queries
from outage_notify.store.acknowledgement_tables import SignedReceipt
from outage_notify.store.own_key_tables import OwnKey
from outage_notify.store.people_tables import Customer

BY = "customer"


def keys_of_link(rt: Runtime, token: str) -> tuple[Customer, list[OwnKey]]:
    """The customer behind a link and its keys that were not revoked. Raises BadToken."""
    ack_id = links.acknowledgement_of(rt, token)
    with rt.database.read() as session:
        ack, keys = own_keys.of_link(session, ack_id)
        return ack.customer, [one for one in keys if one.revoked_at is None]


def ask_to_register(rt: Runtime, token: str) -> dict[str, Any]:
    """Options for the device. Its `challenge` is to be kept and handed back."""
    customer, keys = keys_of_link(rt, token)
    known = [_passkey(one) for one in keys if one.kind == PASSKEY]
    return passkeys.ask_to_register(rt.settings.base_url, rt.settings.utility, customer.name, known)


def register(rt: Runtime, token: str, challenge: str, answer: Any, label: str) -> None:
    """Keep the device's new key, which waits for confirmation. BadAnswer, Conflict, InvalidInput."""
    ack_id = links.acknowledgement_of(rt, token)
    made = passkeys.register(rt.settings.base_url, challenge, answer)
    with rt.database.write() as session:
        ack, _ = own_keys.of_link(session, ack_id)
        now = rt.now(session)
        key = own_keys.keep(
            session, ack.customer_ref, PASSKEY, made.name, made.public_key, label, BY, now, made.credential
        )
        key.counter = made.counter


def ask_to_sign(rt: Runtime, token: str, given: dict[str, str]) -> dict[str, Any]:
    """{"statement": what is signed, "options": for the device}. BadAnswer if no passkey of the customer counts."""
    ack_id = ways_in.acknowledgement(rt, token)
    with rt.database.read() as session:
        ack, keys = own_keys.of_link(session, ack_id)
        known = [_passkey(one) for one in keys if one.signs and one.kind == PASSKEY]
        if not known:
            raise BadAnswer("no passkey")
        _, shown = acknowledge.notice_text(session, rt, ack)
        fields = {name: " ".join(text.split()) for name, text in given.items() if name in _GIVEN}
        statement = own_keys.statement_of(rt, ack, shown, **fields)
    options = passkeys.ask_to_sign(statement, known)
    return {"statement": statement.to_json().decode(), "options": options}


def answer(rt: Runtime, token: str, statement: str, answer: Any) -> SignedReceipt:
    """Take a statement with a device's signature. BadAnswer if it does not fit; else as `acknowledge.answer`."""
    way, said = ways_in.way_in(rt, token), Statement.from_json(statement)
    with rt.database.write() as session:
        ack, _ = own_keys.of_link(session, way.ack)
        if (said.outage, said.revision) != (ack.outage.reference, ack.revision):
            raise BadAnswer("about another notice")
        key = _signing(session, ack.customer_ref, passkeys.credential_of(answer))
        proof = passkeys.check(said, _passkey(key), answer)
        receipt = own_keys.answer_signed(
            session, rt, key, said, AckWay.PASSKEY, proof.details | delegate.in_receipt(way.delegation)
        )
        if not own_key_queries.count_use(session, key.id, key.counter, proof.counter):
            raise BadAnswer("used meanwhile")
        return receipt


_GIVEN = frozenset({"answer", "signer_name", "signer_role", "reason", "wished"})


def _signing(session: Session, customer: int, credential: str) -> OwnKey:
    for one in own_key_queries.keys_of(session, customer):
        if one.signs and one.kind == PASSKEY and one.credential == credential:
            return one
    raise BadAnswer("no such passkey")


def _passkey(key: OwnKey) -> Passkey:
    return Passkey(key.name, key.credential, key.public_key, key.counter)
