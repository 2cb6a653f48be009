"""Settings: nothing secret by default, everything wrong named, no real provider in a simulation."""

from __future__ import annotations

import pytest

from outage_notify.domain.errors import SettingsError
from outage_notify.settings import TWILIO, Settings

SECRETS = ("twilio_account_sid", "twilio_auth_token", "smtp_url", "signing_key_file")


def load(**values: str) -> Settings:
    return Settings.load({f"OUTAGE_NOTIFY_{name.upper()}": value for name, value in values.items()})


def test_production_has_no_secret_by_default() -> None:
    settings = load()
    assert not settings.simulator
    assert settings.twilio_api_base == TWILIO
    assert not any(getattr(settings, name) for name in SECRETS)
    with pytest.raises(SettingsError) as refusal:
        settings.require(*SECRETS)
    for name in SECRETS:
        assert f"OUTAGE_NOTIFY_{name.upper()}" in str(refusal.value)


def test_the_time_zone_is_never_assumed() -> None:
    with pytest.raises(SettingsError, match="OUTAGE_NOTIFY_TIMEZONE"):
        _ = load().zone
    assert load(timezone="Asia/Shanghai").zone.key == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"timezone": "Mars/Olympus"}, "no IANA time zone"),
        ({"base_url": "ftp://x"}, "http"),
        ({"smtp_url": "http://x"}, "smtp://"),
        ({"broker_url": "kafka://x"}, "redis://"),
        ({"database_url": "postgresql://x"}, "postgresql\\+psycopg://"),
        ({"tick_seconds": "0"}, "positive"),
        ({"tick_seconds": "often"}, "TICK_SECONDS"),
        ({"simulator": "perhaps"}, "must be 1 or 0"),
        ({"lease_seconds": "5"}, "must exceed"),
        ({"no_such_thing": "1"}, "not a setting"),
        ({"simulator": "1", "twilio_api_base": "https://api.twilio.com"}, "on this machine"),
        ({"simulator": "1", "smtp_url": "smtp://mail.example.com"}, "on this machine"),
    ],
)
def test_what_cannot_be_used_is_named(values: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(**values)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        load(timezone="Mars/Olympus", base_url="ftp://x")
    assert "TIMEZONE" in str(refusal.value)
    assert "BASE_URL" in str(refusal.value)


def test_another_process_loads_the_same_settings() -> None:
    settings = load(simulator="1", timezone="Europe/Berlin", tick_seconds="0.5", trusted_proxies="2")
    assert Settings.load(settings.as_environment()) == settings
