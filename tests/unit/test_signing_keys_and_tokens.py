"""Key files and link tokens: what is read back, and all that is refused."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.signing import BadToken, KeyFault, SigningKey, key_file_warning, make_token, new_key, read_token

KEY = bytes(range(32))
NOW = datetime(2026, 8, 10, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
purposes = st.text(min_size=1, max_size=20)
subjects = st.integers(0, 2**64 - 1)


@given(purposes, subjects, st.integers(1, 10**8))
def test_a_token_gives_its_subject_back_and_fits_an_sms(purpose: str, subject: int, seconds: int) -> None:
    token = make_token(KEY, purpose, subject, NOW + timedelta(seconds=seconds))
    assert len(token) <= 44
    assert read_token(KEY, purpose, token, NOW) == subject


@given(subjects, st.integers(0, 10**6))
def test_every_flipped_bit_of_a_token_is_refused(subject: int, pick: int) -> None:
    raw = bytearray(urlsafe_b64decode(_padded(make_token(KEY, "sign", subject, LATER))))
    raw[pick // 8 % len(raw)] ^= 1 << (pick % 8)
    with pytest.raises(BadToken):
        read_token(KEY, "sign", urlsafe_b64encode(raw).rstrip(b"=").decode(), NOW)


def test_every_other_character_at_every_place_is_refused() -> None:
    token = make_token(KEY, "sign", 4711, LATER)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ =.\n١"
    for place, true in enumerate(token):
        for other in alphabet.replace(true, ""):
            with pytest.raises(BadToken):
                read_token(KEY, "sign", token[:place] + other + token[place + 1 :], NOW)


@given(purposes, purposes, subjects)
def test_purposes_are_never_interchangeable(one: str, other: str, subject: int) -> None:
    token = make_token(KEY, one, subject, LATER)
    if one != other:
        with pytest.raises(BadToken):
            read_token(KEY, other, token, NOW)


@given(st.text(max_size=60))
def test_whatever_is_guessed_is_refused_in_the_same_words(guess: str) -> None:
    with pytest.raises(BadToken) as refused:
        read_token(KEY, "sign", guess, NOW)
    assert str(refused.value) == str(BadToken("expired"))


def test_a_token_ends_at_its_instant_and_the_log_knows_why() -> None:
    token = make_token(KEY, "sign", 1, NOW)
    assert read_token(KEY, "sign", token, NOW - timedelta(microseconds=1)) == 1
    with pytest.raises(BadToken) as expired:
        read_token(KEY, "sign", token, NOW)
    with pytest.raises(BadToken) as forged:
        read_token(bytes(32), "sign", token, NOW)
    assert (expired.value.reason, forged.value.reason) == ("expired", "forged")
    assert str(expired.value) == str(forged.value)


@pytest.mark.parametrize(
    ("key", "purpose", "subject", "expires"),
    [
        (b"short", "sign", 1, LATER),
        (KEY, "", 1, LATER),
        (KEY, "sign", -1, LATER),
        (KEY, "sign", 2**64, LATER),
        (KEY, "sign", 1, LATER.replace(tzinfo=None)),
        (KEY, "sign", 1, datetime(2107, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_token_that_could_not_be_read_is_not_made(
    key: bytes, purpose: str, subject: int, expires: datetime
) -> None:
    with pytest.raises(ValueError):
        make_token(key, purpose, subject, expires)


def test_a_key_file_is_the_only_secret(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(new_key())
    path.chmod(0o600)
    key, again = SigningKey.load(path), SigningKey.load(path)
    assert key.derive("session") == again.derive("session") != key.derive("link-tokens")
    assert len(key.derive("session")) == 32
    assert SigningKey.parse(new_key()).derive("session") != key.derive("session")
    private = json.loads(path.read_text())["d"]
    assert private not in repr(key) + json.dumps(key.public_jwks) + json.dumps(dict(key.public_jwk))
    assert key.public_jwk["kid"] == key.kid == json.loads(path.read_text())["kid"]
    assert key_file_warning(path) == ""
    path.chmod(0o644)
    assert "chmod 600" in key_file_warning(path)


def test_a_rotated_key_still_reads_old_links() -> None:
    old, new = json.loads(new_key()), json.loads(new_key())
    before, after = SigningKey.parse(json.dumps(old)), SigningKey.parse(json.dumps({"keys": [new, old]}))
    token = make_token(before.derive("link-tokens"), "sign", 9, LATER)
    assert read_token(after.derive_all("link-tokens"), "sign", token, NOW) == 9
    assert [jwk["kid"] for jwk in after.public_jwks["keys"]] == [new["kid"], old["kid"]]
    with pytest.raises(BadToken):
        read_token(after.derive("link-tokens"), "sign", token, NOW)


@pytest.mark.parametrize(
    "damage", ["not json", "[]", "{}", '{"keys": []}', '{"kty": "RSA"}', '{"keys": [1]}']
)
def test_a_file_that_is_no_key_is_refused_with_place_and_remedy(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(damage)
    with pytest.raises(KeyFault, match=r"key\.json.*keys new"):
        SigningKey.load(path)


def test_a_missing_a_public_and_a_mixed_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="cannot be read"):
        SigningKey.load(tmp_path / "none.json")
    one, two = json.loads(new_key()), json.loads(new_key())
    public = {name: value for name, value in one.items() if name != "d"}
    with pytest.raises(KeyFault, match="no private part"):
        SigningKey.parse(json.dumps(public))
    with pytest.raises(KeyFault, match="do not belong together"):
        SigningKey.parse(json.dumps({**one, "d": two["d"]}))


def _padded(token: str) -> str:
    return token + "=" * (-len(token) % 4)
