"""`outage-notify reconcile` as an operator or a script meets it: the result alone on standard output, a status."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from channels.model import Channel
from outage_notify.cli import main
from outage_notify.domain.delivery import DeliveryState
from outage_notify.store.delivery_tables import Delivery
from tests.factories.world import World

Run = Callable[..., tuple[int, str, str]]
HOLDS = "The audit holds: untold 0, told twice 0.\n"


@pytest.fixture
def run(city: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One `reconcile` with the settings of the city: (exit status, standard output, standard error)."""
    for name, value in city.rt.settings.as_environment().items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["reconcile", *arguments])
        assert city.simulator.settle()
        out, err = capsys.readouterr()
        return status, out, err

    return command


def forgotten(city: World) -> tuple[str, str]:
    """An outage and a customer whose first notice is gone from the outbox."""
    home = city.customer(name="Rosa Untold")
    reference = city.approved()
    row = city.deliveries(home)[0].id
    city.change(Delivery, row, lambda one: setattr(one, "state", DeliveryState.WITHDRAWN))
    return reference, home


def test_without_more_words_it_is_the_verdict(city: World, run: Run) -> None:
    city.customer()
    city.approved()
    assert run() == (0, HOLDS, "")


def test_the_report_says_what_was_done_and_how_far_everybody_is_told(city: World, run: Run) -> None:
    homes = [city.customer() for _ in range(4)]
    number = city.address(homes[0], Channel.SMS)
    city.customer(sms=None, voice=None, email=None)
    reference = city.approved()
    city.script(
        {"to": number, "do": "dead_number"},
        {"to": city.address(homes[1], Channel.SMS), "do": {"api": "lost", "callback_drop": True}},
    )
    for one in city.deliveries(homes[2]):
        city.change(Delivery, one.id, lambda row: setattr(row, "due_at", city.monday + timedelta(days=5)))
    city.first_wave()
    status, out, err = run("--report", "--json")
    answer = json.loads(out)
    assert (status, err, answer["holds"], answer["stepped"]) == (0, "", True, 1)
    assert answer["audit"]["people"] == 5 and answer["audit"]["in_doubt"] == 1
    assert answer["outages"] == [
        {
            "outage": reference,
            "revision": 1,
            "told": 1,
            "on_the_way": 1,
            # One by the next channel, one later, and the letter of the one who has nothing else.
            "waiting": 3,
            "not_reached": 0,
            "by_hand": 1,
            "untold": 0,
        }
    ]
    status, out, err = run("--report")
    assert (status, err) == (0, "") and out.endswith(HOLDS)
    lines = [line.replace("│", " ").split() for line in out.splitlines()]
    assert [reference, "1", "1", "1", "3", "0", "1", "0"] in lines
    assert "  messages in doubt\n" in out and number not in out


def test_whoever_is_forgotten_is_named_with_the_next_step(city: World, run: Run) -> None:
    reference, home = forgotten(city)
    explain = f"outage-notify explain --outage {reference} --customer {home}"
    status, out, err = run("--report")
    assert status == 1 and f"UNTOLD: first notice of {reference}; why: {explain}\n" in out
    assert out.endswith("The audit DOES NOT HOLD: untold 1, told twice 0.\n")
    # The log's own line, for whoever keeps it.
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["audit does not hold"]
    assert "Rosa" not in out + err
    assert main(explain.split()[1:]) == 0


def test_a_script_reads_json_and_nothing_else_also_when_something_is_wrong(city: World, run: Run) -> None:
    reference, home = forgotten(city)
    status, out, err = run("--json")
    answer = json.loads(out)
    assert status == 1 and answer["holds"] is False and "outages" not in answer
    assert answer["audit"]["untold"] == [{"outage": reference, "customer": home, "notice": "first"}]
    assert "audit does not hold" in err


def test_a_long_list_is_cut_for_people_and_whole_for_scripts(city: World, run: Run) -> None:
    for _ in range(52):
        city.customer(voice=None, email=None)
    city.approved()
    for one in city.deliveries(kind=None):
        city.change(Delivery, one.id, lambda row: setattr(row, "state", DeliveryState.WITHDRAWN))
    _, out, _ = run("--report")
    assert out.count("UNTOLD: ") == 51 and "UNTOLD: and 54 more; --json names all.\n" in out
    assert len(json.loads(run("--json")[1])["audit"]["untold"]) == 104


@pytest.mark.parametrize("arguments", [["now"], ["--reprot"], ["--report=yes"], ["--report", "PO-2026-0001"]])
def test_wrong_use_is_status_2_and_does_nothing(city: World, run: Run, arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "") and "Error: " in err


def test_what_is_missing_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("OUTAGE_NOTIFY_TIMEZONE")
    status, out, err = run("--report", "--json")
    assert (status, out) == (2, "") and "OUTAGE_NOTIFY_TIMEZONE" in err
    monkeypatch.setenv("OUTAGE_NOTIFY_TIMEZONE", "Asia/Shanghai")
    monkeypatch.setenv("OUTAGE_NOTIFY_DATABASE_URL", "postgresql+psycopg://u:hidden@127.0.0.1:1/x")
    status, out, err = run("--report")
    assert (status, out) == (2, "") and "doctor" in err and "hidden" not in err
