"""Who calls our number hears what is ahead of that number, and nothing about anybody else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from channels.model import Channel, Language
from outage_notify.services import run_outage
from outage_notify.store.work_tables import Event
from tests.factories.world import World

OURS = "+15005550006"


def call(city: World, number: str) -> list[str]:
    """A person calls; what was said, sentence by sentence."""
    made: dict[str, Any] = city.simulator.inbound.call({"from": number, "to": OURS, "keys": ["1"]})
    assert made["problem"] == "" and made["digits"] == ""
    return list(made["heard"])


def test_a_customer_hears_the_next_outage_in_its_own_language(city: World) -> None:
    english = city.customer(name="Ada Smith", places=["7 Secret Lane"])
    chinese = city.customer(language=Language.ZH)
    reference = city.approved()
    heard = call(city, city.address(english, Channel.VOICE))
    assert any(line.startswith("Your supply will be off on Thursday the") for line in heard)
    assert "The reason for the work: line maintenance." in heard
    assert " ".join(reference.split("-")[-1]) in " ".join(heard)
    said = " ".join(call(city, city.address(chinese, Channel.SMS)))
    assert "您处将于" in said and "线路检修" in said and "Your supply" not in said
    # A number can be forged: it opens no door to who lives where.
    assert "Ada" not in " ".join(heard) and "Secret" not in " ".join(heard)


def test_a_stranger_learns_how_to_ask_and_nothing_else(city: World) -> None:
    city.customer()
    reference = city.approved()
    heard = call(city, "+4930231259999")
    assert "您的号码尚未登记" in " ".join(heard) and "Yours is not" in " ".join(heard)
    assert any("4 9" in line and "call" in line for line in heard)  # the hotline, spelled out
    assert reference.split("-")[-1] not in "".join("".join(heard).split())
    assert not any("停电，" in line or "will be off" in line for line in heard)


def test_who_is_not_affected_hears_so(city: World) -> None:
    elsewhere = city.customer(load="load:5")
    city.customer()
    city.approved()
    heard = call(city, city.address(elsewhere, Channel.VOICE))
    assert "At present no outage is planned for the supply that is kept with this number." in heard


def test_while_it_is_off_the_caller_hears_until_when(city: World) -> None:
    home = city.customer()
    reference = city.approved()
    city.turn_to(city.request().start)
    run_outage.start(city.rt, "petra", reference)
    heard = call(city, city.address(home, Channel.VOICE))
    assert any(
        line.startswith("Your supply is off because of planned work. It is expected") for line in heard
    )
    run_outage.complete(city.rt, "petra", reference)
    assert "At present no outage is planned" in " ".join(call(city, city.address(home, Channel.VOICE)))


def test_a_cancelled_outage_is_not_ahead(city: World) -> None:
    home = city.customer()
    reference = city.approved()
    run_outage.cancel(city.rt, "petra", reference, "not needed")
    assert "At present no outage is planned" in " ".join(call(city, city.address(home, Channel.VOICE)))


def test_a_call_confirms_nothing_but_stands_in_the_story(city: World) -> None:
    works = city.customer(life_support=True)
    reference = city.approved()
    call(city, city.address(works, Channel.VOICE))
    assert city.signatures(works) == ["REQUESTED"]
    with city.rt.database.read() as session:
        (event,) = session.scalars(select(Event).where(Event.what == "called_in"))
        assert event.detail == {"heard": [reference]}


def test_without_the_provider_s_signature_nobody_is_told_anything(city: World) -> None:
    home = city.customer()
    city.approved()
    form = {"CallSid": "CA1", "From": city.address(home, Channel.VOICE)}
    answer = city.post("/webhooks/twilio/inbound-call", form)
    assert answer.status_code == 403 and "off" not in answer.text
