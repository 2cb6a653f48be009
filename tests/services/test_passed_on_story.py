"""A link passed on to a colleague, sent by us: the whole story against the simulated provider."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from channels.model import Channel, Language
from channels.receipts import verify_receipt
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import delegate, run_outage, send_passed_on, tell_followers
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delegation_tables import Delegation
from tests.factories.world import World

S = DeliveryState
NUMBER, MAIL = "+8613900009999", "grace@hospital.example"
BY, TO = "周建国", "Grace Hall"


class Asked:
    """A key customer who has got the first notice, and the link in it."""

    def __init__(self, city: World, **more: Any) -> None:
        more = {"tier": Tier.FIRST, "name": "City Hospital"} | more
        self.city, self.customer = city, city.customer(**more)
        self.reference = city.approved()
        city.first_wave()
        (text,) = city.ledger(city.address(self.customer, Channel.SMS))
        self.token = token_in(text["text"])

    def pass_on(self, to: str, names: tuple[str, str] = (BY, TO), language: Language = Language.EN) -> None:
        delegate.pass_on(self.city.rt, self.token, *names, to, language)

    def sent(self) -> list[tuple[Channel, DeliveryState]]:
        found = self.city.deliveries(kind=NoticeKind.PASSED_ON)
        return [(one.channel, one.state) for one in found]


def token_in(text: str) -> str:
    found = re.search(r"/s/([\w-]+)", text)
    assert found is not None, text
    return found[1]


def rows(city: World, model: Any) -> int:
    with city.rt.database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def sign(city: World, token: str, name: str) -> int:
    """Open the page as a browser does and press the button."""
    browser, url = requests.Session(), f"{city.rt.settings.base_url}/s/{token}"
    hidden = dict(re.findall(r'name="(csrf_token|text_sha256)" value="([^"]+)"', browser.get(url).text))
    return browser.post(url, data=hidden | {"signer_name": name, "answer": "sign"}).status_code


@pytest.mark.parametrize("address", [NUMBER, MAIL])
@pytest.mark.parametrize("language", list(Language))
def test_a_colleague_gets_the_link_once_and_signs(city: World, address: str, language: Language) -> None:
    asked = Asked(city)
    for _ in range(2):
        asked.pass_on(address, language=language)
    city.work()
    (got,) = city.ledger(address)
    said = got["text"]
    assert BY in said and TO in said and "City Hospital" in said and asked.reference in said
    assert ("asks you" in said) == (language is Language.EN) and ("请您" in said) == (language is Language.ZH)
    assert "/feeds/" not in said and "/n/" not in said and asked.token not in said
    assert [state for _, state in asked.sent()] == [S.DELIVERED if address == NUMBER else S.ACCEPTED]
    assert sign(city, token_in(said), TO) == 200
    assert city.signatures(asked.customer) == ["ACKNOWLEDGED"]
    with city.rt.database.read() as session:
        ack = session.scalars(select(Acknowledgement)).one()
        receipt = acks.last_receipt(session, ack.id)
        assert receipt is not None
        details = verify_receipt(receipt.jws, city.rt.signing_key.public_jwks).details
    assert (details["delegated_by"], details["delegated_to"]) == (BY, TO)
    assert city.reconcile().holds and city.tasks() == []


def test_the_page_shows_how_far_it_came_and_whose_word_it_is(city: World) -> None:
    asked = Asked(city)
    city.script({"to": NUMBER, "do": "dead_number"})
    asked.pass_on(NUMBER)
    asked.pass_on(MAIL)
    city.work()
    city.reconcile()
    assert asked.sent() == [(Channel.SMS, S.FAILED), (Channel.EMAIL, S.ACCEPTED)], "no channel follows"
    page = requests.get(f"{city.rt.settings.base_url}/s/{asked.token}", timeout=10).text
    listed = page.split('class="sent"')[1].split("</ul>")[0]
    assert "…9999" in listed and "It did not arrive there" in listed and "g…@hospital.example" in listed
    assert NUMBER not in page and MAIL not in page
    assert city.tasks() == [], "it is nobody's notice"
    assert city.signatures(asked.customer) == ["REQUESTED"]


def test_what_waits_is_withdrawn_when_it_serves_no_more(city: World) -> None:
    asked = Asked(city)
    asked.pass_on(NUMBER)
    with city.rt.database.read() as session:
        number = session.scalars(select(Delegation.id)).one()
    delegate.revoke(city.rt, asked.token, number)
    asked.pass_on(MAIL)
    assert sign(city, asked.token, BY) == 200
    city.work()
    assert [state for _, state in asked.sent()] == [S.WITHDRAWN] * 2
    assert city.ledger(NUMBER) == [] and city.ledger(MAIL) == []


@pytest.mark.parametrize("how", ["revised", "cancelled"])
def test_a_change_takes_it_back(city: World, how: str) -> None:
    asked = Asked(city)
    asked.pass_on(NUMBER)
    if how == "revised":
        city.revised(asked.reference, days=12)
    else:
        run_outage.cancel(city.rt, "petra", asked.reference, "no need")
    city.work()
    assert asked.sent() == [(Channel.SMS, S.WITHDRAWN)] and city.ledger(NUMBER) == []


def test_a_lost_answer_is_asked_about_and_it_is_told_once(city: World) -> None:
    asked = Asked(city)
    city.script({"times": 1, "do": {"api": "lost", "callback_drop": True}})
    asked.pass_on(NUMBER)
    city.work()
    assert asked.sent() == [(Channel.SMS, S.IN_DOUBT)]
    city.turn_to(city.now() + timedelta(seconds=151))
    assert city.reconcile().found == 1
    assert asked.sent() == [(Channel.SMS, S.DELIVERED)] and len(city.ledger(NUMBER)) == 1


def test_at_night_it_waits_unless_the_outage_is_near(city: World) -> None:
    asked = Asked(city)
    city.turn_to(city.monday.replace(hour=23) + timedelta(days=3))
    asked.pass_on(NUMBER)
    asked.pass_on(MAIL)
    city.work()
    assert asked.sent() == [(Channel.SMS, S.READY), (Channel.EMAIL, S.ACCEPTED)]
    city.turn_to(city.monday + timedelta(days=4))
    city.work()
    assert asked.sent()[0] == (Channel.SMS, S.DELIVERED)
    city.turn_to(city.monday.replace(hour=23) + timedelta(days=9))
    asked.pass_on("+8613900008888")
    city.work()
    assert len(city.ledger("+8613900008888")) == 1


def test_a_colleague_signs_by_the_link_and_not_by_a_reply(city: World) -> None:
    asked = Asked(city)
    asked.pass_on(NUMBER)
    city.work()
    city.simulator.inbound.reply({"from": NUMBER, "body": "1"})
    assert city.simulator.settle()
    assert city.signatures(asked.customer) == ["REQUESTED"]


def test_it_is_no_relay_for_other_peoples_words(city: World) -> None:
    asked = Asked(city)
    for bad in (
        "visit evil.example",
        "http://evil.example/x",
        "call 190012345",
        "me@evil.example",
        "a" * 61,
        "www.evil",
    ):
        with pytest.raises(InvalidInput, match="letters"):
            asked.pass_on(NUMBER, (bad, TO))
        with pytest.raises(InvalidInput, match="letters"):
            asked.pass_on(NUMBER, (BY, bad))
    for address in ("12", "a@b", "one@example.com,two@example.com", "x@example.com\nBcc: y@example.com"):
        with pytest.raises(InvalidInput):
            asked.pass_on(address)
    assert asked.sent() == [] and rows(city, Delegation) == 0, "a refusal leaves nothing behind"
    # Names as people bear them are sent.
    for number, name in enumerate(
        ("Dr. Jürgen Müller-Lüdenscheid", "O’Brien, Anne", "阿卜杜拉·买买提", "Nguyễn Thị")
    ):
        asked.pass_on(f"c{number}@hospital.example", (BY, name))


def test_a_customer_sends_few_a_day_and_an_address_gets_fewer(city: World) -> None:
    asked, other = Asked(city), city.customer(tier=Tier.FIRST)
    for number in range(send_passed_on.THERE_A_DAY):
        asked.pass_on(NUMBER, (BY, f"N{'abc'[number]}"))
    with pytest.raises(InvalidInput, match="can't send to this address now"):
        asked.pass_on(NUMBER, (BY, "Nd"))
    for number in range(send_passed_on.A_DAY - send_passed_on.THERE_A_DAY):
        asked.pass_on(f"c{number}@hospital.example")
    with pytest.raises(InvalidInput, match="in a day"):
        asked.pass_on(MAIL)
    assert len(asked.sent()) == send_passed_on.A_DAY
    city.pass_time(days=1, minutes=1)
    asked.pass_on(MAIL)
    assert other  # a customer who was not asked yet has no link to pass on


def test_who_wished_nothing_more_gets_nothing(city: World) -> None:
    asked = Asked(city)
    asked.pass_on(NUMBER)
    city.work()
    asked.pass_on(NUMBER, (BY, "Anna"))
    city.simulator.inbound.reply({"from": NUMBER, "body": "STOP"})
    assert city.simulator.settle()
    city.work()
    assert asked.sent() == [(Channel.SMS, S.DELIVERED), (Channel.SMS, S.WITHDRAWN)]
    with pytest.raises(InvalidInput, match="can't send to this address now"):
        asked.pass_on(NUMBER, (BY, "Bea"))
    city.simulator.inbound.reply({"from": NUMBER, "body": "START"})
    assert city.simulator.settle()
    asked.pass_on(NUMBER, (BY, "Bea"))
    # The customer's own number, whose owner opted out, is no way around it either.
    own = city.address(asked.customer, Channel.SMS)
    city.simulator.inbound.reply({"from": own, "body": "STOP"})
    assert city.simulator.settle()
    with pytest.raises(InvalidInput, match="can't send to this address now"):
        asked.pass_on(own, (BY, "Cora"))


def test_the_colleagues_address_is_forgotten_in_time(city: World) -> None:
    asked = Asked(city)
    asked.pass_on(MAIL)
    city.work()
    run_outage.cancel(city.rt, "petra", asked.reference, "no need")
    city.pass_time(days=15)
    tell_followers.forget(city.rt)
    (row,) = city.deliveries(kind=NoticeKind.PASSED_ON)
    assert MAIL not in row.address
    page = requests.get(f"{city.rt.settings.base_url}/s/{asked.token}", timeout=10)
    assert "forgotten" not in page.text


def test_hostile_names_stay_text(city: World) -> None:
    asked = Asked(city, name="<b>City</b> & \u202eHospital")
    asked.pass_on(MAIL, ("O’Brien", "Anne"))
    city.work()
    (got,) = city.ledger(MAIL)
    assert "\u202e" not in str(got)
    assert "<b>" not in str(got.get("html", ""))
