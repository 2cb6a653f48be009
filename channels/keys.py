"""The one secret of the installation: an Ed25519 key file, from which every other secret is derived.

Promises: the private part never leaves this module except through `new_key`; what is
published (`public_jwks`) holds public parts only; the same file gives the same derived
secrets. Leaves to others: where the file lies and who may read it (`settings`,
`doctor`), and publication of the verification keys (`web`).

A key file is a private JWK, or a JWK set whose first key signs and whose further keys
only verify: that is how a key is rotated without breaking old receipts and links.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode

ALGORITHM = "Ed25519"  # the fully specified name of RFC 9864; "EdDSA" alone names no curve
_SALT = b"outage-notify key derivation v1"


class KeyFault(ValueError):
    """A key file that cannot be used. Says which file and what to do; never quotes its content."""


def new_key() -> str:
    """A fresh private key as JWK JSON with its thumbprint as `kid`, for a new key file. Each call is another key."""
    key = OKPKey.generate_key("Ed25519", private=True)
    jwk = {**key.as_dict(private=True), "kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}
    return json.dumps(jwk, sort_keys=True, indent=2) + "\n"


def import_public(jwk: Mapping[str, Any]) -> tuple[str, OKPKey]:
    """(kid, verification key) of one public JWK. KeyFault if it is not an Ed25519 key."""
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
        raise KeyFault("A key is not an Ed25519 key (kty OKP, crv Ed25519).")
    try:
        key = OKPKey.import_key({name: str(jwk[name]) for name in ("kty", "crv", "x")})
        return str(jwk.get("kid") or key.thumbprint()), key
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise KeyFault("A public key is damaged.") from error


@dataclass(frozen=True, repr=False)
class SigningKey:
    """The key that signs, together with the earlier ones that still verify."""

    kid: str
    private: OKPKey
    public_jwk: Mapping[str, str]
    _seeds: tuple[bytes, ...]
    _earlier: tuple[Mapping[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SigningKey:
        """Read a key file. KeyFault names the file and the remedy."""
        place = Path(path)
        remedy = "Make one with `outage-notify keys new`."
        try:
            text = place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFault(f"Signing key file {place} cannot be read. {remedy}") from error
        try:
            return cls.parse(text)
        except KeyFault as error:
            raise KeyFault(f"Signing key file {place}: {error} {remedy}") from None

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """The same from the file's text: a private JWK or a JWK set, the signing key first."""
        try:
            data = json.loads(text)
        except ValueError:
            raise KeyFault("It is not JSON.") from None
        entries = data.get("keys") if isinstance(data, dict) and "keys" in data else [data]
        if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
            raise KeyFault("It holds no JSON Web Key.")
        publics: list[dict[str, str]] = []
        seeds: list[bytes] = []
        for entry in entries:
            kid, key = import_public(entry)
            publics.append(
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": str(entry["x"]),
                    "kid": kid,
                    "use": "sig",
                    "alg": ALGORITHM,
                }
            )
            if "d" in entry:
                seeds.append(_seed_of(entry, key))
        if "d" not in entries[0]:
            raise KeyFault("Its first key has no private part.")
        if len({public["kid"] for public in publics}) != len(publics):
            raise KeyFault("Two of its keys have the same kid.")
        private = OKPKey.import_key({name: str(entries[0][name]) for name in ("kty", "crv", "x", "d")})
        return cls(publics[0]["kid"], private, publics[0], tuple(seeds), tuple(publics[1:]))

    @property
    def public_jwks(self) -> dict[str, list[dict[str, str]]]:
        """The JWK set to publish: the signing key first, then the earlier ones."""
        return {"keys": [dict(jwk) for jwk in (self.public_jwk, *self._earlier)]}

    def derive(self, purpose: str) -> bytes:
        """32 secret bytes for one purpose ("session", "link-tokens"), from the signing key by HKDF-SHA256."""
        return _derive(self._seeds[0], purpose)

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """`derive` of the signing key, then of each earlier key kept with its private part:
        what was made before a rotation is still read."""
        return tuple(_derive(seed, purpose) for seed in self._seeds)


def key_file_warning(path: str | os.PathLike[str]) -> str:
    """For `doctor`: empty, or why the file's permissions are too wide. OSError if there is no such file."""
    mode = stat.S_IMODE(Path(path).stat().st_mode)
    if mode & 0o077:
        return f"Others than the owner may read or write {path} (mode {mode:04o}); run `chmod 600 {path}`."
    return ""


def _derive(seed: bytes, purpose: str) -> bytes:
    if not purpose:
        raise ValueError("a derived secret needs a purpose")
    return HKDF(SHA256(), 32, _SALT, purpose.encode()).derive(seed)


def _seed_of(entry: Mapping[str, Any], public: OKPKey) -> bytes:
    """The private seed, after a check that it belongs to the public part beside it."""
    try:
        seed = urlsafe_b64decode(str(entry["d"]).encode("ascii"))
        key = OKPKey.import_key({name: str(entry[name]) for name in ("kty", "crv", "x", "d")})
        raw = key.private_key.public_key().public_bytes_raw() if key.private_key else b""
        matches = raw == public.public_key.public_bytes_raw()
    except (JoseError, ValueError, UnicodeEncodeError) as error:
        raise KeyFault("A private key is damaged.") from error
    if not matches or len(seed) != 32:
        raise KeyFault("The private and public parts of a key do not belong together.")
    return seed
