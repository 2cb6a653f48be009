"""doctor: everything that is missing is said in plain words, and nothing hides anything else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from channels.signing import new_key
from channels.simulator import Simulator
from outage_notify.services.doctor import Finding, examine
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import migrate


def _settings(tmp_path: Path, **more: str) -> Settings:
    environ = {"STATE_DIR": str(tmp_path), **more}
    return Settings.load({f"OUTAGE_NOTIFY_{name}": value for name, value in environ.items()})


def _examine(tmp_path: Path, **more: str) -> dict[str, Finding]:
    return examine(Runtime.build(_settings(tmp_path, **more)))


def _dead_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_with_nothing_set_each_missing_setting_is_named(tmp_path: Path) -> None:
    found = _examine(tmp_path)
    assert {name for name, one in found.items() if not one.ok} == {
        "timezone",
        "base_url",
        "signing_key",
        "twilio",
        "smtp",
        "texts",
    }
    for name, variable in (("twilio", "TWILIO_AUTH_TOKEN"), ("smtp", "SMTP_URL"), ("timezone", "TIMEZONE")):
        assert f"OUTAGE_NOTIFY_{variable}" in found[name].detail
        assert found[name].remedy


def test_with_everything_in_place_all_is_well(tmp_path: Path) -> None:
    simulator = Simulator(0, 0, tmp_path, "AC" + "0" * 32, "simulated")
    simulator.start()
    try:
        found = _examine(
            tmp_path,
            SIMULATOR="1",
            TIMEZONE="Europe/Berlin",
            TWILIO_API_BASE=simulator.url,
            SMTP_URL=simulator.smtp_url,
        )
    finally:
        simulator.stop()
    assert {name: one.detail for name, one in found.items() if not one.ok} == {}


def test_providers_that_do_not_answer(tmp_path: Path) -> None:
    port = _dead_port()
    found = _examine(
        tmp_path,
        SIMULATOR="1",
        TIMEZONE="Europe/Berlin",
        TWILIO_API_BASE=f"http://127.0.0.1:{port}",
        SMTP_URL=f"smtp://127.0.0.1:{port}",
    )
    assert not found["twilio"].ok and not found["smtp"].ok
    assert found["database"].ok


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("https://outages.example.com", True),
        ("http://outages.example.com", False),
        ("http://127.0.0.1:8000", False),
        ("https://localhost", False),
    ],
)
def test_production_needs_a_public_https_address(tmp_path: Path, url: str, ok: bool) -> None:
    assert _examine(tmp_path, BASE_URL=url)["base_url"].ok is ok


def test_a_key_that_others_may_read(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(new_key(), encoding="utf-8")
    key.chmod(0o644)
    found = _examine(tmp_path, SIGNING_KEY_FILE=str(key))["signing_key"]
    assert not found.ok and "chmod 600" in found.detail
    key.chmod(0o600)
    assert _examine(tmp_path, SIGNING_KEY_FILE=str(key))["signing_key"].ok
    key.write_text("{}", encoding="utf-8")
    assert not _examine(tmp_path, SIGNING_KEY_FILE=str(key))["signing_key"].ok


def test_an_old_schema_and_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    rt = Runtime.build(_settings(tmp_path))
    assert examine(rt)["database"].ok, "empty is fine: the first command fills it"
    migrate.ensure(rt.database)
    assert migrate.head() in examine(rt)["database"].detail
    migrate.downgrade(rt.database, "0001")
    stale = examine(rt)["database"]
    assert not stale.ok and "migrate" in stale.remedy
    password = "secret-of-the-test"
    url = f"postgresql+psycopg://user:{password}@127.0.0.1:{_dead_port()}/x"
    found = _examine(tmp_path, DATABASE_URL=url, SIMULATOR="1")
    assert not found["database"].ok and not found["clock"].ok and found["policy"].ok
    assert all(password not in f"{one.detail}{one.remedy}" for one in found.values())


def test_postgresql_in_order(postgres_url: str, tmp_path: Path) -> None:
    found = _examine(tmp_path, DATABASE_URL=postgres_url)
    assert found["database"].ok and found["database"].detail.startswith("PostgreSQL ")
    assert found["clock"].ok


def test_a_broker_that_answers_and_one_that_does_not(redis_url: str, tmp_path: Path) -> None:
    assert _examine(tmp_path, BROKER_URL=redis_url)["broker"].ok
    url = f"redis://:hidden-word@127.0.0.1:{_dead_port()}/0"
    found = _examine(tmp_path, BROKER_URL=url)["broker"]
    assert not found.ok and "hidden-word" not in found.detail


def test_a_policy_that_does_not_exist(tmp_path: Path) -> None:
    found = _examine(tmp_path, POLICY="atlantis")
    assert not found["policy"].ok and "atlantis" in found["policy"].detail
