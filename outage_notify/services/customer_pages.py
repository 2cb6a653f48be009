"""What a customer's own links show: the page to sign, and the notice for everybody who was told.

Promises: showing a page changes nothing, scanners open links; a forged, an expired and an
unknown link are refused alike (`BadToken`). What is signed and what it ends in is
`acknowledge`'s.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from channels import document
from channels.model import NoticeFacts
from channels.own_keys import PASSKEY
from channels.signing import BadToken, verify_receipt
from outage_notify.domain.acknowledgement import AckState, ack_predecessors
from outage_notify.domain.errors import NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services import acknowledge, delegate, links, publish_keys, send_passed_on, ways_in
from outage_notify.services.invitations import Mailbox, mailboxes
from outage_notify.services.notice_facts import LINK_LIFE_AFTER_END, facts_for, facts_of
from outage_notify.services.runtime import Runtime
from outage_notify.services.send_passed_on import SentLink
from outage_notify.services.sent_messages import Sent, sent_to
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store import own_key_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt, link_subject
from outage_notify.store.delegation_tables import Delegation
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage

ANSWERABLE = frozenset({OutageState.APPROVED, OutageState.ACTIVE})


@dataclass(frozen=True)
class Given:
    """A link that was passed on: whole, and where we sent it."""

    delegation: Delegation
    address: str
    sent: Sequence[SentLink]


@dataclass(frozen=True)
class SignPage:
    """All that the page to sign says. `newer_url` is set when another revision replaced this one."""

    ack: Acknowledgement
    outage_state: OutageState
    facts: NoticeFacts
    text: str
    text_sha256: str
    receipt: SignedReceipt | None
    newer_url: str
    # By whom and to whom the link was passed on, if it was; else what was passed on.
    delegation: Delegation | None = None
    given: Sequence[Given] = ()
    sent: Sequence[Sent] = ()
    passkeys: bool = False
    mailboxes: Sequence[Mailbox] = ()

    @property
    def may_sign(self) -> bool:
        """Whether an answer would be taken now."""
        stands = self.outage_state in ANSWERABLE and not self.newer_url
        return stands and self.ack.state in ack_predecessors(AckState.ACKNOWLEDGED)


@dataclass(frozen=True)
class NoticePage:
    """A notice as it was told, and where the outage stands now."""

    facts: NoticeFacts
    outage_state: OutageState
    revision: int
    start: datetime
    end: datetime
    expected_end: datetime | None

    @property
    def replaced(self) -> bool:
        return self.revision != self.facts.revision


def sign_page(rt: Runtime, token: str) -> SignPage:
    """The page behind a link to sign. Raises BadToken."""
    way = ways_in.way_in(rt, token)
    with rt.database.read() as session:
        ack = _asked(session, way.ack)
        outage, customer = ack.outage, ack.customer
        revision = next(one for one in outage.revisions if one.number == ack.revision)
        text, sha256 = acknowledge.notice_text(session, rt, ack)
        return SignPage(
            ack=ack,
            outage_state=outage.state,
            facts=facts_for(session, rt, outage, revision, customer, NoticeKind.SEVEN_DAY),
            text=text,
            text_sha256=sha256,
            receipt=acks.last_receipt(session, ack.id),
            newer_url=_newer(session, rt, outage, ack, way.delegation is not None),
            delegation=way.delegation,
            given=[] if way.delegation else _given(session, rt, ack),
            sent=[] if way.delegation else sent_to(session, customer.id, outage.id),
            mailboxes=[] if way.delegation else mailboxes(customer),
            passkeys=any(
                one.signs and one.kind == PASSKEY for one in own_key_queries.keys_of(session, customer.id)
            ),
        )


def answer(rt: Runtime, token: str, given: acknowledge.Answer) -> SignedReceipt:
    """Take an answer by link. BadToken as above; otherwise as `acknowledge.answer`."""
    way = ways_in.way_in(rt, token)
    try:
        return acknowledge.answer(rt, way.ack, replace(given, proof=delegate.in_receipt(way.delegation)))
    except NotFound:
        raise BadToken("unknown") from None


def receipt_pdf(rt: Runtime, page: SignPage) -> bytes:
    """The newest receipt of a page to sign, readable by people; signed where a certificate is set.

    ValueError if nothing was signed.
    """
    if page.receipt is None:
        raise ValueError("nothing was signed on this page")
    payload = verify_receipt(page.receipt.jws, publish_keys.verification_keys(rt))
    zone = page.facts.start.tzinfo
    header = page.receipt.jws.partition(".")[0]
    pdf = document.receipt_pdf(
        {
            **asdict(payload),
            "at": f"{payload.at.astimezone(zone):%Y-%m-%d %H:%M:%S %z}",
            "language": page.facts.language,
            "utility": rt.settings.utility,
            "customer_name": page.facts.customer_name,
            "sha256": page.receipt.sha256,
            "text": page.text,
            "kid": json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"],
            "verify_url": f"{rt.settings.base_url}/verify/{page.receipt.sha256}",
        }
    )
    return rt.pdf_signer.sign(pdf, page.facts.reference) if rt.pdf_signer else pdf


def notice_page(rt: Runtime, token: str) -> NoticePage:
    """The page behind a link in a notice. Raises BadToken."""
    delivery_id = links.subject_of(rt, links.NOTICE, token)
    with rt.database.read() as session:
        delivery = session.get(Delivery, delivery_id)
        if delivery is None:
            raise BadToken("unknown")
        outage = session.get_one(Outage, delivery.outage_ref)
        standing = outage.standing
        return NoticePage(
            facts_of(session, rt, delivery),
            outage.state,
            outage.revision,
            standing.start,
            standing.end,
            outage.expected_end,
        )


def _asked(session: Session, ack_id: int) -> Acknowledgement:
    ack = session.get(Acknowledgement, ack_id)
    if ack is None:
        raise BadToken("unknown")
    return ack


def _given(session: Session, rt: Runtime, ack: Acknowledgement) -> list[Given]:
    return [
        Given(one, delegate.address(rt, one, ack), send_passed_on.shown(session, one))
        for one in delegate.given(session, ack.id)
        if one.revoked_at is None
    ]


def _newer(session: Session, rt: Runtime, outage: Outage, ack: Acknowledgement, by_delegate: bool) -> str:
    """The address of the page of the revision that stands, if that is another one and asks this customer;
    the public page of the outage if it asks him no longer or a colleague looks; empty if this one stands."""
    if ack.revision == outage.revision and ack.state is not AckState.SUPERSEDED:
        return ""
    standing = acks.standing_of(session, outage.id, ack.customer_ref)
    if standing is None or standing.id == ack.id or by_delegate:
        return f"{rt.settings.base_url}/outages/{outage.reference}"
    expires = outage.standing.end + LINK_LIFE_AFTER_END
    subject = link_subject(standing.id, standing.link_serial)
    return f"{rt.settings.base_url}/s/{rt.link_token(links.SIGN, subject, expires)}"
