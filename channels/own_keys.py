"""Answers that a customer signs with a key of its own: what is signed, and whether the signature fits.

A key is Ed25519 or P-256, registered by its public part (JWK or PEM) and named by its thumbprint (RFC 7638);
or it is a passkey (`passkeys`). What is signed is a `Statement`: this answer, to this text of this revision,
for this installation. Promises: a signature over anything else is refused; the proof inside a receipt can
be checked years later from the receipt alone. Leaves to others: whose key it is (the utility confirms
that), and that an answer is taken once (`services.acknowledge`).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from channels.keys import KeyFault
from channels.receipts import ReceiptPayload, canonical_json

TYPE = "outage-notify-answer"
OWN_KEY, PASSKEY = "own_key", "passkey"  # ways, as receipts name them
LONGEST = 16_000
_ALGORITHMS = {"Ed25519": ("Ed25519", "EdDSA"), "P-256": ("ES256",)}
_NEEDS = {"Ed25519": ("kty", "crv", "x"), "P-256": ("kty", "crv", "x", "y")}
_REMEDY = "Give an Ed25519 or P-256 public key as JWK or PEM."


class BadAnswer(ValueError):
    """Something signed that is not taken. Everybody hears the same; `reason` is for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__("This was not signed by a key that is registered and confirmed.")
        self.reason = reason


@dataclass(frozen=True)
class Statement:
    """What the customer's key signs. `audience`: the address of the installation, so that it counts nowhere else."""

    audience: str
    customer: str
    outage: str
    revision: int
    text_sha256: str
    answer: str
    signer_name: str
    signer_role: str = ""
    reason: str = ""
    wished: str = ""

    def to_json(self) -> bytes:
        """Canonical JSON. Customers may write it in any order: what they signed is what is kept."""
        return canonical_json({**asdict(self), "type": TYPE})

    @classmethod
    def from_json(cls, data: bytes | str) -> Statement:
        """BadAnswer if a field is missing, unknown or of another type."""
        try:
            raw = json.loads(data)
            given = {name: value for name, value in raw.items() if name != "type"}
            known = {one.name: int if one.name == "revision" else str for one in fields(cls)}
            fits = raw["type"] == TYPE and all(type(given[name]) is known[name] for name in given)
            return cls(**given) if fits else _refuse("not a statement")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BadAnswer("not a statement") from None

    def fits(self, receipt: ReceiptPayload) -> bool:
        """Whether a receipt says the same."""
        return (
            (self.customer, self.outage, self.revision)
            == (receipt.customer, receipt.outage, receipt.revision)
            and (self.text_sha256, self.answer) == (receipt.text_sha256, receipt.answer)
            and (self.signer_name, self.signer_role) == (receipt.signer_name, receipt.signer_role)
            and self.reason == receipt.details.get("reason", "")
            and self.wished == receipt.details.get("wished", "")
        )


def read_public_key(text: str) -> dict[str, str]:
    """The public JWK of what a customer hands in (JWK or PEM). KeyFault if it is of another kind, or private."""
    text = text.strip()
    if len(text) > LONGEST or "PRIVATE" in text:
        raise KeyFault(f"That is no public key. {_REMEDY}")
    for kind in (OKPKey, ECKey):
        try:
            key = kind.import_key(json.loads(text) if text.startswith("{") else text)
            jwk = {name: str(value) for name, value in key.as_dict(private=False).items()}
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
        if key.is_private:
            raise KeyFault("That is a private key: keep it to yourself, and make another one. " + _REMEDY)
        if jwk.get("crv") in _NEEDS:
            return {name: jwk[name] for name in _NEEDS[jwk["crv"]]}
    raise KeyFault(f"That is no public key. {_REMEDY}")


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The name of a key, by RFC 7638: 43 characters."""
    return _key(jwk).thumbprint()


def key_name(signed: str) -> str:
    """The thumbprint that the header of a JWS names, unchecked. BadAnswer if it names none."""
    try:
        header = json.loads(_pad(signed.split(".")[0]))
        name = header["kid"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadAnswer("no kid") from None
    return name if isinstance(name, str) and len(name) <= 100 else _refuse("no kid")


def open_signed(signed: str, jwk: Mapping[str, str]) -> bytes:
    """The payload of a compact JWS by this key. BadAnswer if it is not by it, or its header asks for more than
    algorithm, key and type."""
    if len(signed) > LONGEST or not signed.isascii():
        raise BadAnswer("too long")
    try:
        opened = jws.deserialize_compact(signed, _key(jwk), algorithms=list(_ALGORITHMS[jwk["crv"]]))
        header = opened.headers()
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise BadAnswer("signature") from None
    if not set(header) <= {"alg", "kid", "typ"} or header.get("kid") != thumbprint(jwk):
        raise BadAnswer("header")
    return bytes(opened.payload)


def proof_of_key(signed: str, jwk: Mapping[str, str]) -> dict[str, str]:
    """What a receipt keeps of an answer signed by a registered key."""
    return {"key": thumbprint(jwk), "key_jwk": canonical_json(dict(jwk)).decode(), "key_jws": signed}


def check_proof(receipt: ReceiptPayload) -> None:
    """Check the customer's own signature inside a receipt. BadAnswer if it is not over what the receipt says."""
    kept = receipt.details
    try:
        if receipt.way == OWN_KEY:
            jwk = json.loads(kept["key_jwk"])
            statement = Statement.from_json(open_signed(kept["key_jws"], jwk))
            named = thumbprint(jwk)
        else:
            # A heavy library, which only receipts of this way need.
            from channels import passkeys

            statement, named = passkeys.check_kept(kept)
    except (KeyError, ValueError, TypeError) as error:
        if isinstance(error, BadAnswer):
            raise
        raise BadAnswer("proof is missing or damaged") from None
    if named != kept.get("key") or not statement.fits(receipt):
        raise BadAnswer("the proof is about something else")


def _key(jwk: Mapping[str, str]) -> OKPKey | ECKey:
    try:
        curve = jwk["crv"]
        values: dict[str, Any] = {name: jwk[name] for name in _NEEDS[curve]}
        return OKPKey.import_key(values) if curve == "Ed25519" else ECKey.import_key(values)
    except (JoseError, KeyError, ValueError, TypeError) as error:
        raise KeyFault(f"That is no public key. {_REMEDY}") from error


def _pad(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _refuse(reason: str) -> Any:
    raise BadAnswer(reason)
