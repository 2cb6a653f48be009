"""The command line as a person or a script meets it: help, exit status, and JSON alone on standard output."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geo.readers import read_network
from geo.resolve import resolve
from outage_notify.cli import COMMANDS, main
from outage_notify.domain.audience import Tier
from outage_notify.services.customer_row import COLUMNS
from tests.factories.customer_files import customer_row, write_customers

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "outage_notify" / "sample" / "network" / "oberrhein_schutterwald.json"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command with nothing set but the database: (exit status, standard output, standard error)."""
    monkeypatch.setenv("OUTAGE_NOTIFY_DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(list(arguments))
        out, err = capsys.readouterr()
        return status, out, err

    return command


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_explains_itself(run: Run, name: str) -> None:
    status, out, _ = run(name, "--help")
    assert status == 0 and out.startswith("Usage: outage-notify " + name)


def test_help_lists_the_commands(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for name in (
        "import",
        "resolve",
        "outage",
        "explain",
        "receipts",
        "send-test",
        "doctor",
        "serve",
        "demo",
    ):
        assert f"\n  {name} " in out
    assert "\n  simulator " not in out, "for ourselves alone"


def test_groups_hold_what_was_promised(run: Run) -> None:
    _, out, _ = run("outage", "--help")
    steps = (
        "plan",
        "edit",
        "submit",
        "approve",
        "send-back",
        "revise",
        "cancel",
        "start",
        "overrun",
        "complete",
    )
    assert [step for step in (*steps, "show", "list") if f"\n  {step} " not in out] == []
    _, out, _ = run("letters", "--help")
    assert [step for step in ("list", "print", "posted", "delivered") if f"\n  {step} " not in out] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["resolve"],
        ["resolve", "--work"],
        ["outage", "plan", "--by", "a"],
        ["receipts", "verify"],
        ["receipts", "verify", "a.jsonl", "--all"],
        ["import", "network", "x.json", "--format", "dxf"],
    ],
)
def test_wrong_use_is_status_2_on_standard_error(run: Run, arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "") and err


def test_resolve_answers_by_the_network_alone(run: Run) -> None:
    """Nothing is set but the database, no customer is imported, and the answer is that of the trace."""
    assert run("import", "network", str(NETWORK))[0] == 0
    status, out, err = run("resolve", "--work", "line:174", "--json")
    answer = json.loads(out)
    network = read_network(NETWORK).network
    assert network is not None
    expected = resolve(network, work=["line:174"])
    assert status == 0 and err == ""
    assert list(answer) == ["isolation", "lost", "partial", "reduced", "momentary", "by_tier", "elapsed_ms"]
    assert answer["isolation"] == {"opened": list(expected.opened), "closed": []}
    assert answer["lost"] == list(expected.lost) and len(answer["lost"]) > 10
    assert list(answer["by_tier"]) == [tier.value for tier in Tier]
    assert answer["by_tier"]["FIRST"] == {"outage": 0, "reduced": 0, "momentary": 0, "customers": 0}
    status, out, _ = run("resolve", "--out", "line:174", "--close-ties", "--json")
    tied = resolve(network, out=["line:174"], close_ties=True)
    answer = json.loads(out)
    assert (answer["lost"], answer["momentary"]) == (list(tied.lost), list(tied.momentary))
    assert answer["isolation"]["closed"] == list(tied.closed)


def test_resolve_says_why_and_what_to_close(run: Run) -> None:
    run("import", "network", str(NETWORK))
    answer = json.loads(run("resolve", "--work", "line:174", "--suggest", "--json")[1])
    load, tie = answer["lost"][0], answer["suggested"]["close"][0]
    text = run("resolve", "--work", "line:174", "--suggest", "--why", load)[1]
    assert f"suggested tie {tie} keeps" in text and f"{load} on ABC:" in text
    assert "fed before by: ext_grid:" in text and "cut at: " in text
    assert run("resolve", "--why", load)[0] == 0
    assert run("resolve", "--work", "line:174", "--allow-loops")[0] == 2
    assert run("resolve", "--work", "line:174", "--with", "PO-1999-0001")[0] == 2


def test_reduced_names_the_service_points_of_sites_that_keep_a_feed(run: Run, tmp_path: Path) -> None:
    run("import", "network", str(NETWORK))
    lost = json.loads(run("resolve", "--work", "line:174", "--json")[1])["lost"]
    rows = [
        customer_row(1, site_id="H", element=lost[0], tier="FIRST"),
        customer_row(2, customer_id="C1", site_id="H", element="load:0", name="", sms="", email="", tier=""),
        customer_row(3, element=lost[0]),
    ]
    assert run("import", "customers", str(write_customers(tmp_path / "c.csv", rows)))[0] == 0
    answer = json.loads(run("resolve", "--work", "line:174", "--json")[1])
    assert answer["reduced"] == ["P1"] and lost[0] in answer["lost"]
    assert answer["by_tier"]["FIRST"] == {"outage": 0, "reduced": 1, "momentary": 0, "customers": 1}
    assert answer["by_tier"]["LOW_VOLTAGE"]["outage"] == 1
    text = run("resolve", "--work", "line:174")[1]
    assert "FIRST" in text and "keep another feed (1): P1" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--work", "line:99999"],
        ["--work", "ext_grid:0"],
        ["--out", "line:174", "--close", "switch:285"],
        ["--work", "feeder:Atlantis"],
    ],
)
def test_what_cannot_be_traced_is_refused_with_the_reason(run: Run, arguments: list[str]) -> None:
    run("import", "network", str(NETWORK))
    status, out, err = run("resolve", *arguments, "--json")
    assert (status, out) == (2, "") and err.startswith("Error: ")


def test_without_a_network_the_next_step_is_named(run: Run) -> None:
    status, _, err = run("resolve", "--work", "line:1")
    assert status == 2 and "import network" in err


def test_an_import_lists_every_fault_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    bad = write_customers(tmp_path / "c.csv", [customer_row(1, tier="x"), customer_row(2, sms="1")])
    status, out, err = run("import", "customers", str(bad), "--dry-run")
    assert (status, out) == (2, "")
    assert "c.csv, line 2, field tier" in err and "c.csv, line 3, field sms" in err
    status, out, err = run("import", "customers", str(bad), "--json")
    assert status == 2
    assert [(one["line"], one["field"]) for one in json.loads(out)["faults"]] == [(2, "tier"), (3, "sms")]


def test_an_import_reports_counts_as_json(run: Run, tmp_path: Path) -> None:
    good = write_customers(tmp_path / "c.csv", [customer_row(1)])
    status, out, err = run("import", "customers", str(good), "--json")
    report = json.loads(out)
    assert status == 0 and report["counts"]["customers"]["added"] == 1
    assert report["warnings"] and "No network" in err


def test_users_are_added_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a long enough one\n"))
    add = ("user", "add", "anna", "--role", "planner", "--role", "approver", "--password-stdin")
    assert run(*add, "--json")[0] == 0
    listed: list[dict[str, Any]] = json.loads(run("user", "list", "--json")[1])
    assert listed == [{"username": "anna", "name": "anna", "roles": ["planner", "approver"], "active": True}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    status, out, err = run("user", "add", "ben", "--role", "planner", "--password-stdin")
    assert (status, out) == (2, "") and "short" not in err.replace("shorter", "")


def test_a_key_is_private_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "key.json"
    assert run("keys", "new", str(key))[0] == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    status, _, err = run("keys", "new", str(key))
    assert status == 2 and "not overwritten" in err and key.read_bytes() == before


def test_migrate_says_where_it_stands(run: Run) -> None:
    first = json.loads(run("migrate", "--json")[1])
    again = json.loads(run("migrate", "--json")[1])
    assert first["before"] is None and first["after"] == again["before"] == again["after"]


def test_doctor_says_no_with_status_1(run: Run) -> None:
    status, out, err = run("doctor", "--json")
    found = json.loads(out)
    assert status == 1 and err == ""
    assert found["database"]["ok"] is True and found["twilio"]["ok"] is False


def test_an_unknown_setting_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTAGE_NOTIFY_TIMEZOME", "Europe/Berlin")
    status, _, err = run("user", "list")
    assert status == 2 and "OUTAGE_NOTIFY_TIMEZOME" in err


def test_a_database_out_of_reach_is_said_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql+psycopg://user:hidden-word@127.0.0.1:1/x"
    monkeypatch.setenv("OUTAGE_NOTIFY_DATABASE_URL", url)
    status, _, err = run("user", "list")
    assert status == 2 and "doctor" in err and "hidden-word" not in err


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "outage_notify", "import", "customers", "--help"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.wait(30)
    assert "Traceback" not in errors and "defect" not in errors


def test_the_help_of_customers_names_every_column(run: Run) -> None:
    _, out, _ = run("import", "customers", "--help")
    words = out.replace(",", " ").split()
    assert [column for column in COLUMNS if column not in words] == []
