"""A small OpenID provider over HTTP: signs real tokens, checks PKCE and the client's secret, and misbehaves as told.

`person` is who signs in next; `spoil` changes the claims, `down` takes a path away, `rotate` exchanges the key.
It never asks anybody for anything: whoever is sent to it comes back at once.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "outage-notify", "a secret of the provider & ours/+"
Claims = dict[str, Any]


class IdentityProvider:
    def __init__(self, now: int) -> None:
        self.now = now
        self.person: Claims = {"sub": "1001", "preferred_username": "li.na"}
        self.userinfo: Claims = {}
        self.spoil: Callable[[Claims], Claims] = lambda claims: claims
        self.down: set[str] = set()
        self.error = ""
        self.seen: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self.rotate()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self._answer(*provider._get(parts.path, query, self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._answer(*provider._post(self.path, form, self.headers.get("Authorization", "")))

            def _answer(self, status: int, found: object) -> None:
                body = found.encode() if isinstance(found, str) else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def rotate(self) -> None:
        """A new key under a new name; the old one is gone."""
        self._key = ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig", "alg": "ES256"})

    def visit(self, address: str) -> str:
        """What a browser does that is sent to `address`: the address that it is sent back to."""
        parts = urlsplit(address)
        assert address.startswith(f"{self.url}/authorize?"), address
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256" and asked["nonce"]
        self.seen.append(asked)
        if self.error:
            answer = {"error": self.error, "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = asked
            answer = {"code": code, "state": asked["state"], "iss": self.url}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _get(self, path: str, query: dict[str, str], authorization: str) -> tuple[int, object]:
        if path in self.down:
            return 503, "<p>be back soon</p>"
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        if path == "/keys":
            return 200, {"keys": [self._key.as_dict(private=False)]}
        if path == "/userinfo" and authorization == "Bearer let-me-ask":
            return 200, {"sub": self.person["sub"], **self.userinfo}
        return 404, {}

    def _post(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, object]:
        if path in self.down:
            return 503, "<p>be back soon</p>"
        wanted = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if path != "/token" or authorization != wanted:
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or challenge.decode().rstrip("=") != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": asked["nonce"],
            **self.person,
        }
        claims = self.spoil(claims)
        token = claims.pop("raw", None) or jwt.encode(
            {"alg": "ES256", "kid": self._key.kid}, claims, self._key
        )
        return 200, {
            "access_token": "let-me-ask",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": token,
        }
