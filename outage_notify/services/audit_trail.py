"""The audit log: every event becomes a link of a chain, so that none can be changed or taken out unseen.

Each link holds the SHA-256 of its event and of the link before it, and an HMAC over that with a key which is derived
from the signing key: whoever can write to the database but has no key can't build the chain anew. Events are
sealed by the worker within about a minute of their commit, not while they are written, since a hundred thousand
approvals at once must not wait for each other. The database itself refuses to change or delete either table.
Promises: sealed twice or by two at once, each event gets one link. Not seen are: an event removed before it was
sealed, and a cut end, unless a head that was noted elsewhere is given to `verify`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from typing import IO, Any

from outage_notify.services.runtime import Runtime
from outage_notify.store import trail_queries
from outage_notify.store.trail_queries import Entry, Wanted
from outage_notify.store.trail_tables import AuditLink
from outage_notify.store.work_tables import Event

FIRST_PREVIOUS = "0" * 64
AT_ONCE = 2_000
PAGE = 100
_MOST_ROUNDS = 50


@dataclass(frozen=True)
class TrailReport:
    """What verifying found: `broken_at` is the first link that does not hold, `reason` says why."""

    links: int
    head: str
    unsealed: int
    broken_at: int | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        return self.broken_at is None

    def __str__(self) -> str:
        if not self.ok:
            return f"broken at link {self.broken_at}: {self.reason}"
        waits = f"; {self.unsealed} events wait to be sealed" if self.unsealed else ""
        return f"{self.links} links, every one holds; head {self.links}:{self.head}{waits}"


def seal(rt: Runtime) -> int:
    """Give every event that has none its link; how many. Dying midway leaves a shorter, whole chain."""
    sealed = 0
    for _ in range(_MOST_ROUNDS):
        with rt.database.read() as session:
            # Asked without the write lock first: mostly nothing has happened.
            if not trail_queries.unsealed(session, trail_queries.last_link(session), 1):
                break
        with rt.database.write() as session:
            trail_queries.lock(session)
            last = trail_queries.last_link(session)
            sequence, previous = (last.sequence, last.sha256) if last else (0, FIRST_PREVIOUS)
            key = rt.signing_key.derive("audit")
            found = trail_queries.unsealed(session, last, AT_ONCE)
            for event in found:
                sequence += 1
                digest = link_hash(previous, event)
                session.add(
                    AuditLink(
                        sequence=sequence,
                        event_ref=event.id,
                        sha256=digest,
                        previous_sha256=previous,
                        mac=_mac(key, digest),
                    )
                )
                previous = digest
            sealed += len(found)
    return sealed


def verify(rt: Runtime, noted: tuple[int, str] | None = None) -> TrailReport:
    """Walk the whole chain. `noted`: a head (number, hash) that was kept elsewhere and must be found in its place."""
    keys = rt.signing_key.derive_all("audit")
    previous, count = FIRST_PREVIOUS, 0
    with rt.database.read() as session:

        def broken(reason: str) -> TrailReport:
            return TrailReport(count, previous, 0, count + 1, reason)

        for link, event in trail_queries.chain(session):
            if link.sequence != count + 1:
                return broken(f"link {count + 1} is missing")
            if event is None:
                return broken(f"event {link.event_ref} is missing")
            if link.previous_sha256 != previous:
                return broken("it does not follow the link before")
            if link.sha256 != link_hash(previous, event):
                return broken(f"event {event.id} was changed")
            if not any(hmac.compare_digest(link.mac, _mac(key, link.sha256)) for key in keys):
                return broken("it was not sealed with a key of this installation")
            count, previous = link.sequence, link.sha256
            if noted is not None and noted[0] == count and noted[1] != previous:
                return TrailReport(count, previous, 0, count, "it is not the head that was noted")
        if noted is not None and noted[0] > count:
            return broken(f"the chain was cut: a head of {noted[0]} links was noted")
        return TrailReport(count, previous, trail_queries.count_unsealed(session))


def page(rt: Runtime, wanted: Wanted) -> tuple[list[Entry], bool]:
    """Entries of the log, newest first, and whether older ones follow."""
    with rt.database.read() as session:
        found = trail_queries.entries(session, wanted, PAGE + 1)
        return found[:PAGE], len(found) > PAGE


def words(rt: Runtime) -> list[str]:
    with rt.database.read() as session:
        return trail_queries.words(session)


def rows(rt: Runtime, wanted: Wanted) -> Iterator[list[str]]:
    """The same as rows of a table: number, time, who, what, outage, customer, details, link, hash."""
    yield ["event", "at", "actor", "what", "outage", "customer", "detail", "link", "sha256"]
    with rt.database.read() as session:
        for one in trail_queries.stream(session, wanted):
            event, link = one.event, one.link
            detail = json.dumps(event.detail, ensure_ascii=False, sort_keys=True) if event.detail else ""
            yield [
                str(event.id),
                event.at.astimezone(UTC).isoformat(),
                event.actor,
                event.what,
                one.reference,
                one.customer_id,
                detail,
                str(link.sequence) if link else "",
                link.sha256 if link else "",
            ]


def export(rt: Runtime, target: IO[str]) -> int:
    """Every sealed event as a line of JSON with its link, oldest first: anybody can hash them anew. How many."""
    count = 0
    with rt.database.read() as session:
        for link, event in trail_queries.chain(session):
            line = {
                "sequence": link.sequence,
                "previous": link.previous_sha256,
                "sha256": link.sha256,
                "event": canonical(event) if event is not None else None,
            }
            target.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count


def canonical(event: Event) -> dict[str, Any]:
    """What is hashed of an event, as plain JSON."""
    return {
        "id": event.id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "what": event.what,
        "outage": event.outage_ref,
        "customer": event.customer_ref,
        "delivery": event.delivery_ref,
        "detail": event.detail,
    }


def link_hash(previous: str, event: Event) -> str:
    body = json.dumps(canonical(event), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(f"{previous}\n{body}".encode()).hexdigest()


def _mac(key: bytes, digest: str) -> str:
    return hmac.new(key, digest.encode("ascii"), sha256).hexdigest()
