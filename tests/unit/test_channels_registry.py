"""Senders from plain settings, and those that a foreign package brings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from channels.model import Channel, Outcome, OutcomeKind
from channels.registry import GROUP, RegistryError, SenderConfig, build_senders

NOW = datetime(2026, 4, 17, 9, tzinfo=UTC)
EMPTY = SenderConfig(now=lambda: NOW)
FULL = SenderConfig(
    now=lambda: NOW,
    twilio_account_sid="AC1",
    twilio_auth_token="hidden-token",
    twilio_from="+441632960000",
    smtp_url="smtp://user:hidden-word@mail.example.com",
    mail_from="Power <notice@example.com>",
    extra={"PIGEON_HOUSE": "roof"},
)

PIGEONS = """
from channels.model import Channel, Outcome, OutcomeKind

class Pigeons:
    name = "pigeons"
    channel = Channel.SMS
    repeatable = False
    def __init__(self, house): self.house = house
    def send(self, message): return Outcome(OutcomeKind.ACCEPTED, provider_id=self.house)
    def find(self, message, began, known_ids): return []
    def fetch(self, provider_id): return None
    def parse_receipt(self, form): return None
    def check(self): return ""

class Mute:
    channel = Channel.SMS
    def send(self, message): return None

def build(config): return Pigeons(config.extra["PIGEON_HOUSE"])
def nothing(config): return None
def mute(config): return Mute()
"""


@pytest.fixture
def pigeon_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package: a module and the metadata that names its entry point."""
    (tmp_path / "pigeon_post.py").write_text(PIGEONS, encoding="utf-8")
    about = tmp_path / "pigeon_post-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-post\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nsms = pigeon_post:build\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("pigeon_post", None)


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_what_is_not_configured_is_not_there() -> None:
    assert build_senders(EMPTY, []) == {}


def test_all_three_channels() -> None:
    senders = build_senders(FULL, [])
    assert {channel: sender.name for channel, sender in senders.items()} == {
        Channel.SMS: "twilio-sms",
        Channel.VOICE: "twilio-voice",
        Channel.EMAIL: "smtp",
    }
    assert all(channel is sender.channel for channel, sender in senders.items())
    assert [senders[c].repeatable for c in (Channel.SMS, Channel.VOICE, Channel.EMAIL)] == [
        False,
        False,
        True,
    ]


def test_secrets_are_not_shown() -> None:
    assert "hidden" not in repr(FULL) and "roof" not in repr(FULL)


@pytest.mark.parametrize(
    "wrong",
    [{"smtp_url": "mail.example.com"}, {"mail_from": "nobody"}, {"twilio_api_base": "api.twilio.com"}],
)
def test_settings_that_cannot_be_used_are_named(wrong: dict[str, str]) -> None:
    config = SenderConfig(**{**{name: getattr(FULL, name) for name in FULL.__dataclass_fields__}, **wrong})
    with pytest.raises(RegistryError) as refused:
        build_senders(config, [])
    assert "hidden" not in str(refused.value)


@pytest.mark.usefixtures("pigeon_package")
def test_an_installed_package_takes_a_channel_over() -> None:
    sender = build_senders(FULL)[Channel.SMS]
    assert sender.name == "pigeons"
    assert sender.send(None) == Outcome(OutcomeKind.ACCEPTED, provider_id="roof")  # type: ignore[arg-type]


@pytest.mark.usefixtures("pigeon_package")
def test_a_package_may_decline() -> None:
    assert build_senders(FULL, [point("sms", "pigeon_post:nothing")])[Channel.SMS].name == "twilio-sms"


@pytest.mark.usefixtures("pigeon_package")
@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("smoke", "pigeon_post:build", "'smoke'"),
        ("sms", "pigeon_post:missing", "AttributeError"),
        ("sms", "no_such_module:build", "ModuleNotFoundError"),
        ("sms", "pigeon_post:mute", "find"),
        ("voice", "pigeon_post:build", "channel is not voice"),
    ],
)
def test_a_broken_package_is_named_not_skipped(name: str, value: str, word: str) -> None:
    with pytest.raises(RegistryError, match=word):
        build_senders(FULL, [point(name, value)])
