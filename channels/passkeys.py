"""Passkeys (WebAuthn): a key that stays inside the customer's telephone, computer or security key.

Promises: what the device signs is the hash of a `Statement`, so that a passkey signs this answer to this text and
nothing else; a proof can be checked again from what the receipt keeps. Attestation is not asked for:
that the device is the customer's is confirmed by a person. Leaves to others: which passkeys count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from channels.own_keys import BadAnswer, Statement
from channels.receipts import canonical_json

_FAULTS = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError)
_PARTS = ("clientDataJSON", "authenticatorData", "signature")


@dataclass(frozen=True)
class Passkey:
    """A registered one: its name here, the credential's id, its public key (COSE), both base64url."""

    name: str
    credential: str
    public_key: str
    counter: int = 0


@dataclass(frozen=True)
class Proof:
    """A signature that fits: what the receipt keeps of it, and the device's new counter."""

    details: dict[str, str]
    counter: int


def ask_to_register(base_url: str, utility: str, customer: str, known: Iterable[Passkey]) -> dict[str, Any]:
    """Options for `navigator.credentials.create`; `challenge` in them is to be handed to `register`."""
    options = generate_registration_options(
        rp_id=_site(base_url),
        rp_name=utility,
        user_name=customer,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[_descriptor(one) for one in known],
    )
    return dict(json.loads(options_to_json(options)))


def register(base_url: str, challenge: str, answer: Any) -> Passkey:
    """The passkey that a device made for this challenge. BadAnswer otherwise."""
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_site(base_url),
            expected_origin=_origin(base_url),
        )
    except _FAULTS:
        raise BadAnswer("registration") from None
    public = bytes_to_base64url(made.credential_public_key)
    return Passkey(_name(public), bytes_to_base64url(made.credential_id), public, made.sign_count)


def ask_to_sign(statement: Statement, known: Iterable[Passkey]) -> dict[str, Any]:
    """Options for `navigator.credentials.get`: the challenge is the hash of the statement."""
    options = generate_authentication_options(
        rp_id=_site(statement.audience),
        challenge=_challenge(statement),
        allow_credentials=[_descriptor(one) for one in known],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(json.loads(options_to_json(options)))


def credential_of(answer: Any) -> str:
    """Which credential an answer says to come from; empty if it says nothing."""
    found = answer.get("id") if isinstance(answer, dict) else None
    return found if isinstance(found, str) and len(found) <= 2000 else ""


def check(statement: Statement, key: Passkey, answer: Any) -> Proof:
    """Whether this passkey signed this statement. BadAnswer otherwise, also if the device's counter went back."""
    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=_challenge(statement),
            expected_rp_id=_site(statement.audience),
            expected_origin=_origin(statement.audience),
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.counter,
        )
        kept = {name: answer["response"][name] for name in _PARTS} | {"id": answer["id"]}
    except _FAULTS:
        raise BadAnswer("signature") from None
    details = {
        "key": key.name,
        "key_cose": key.public_key,
        "passkey": canonical_json(kept).decode(),
        "statement": statement.to_json().decode(),
        "user_verified": "yes" if found.user_verified else "no",
    }
    return Proof(details, found.new_sign_count)


def check_kept(details: Mapping[str, str]) -> tuple[Statement, str]:
    """(statement, name of the key) of what a receipt keeps. BadAnswer or KeyError if it does not hold."""
    statement, kept = Statement.from_json(details["statement"]), json.loads(details["passkey"])
    answer = {
        "id": kept["id"],
        "rawId": kept["id"],
        "type": "public-key",
        "response": {name: kept[name] for name in _PARTS},
        "clientExtensionResults": {},
    }
    key = Passkey(_name(details["key_cose"]), kept["id"], details["key_cose"])
    proof = check(statement, key, answer)
    if proof.details["user_verified"] != details["user_verified"]:
        raise BadAnswer("user verification")
    return statement, key.name


def _challenge(statement: Statement) -> bytes:
    return sha256(statement.to_json()).digest()


def _name(public_key: str) -> str:
    return bytes_to_base64url(sha256(base64url_to_bytes(public_key)).digest())


def _descriptor(key: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential))


def _site(base_url: str) -> str:
    return urlsplit(base_url).hostname or ""


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"
