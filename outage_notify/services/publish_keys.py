"""The public keys that receipts verify with: of today and of every receipt ever signed."""

from __future__ import annotations

import json
from typing import Any

from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries


def verification_keys(rt: Runtime) -> dict[str, list[dict[str, Any]]]:
    """A JWK set: the key in use first, then those kept beside older receipts. Public parts only."""
    current = list(rt.signing_key.public_jwks["keys"])
    known = {jwk["kid"] for jwk in current}
    with rt.database.read() as session:
        kept = acknowledgement_queries.kept_keys(session)
    return {"keys": [*current, *(json.loads(jwk) for kid, jwk in kept.items() if kid not in known)]}
