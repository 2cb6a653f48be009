"""An OpenID provider, as its client sees it: where to send a person, and who came back.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636, RFC 9207). Addresses and keys are
discovered and kept for an hour; a key that is not known is looked for anew, so that the provider may change its keys
at any time. Promises: an identity is believed only if the provider signed it for us, for this very sign-in, and it is
still good; what goes wrong is an `IdentityFault` that says whose fault it is, and never holds a token or a claim.
Leaves to others: where state, nonce and verifier are kept meanwhile, and what the person may do here.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

DISCOVERY = "/.well-known/openid-configuration"
KEPT_SECONDS = 3600.0
LEEWAY_SECONDS = 120
LARGEST_ANSWER = 1 << 20
# Signatures that need a secret key of the provider's: never "none", never a secret that we know too.
_ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)


class Fault(StrEnum):
    """Whose matter it is."""

    AWAY = "away"  # the provider can't be reached, or answers nonsense
    REFUSED = "refused"  # the provider let nobody in, or the person said no
    FORGED = "forged"  # what came back is not what the provider would send us


class IdentityFault(Exception):
    """A sign-in that did not come about. The text is for administrators and holds nothing personal."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault, self.reason = fault, reason


@dataclass(frozen=True)
class Client:
    """How the provider knows us. `secret` empty: a public client, held by PKCE alone."""

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str
    scope: str = "openid profile email"
    timeout: float = 10.0


@dataclass(frozen=True)
class Errand:
    """What has to be remembered of somebody who was sent to the provider, until she is back."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """One provider. Safe to be used by several threads."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._found: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def send(self) -> tuple[str, Errand]:
        """The address to send a person to, and what to remember. IdentityFault if the provider is away."""
        errand = Errand(generate_token(32), generate_token(32), generate_token(64))
        with self._session() as session:
            url, _ = session.create_authorization_url(
                self._address("authorization_endpoint"),
                state=errand.state,
                nonce=errand.nonce,
                code_verifier=errand.verifier,
            )
        return str(url), errand

    def receive(self, answer: Mapping[str, str], errand: Errand, now: float) -> dict[str, Any]:
        """The claims about the person who came back with `answer` (the query of the address). `now`: seconds.

        What the token leaves out is asked of the provider's page about the person. IdentityFault otherwise.
        """
        if not hmac.compare_digest(answer.get("state", ""), errand.state):
            raise IdentityFault(Fault.FORGED, "the answer belongs to another sign-in")
        if answer.get("iss", self.client.issuer) != self.client.issuer:
            raise IdentityFault(Fault.FORGED, "the answer is of another provider")
        if "error" in answer:
            raise IdentityFault(Fault.REFUSED, f"the provider says {answer['error'][:60]!r}")
        if not answer.get("code"):
            raise IdentityFault(Fault.FORGED, "the answer holds no code")
        with self._session() as session:
            token = self._exchange(session, answer["code"], errand)
            claims = self._claims(token, errand, now)
            return {**self._more(session, claims), **claims}

    def look(self) -> str:
        """Ask the provider who it is and for its keys, as doctor does. What it calls itself."""
        with self._lock:
            self._found = self._keys = None
        for name in ("authorization_endpoint", "token_endpoint"):
            self._address(name)
        self._key_set()
        return str(self._discovered()["issuer"])

    def _session(self) -> Any:
        secret = self.client.secret
        return OAuth2Session(
            self.client.client_id,
            secret or None,
            token_endpoint_auth_method=self._method() if secret else "none",
            scope=self.client.scope,
            redirect_uri=self.client.redirect_uri,
            code_challenge_method="S256",
            default_timeout=self.client.timeout,
        )

    def _method(self) -> str:
        offered = self._discovered().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"

    def _exchange(self, session: Any, code: str, errand: Errand) -> dict[str, Any]:
        try:
            token = session.fetch_token(
                self._address("token_endpoint"), code=code, code_verifier=errand.verifier
            )
        except AuthlibBaseError as error:
            raise IdentityFault(
                Fault.REFUSED, f"the code was not taken: {error.error or 'no reason'}"
            ) from None
        except (requests.RequestException, ValueError) as error:
            raise _away("its token endpoint", error) from None
        if not isinstance(token, dict) or not isinstance(token.get("id_token"), str):
            raise IdentityFault(Fault.AWAY, "it sent no identity: is `openid` among the scopes?")
        return token

    def _claims(self, token: dict[str, Any], errand: Errand, now: float) -> dict[str, Any]:
        known = self._discovered().get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(
            algorithms=[one for one in known if one in _ALGORITHMS], strict_check_header=False
        )
        try:
            try:
                read = jwt.decode(token["id_token"], self._key_set(), registry=registry)
            except (JoseError, ValueError):
                # The provider may have new keys; only with those it counts.
                read = jwt.decode(token["id_token"], self._key_set(anew=True), registry=registry)
            claims = CodeIDToken(
                read.claims,
                read.header,
                {
                    "iss": {"essential": True, "value": self.client.issuer},
                    "aud": {"essential": True, "value": self.client.client_id},
                    "nonce": {"essential": True},
                },
                {
                    "nonce": errand.nonce,
                    "client_id": self.client.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(now), leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError) as error:
            what = getattr(error, "error", "") or type(error).__name__
            which = getattr(error, "claim", "")
            raise IdentityFault(
                Fault.FORGED, " ".join(filter(None, ("the identity does not hold:", what, which)))
            ) from None
        except (ValueError, TypeError, KeyError) as error:
            raise IdentityFault(Fault.FORGED, f"the identity can't be read: {type(error).__name__}") from None
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise IdentityFault(Fault.FORGED, "the identity names nobody")
        return dict(claims)

    def _more(self, session: Any, claims: dict[str, Any]) -> dict[str, Any]:
        """What the provider tells about the person beside the token; nothing where it has no page for that."""
        address = self._discovered().get("userinfo_endpoint")
        if not address:
            return {}
        try:
            answer = session.get(address)
            answer.raise_for_status()
            found = answer.json()
        except (requests.RequestException, AuthlibBaseError, ValueError) as error:
            raise _away("its userinfo endpoint", error) from None
        if not isinstance(found, dict) or found.get("sub") != claims["sub"]:
            raise IdentityFault(Fault.FORGED, "its userinfo endpoint speaks of somebody else")
        return found

    def _address(self, name: str) -> str:
        found = self._discovered().get(name)
        if not isinstance(found, str) or not found.startswith(("https://", "http://")):
            raise IdentityFault(Fault.AWAY, f"its description names no {name}")
        if self.client.issuer.startswith("https://") and not found.startswith("https://"):
            raise IdentityFault(Fault.AWAY, f"its {name} is not encrypted")
        return found

    def _discovered(self) -> dict[str, Any]:
        with self._lock:
            kept = self._found
        if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        found = self._fetch(self.client.issuer.rstrip("/") + DISCOVERY, "its description")
        if found.get("issuer") != self.client.issuer:
            raise IdentityFault(Fault.AWAY, f"it calls itself {str(found.get('issuer'))[:200]!r}")
        with self._lock:
            self._found = (time.monotonic(), found)
        return found

    def _key_set(self, anew: bool = False) -> KeySet:
        with self._lock:
            kept = self._keys
        if kept is not None and not anew and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        found = self._fetch(self._address("jwks_uri"), "its keys")
        try:
            keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _away("its keys", error) from None
        with self._lock:
            self._keys = (time.monotonic(), keys)
        return keys

    def _fetch(self, address: str, what: str) -> dict[str, Any]:
        try:
            with requests.Session() as session:
                answer = session.get(address, timeout=self.client.timeout, stream=True)
                answer.raise_for_status()
                body = answer.raw.read(LARGEST_ANSWER + 1, decode_content=True)
                if len(body) > LARGEST_ANSWER:
                    raise IdentityFault(Fault.AWAY, f"{what} is larger than a megabyte")
                answer._content = body
                found = answer.json()
        except (requests.RequestException, OSError, ValueError) as error:
            raise _away(what, error) from None
        if not isinstance(found, dict):
            raise IdentityFault(Fault.AWAY, f"{what} is no JSON object")
        return found


def _away(what: str, error: Exception) -> IdentityFault:
    status = getattr(getattr(error, "response", None), "status_code", None)
    why = f"HTTP {status}" if status else type(error).__name__
    return IdentityFault(Fault.AWAY, f"{what} can't be had ({why})")
