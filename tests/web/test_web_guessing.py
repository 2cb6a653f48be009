"""Links under attack on the real routes: every wrong one is refused alike, and guessing is slow."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from channels.tokens import make_token
from outage_notify.services import delegate, links
from outage_notify.services.revoke_links import revoke_links
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.people_tables import Customer
from outage_notify.web.security import limiter
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person

ALPHABET = string.ascii_letters + string.digits + "-_"
GUESSES = 10_000
LATER = NOW + timedelta(days=60)


def ack_of(rt: Runtime, customer: str) -> int:
    with rt.database.read() as session:
        return session.scalars(
            select(Acknowledgement.id).join(Customer).where(Customer.customer_id == customer)
        ).one()


@pytest.fixture
def unlimited(app: Flask) -> Iterator[None]:
    """The limit is looked at by itself; here every guess is to be answered."""
    limiter.enabled = False
    yield
    limiter.enabled = True


def wrong_ones(rt: Runtime) -> dict[str, str]:
    """A token of each kind that must not be taken, made with the true key where that is possible."""
    ack = ack_of(rt, "H1")
    good = rt.link_token(links.SIGN, ack, LATER)
    key = rt.signing_key.derive("links")
    delegate.pass_on(rt, good, "周建国", "Grace Hall")
    with rt.database.read() as session:
        (passed,) = delegate.given(session, ack)
    revoked = rt.link_token(links.DELEGATE, passed.id, LATER)
    delegate.revoke(rt, good, passed.id)
    taken_back = rt.link_token(links.SIGN, ack_of(rt, "T1"), LATER)
    revoke_links(rt, town.PLANNER, "T1")
    return {
        "taken back": taken_back,
        "forged": make_token(b"x" * 32, links.SIGN, ack, LATER),
        "changed": good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB"),
        "expired": make_token(key, links.SIGN, ack, NOW - timedelta(seconds=1)),
        "other purpose": rt.link_token(links.NOTICE, ack, LATER),
        "callback": rt.link_token(links.CALLBACK, ack, LATER),
        "nobody's": rt.link_token(links.SIGN, 999_999, LATER),
        "revoked": revoked,
        "no such delegation": rt.link_token(links.DELEGATE, 999_999, LATER),
        "too long": good + "A" * 40,
        "empty of sense": "-" * 31,
    }


def seen(answer: TestResponse) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """All that an outsider can compare, the cookie's own token left out."""
    headers = tuple(sorted((name, text) for name, text in answer.headers if name != "Set-Cookie"))
    return answer.status_code, answer.get_data(), headers


@pytest.mark.parametrize(
    "path",
    ["/s/{}", "/s/{}/receipt.pdf", "/s/{}/receipt.jws", "/s/{}/notice.pdf", "/s/{}/plan", "/s/{}/keys"],
)
def test_every_wrong_link_is_refused_alike(rt: Runtime, unlimited: None, stranger: Person, path: str) -> None:
    town.approved(rt)
    answers = {name: seen(stranger.get(path.format(token))) for name, token in wrong_ones(rt).items()}
    first = answers["forged"]
    assert first[0] == 404
    assert {name for name, answer in answers.items() if answer != first} == set()


def test_posts_with_wrong_links_are_refused_alike(rt: Runtime, unlimited: None, stranger: Person) -> None:
    town.approved(rt)
    page = f"/s/{rt.link_token(links.SIGN, ack_of(rt, 'W1'), LATER)}"
    form = stranger.hidden(page) | {"signer_name": "Mallory", "answer": "sign"}
    answers = {name: seen(stranger.post(f"/s/{token}", form)) for name, token in wrong_ones(rt).items()}
    assert set(answers.values()) == {answers["forged"]} and answers["forged"][0] == 404
    with rt.database.read() as session:
        assert acks.head(session) is None


def test_a_used_link_signs_nothing_a_second_time(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    page = f"/s/{rt.link_token(links.SIGN, ack_of(rt, 'W1'), LATER)}"
    for name in ("Grace Hall", "Mallory"):
        assert stranger.send(page, {"signer_name": name, "answer": "sign"}).status_code == 303
    with rt.database.read() as session:
        ack = session.get_one(Acknowledgement, ack_of(rt, "W1"))
        head = acks.head(session)
        assert (ack.signer_name, head.sequence if head else 0) == ("Grace Hall", 1)


def test_a_link_opens_the_notice_of_nobody_else(rt: Runtime, stranger: Person) -> None:
    """Each character of a good link turned: not one of them opens another customer's page."""
    town.approved(rt)
    good = rt.link_token(links.SIGN, ack_of(rt, "W1"), LATER)
    limiter.enabled = False
    try:
        for place in range(len(good)):
            other = ALPHABET[(ALPHABET.index(good[place]) + 1) % len(ALPHABET)]
            assert stranger.get(f"/s/{good[:place]}{other}{good[place + 1 :]}").status_code == 404
    finally:
        limiter.enabled = True


def test_ten_thousand_guesses_open_nothing_and_are_soon_refused_unread(
    app: Flask, rt: Runtime, stranger: Person
) -> None:
    town.approved(rt)
    dice = random.Random(20261122)
    client, counts, bodies, first = stranger.client, {404: 0, 429: 0}, set(), []
    for number in range(GUESSES):
        guess = "".join(dice.choices(ALPHABET, k=28))
        answer = client.get(f"/s/{guess}")
        counts[answer.status_code] += 1
        first += [answer.status_code] if number <= 30 else []
        bodies.add((answer.status_code, len(answer.get_data())))
    # Thirty a minute; where ten thousand take longer than one, never more than the three hundred of a day.
    assert first == [404] * 30 + [429]
    assert counts[404] <= 300 and sum(counts.values()) == GUESSES
    assert len(bodies) == 2  # one page for each of the two
    # Whoever guesses is slowed down; the honest are not locked out for good.
    limiter.reset()
    page = f"/s/{rt.link_token(links.SIGN, ack_of(rt, 'W1'), LATER)}"
    assert stranger.get(page).status_code == 200
