"""Keep me told: a stranger's address follows an outage or a place, proved by a code, left by one tap.

Promises about privacy and abuse:

- Nothing is told to an address before a code that was sent there was typed. The code is derived,
  never stored; it holds for 15 minutes and for five tries.
- Whoever asks reads the same answer, at the same cost, whether the address is known, follows
  already, or has had its codes of the day: addresses can't be probed.
- An address gets at most `CODES_A_DAY` codes a day, all together `follow_codes_per_hour` an hour;
  numbers of other countries than the utility's are refused, so that nobody earns by our texts.
- A house is followed under the same limits as it is asked for (`check_place`).

Leaves to others: counting per client (`web`), sending (`tell_followers`).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, Language
from channels.phone_numbers import PhoneNumberError, normalise, of_region
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.check_place import MayAsk, whereabouts
from outage_notify.services.public_facts import ENDED, PublicList
from outage_notify.services.runtime import Runtime
from outage_notify.store import claims, follower_queries, map_queries
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.follower_tables import Follower

log = structlog.get_logger(__name__)

CODES_A_DAY = 3
TRIES = 5
CODE_LIFE = timedelta(minutes=15)
MOST = 10
# No customer; as the subject of a question: one that was answered like any other and led to nothing.
NOBODY = 0


class Confirmed(StrEnum):
    YES = "yes"
    WRONG = "wrong"  # wrong, too late, too often, or never asked: nobody is told which
    FULL = "full"  # the address is proved, and follows as much as one may


@dataclass(frozen=True)
class Leaving:
    """Who is about to unsubscribe, as far as its owner knows it again, and how many things it follows."""

    channel: Channel
    address: str
    follows: int


def address_of(rt: Runtime, written: str) -> tuple[Channel, str]:
    """A mailbox or a number as people write them. InvalidInput if it is neither, or a number of abroad."""
    text = written.strip()
    if "@" in text:
        local, _, host = text.rpartition("@")
        plain = text.isprintable() and not any(mark in text for mark in " ,;:<>()[]\"\\'")
        if not (local and "." in host.strip(".") and plain and len(text) <= 254 and "@" not in local):
            raise InvalidInput("This is not an e-mail address.", "Write one such as name@example.com.")
        return Channel.EMAIL, f"{local}@{host.lower()}"
    try:
        number = normalise(text, rt.settings.phone_region)
    except PhoneNumberError as error:
        raise InvalidInput(error.message, error.remedy) from error
    if not of_region(number, rt.settings.phone_region):
        raise InvalidInput("This is a number of another country.", "Give an e-mail address instead.")
    return Channel.SMS, number


def ask(
    rt: Runtime,
    listed: PublicList,
    written: str,
    language: Language,
    may_ask: MayAsk,
    *,
    reference: str = "",
    place: str = "",
) -> int:
    """Somebody wishes to follow; the number to confirm with. A code goes out soon.

    NotFound for an outage that is over or not public, InvalidInput for an address or a place that
    can't be used. Twice: two codes, each of which confirms.
    """
    channel, address = address_of(rt, written)
    if channel not in rt.senders:
        raise InvalidInput("We don't send by this way.", "Give the other one: e-mail or mobile number.")
    public = listed.find(reference) if reference else None
    if reference and (public is None or public.phase in ENDED):
        raise NotFound(f"There is no public outage {reference} to follow.", "Look at the list of outages.")
    with rt.database.write() as session:
        now = rt.now(session)
        outage = map_queries.public_outage(session, reference) if reference else None
        if reference and outage is None:
            raise NotFound(f"There is no public outage {reference} to follow.", "Look at the list.")
        means = {} if outage else whereabouts(session, place, may_ask)
        mine, _ = follower_queries.asked_since(session, now - timedelta(days=1), channel, address)
        _, everybody = follower_queries.asked_since(session, now - timedelta(hours=1), channel, address)
        if everybody >= rt.settings.follow_codes_per_hour:
            log.warning("more codes were asked for than are sent in an hour")
            return NOBODY
        if mine >= CODES_A_DAY:
            return NOBODY
        row = Follower(
            channel=channel,
            address=address,
            language=language,
            outage_ref=outage.id if outage else None,
            place="" if outage else " ".join(place.split())[:200],
            means=means,
            made_at=now,
        )
        session.add(row)
        session.flush()
        return row.id


def code_of(rt: Runtime, follower: int, made_at: datetime) -> str:
    """The six digits of one question; from our key, so that they stand nowhere."""
    return _code(rt.signing_key.derive("follow"), follower, made_at)


def confirm(rt: Runtime, follower: int, code: str) -> Confirmed:
    """Whether the code is right. Each wrong one counts; a right one typed twice is right twice."""
    # Digits of other scripts are typed too; nothing else is compared.
    digits = "".join(str(int(one)) for one in code if one.isdecimal())
    with rt.database.write() as session:
        now = rt.now(session)
        row = follower_queries.locked(session, follower)
        made_at = row.made_at if row is not None else now
        # Compared with the code of each key, so that an older key costs no other time.
        keys = rt.signing_key.derive_all("follow")
        same = [hmac.compare_digest(_code(key, follower, made_at), digits) for key in keys]
        if row is None or row.tries >= TRIES or now - row.made_at > CODE_LIFE:
            return Confirmed.WRONG
        if not any(same):
            row.tries += 1
            return Confirmed.WRONG
        if row.confirmed_at is None:
            return _confirmed(session, row, now)
        return Confirmed.YES


def _confirmed(session: Session, row: Follower, now: datetime) -> Confirmed:
    others = follower_queries.following(session, row.channel, row.address)
    same = [one for one in others if (one.outage_ref, one.place) == (row.outage_ref, row.place)]
    if not same and len(others) >= MOST:
        return Confirmed.FULL
    for one in same:
        # Told in the language chosen last; what is known of the old row need not be told again.
        session.delete(one)
    row.confirmed_at = now
    return Confirmed.YES


def leaving(rt: Runtime, delivery: int) -> Leaving | None:
    """Whom the link in a message would unsubscribe; None if the message is forgotten. Changes nothing."""
    with rt.database.read() as session:
        row = session.get(Delivery, delivery)
        if row is None or row.address.startswith(follower_queries.FORGOTTEN):
            return None
        found = follower_queries.following(session, row.channel, row.address)
        return Leaving(row.channel, row.address, len(found))


def leave(rt: Runtime, delivery: int) -> int:
    """Unsubscribe the address of a message from everything; returns how much that was. Twice is once."""
    with rt.database.write() as session:
        row = session.get(Delivery, delivery)
        if row is None or row.address.startswith(follower_queries.FORGOTTEN):
            return 0
        return leave_address(session, row.channel, row.address, rt.now(session))


def leave_address(session: Session, channel: Channel, address: str, now: datetime) -> int:
    """The same inside a transaction: rows deleted, news that waits withdrawn."""
    for one in follower_queries.unsent_to(session, channel, address):
        claims.withdraw(session, one, now, "unsubscribed")
    return follower_queries.drop(session, channel, address)


def _code(key: bytes, follower: int, made_at: datetime) -> str:
    said = f"follow {follower} {int(made_at.timestamp())}".encode()
    return f"{int.from_bytes(hmac.new(key, said, sha256).digest()[:8], 'big') % 1_000_000:06d}"
