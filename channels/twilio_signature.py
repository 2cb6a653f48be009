"""Signatures on what Twilio posts to us (`X-Twilio-Signature`): verify here, sign in the simulator.

The signature covers the full public URL as Twilio called it and every form field.
Behind a proxy the application sees another scheme and host: whoever calls `verify`
must rebuild the public URL from its settings, not from the request.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from twilio.request_validator import RequestValidator

HEADER = "X-Twilio-Signature"


def sign(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """The signature of a form posted to `url`."""
    return str(RequestValidator(auth_token).compute_signature(url, form))


def verify(auth_token: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    """Whether `signature` is that of this form at this URL. An empty token or signature never passes.

    `form` may be a multi-dictionary (`getlist`); a port in the URL may be there or not.
    """
    if not auth_token or not signature:
        return False
    validator = RequestValidator(auth_token)
    # The address as it stands fits nearly always: only where it does not, the other spellings are worked out.
    expected = validator.compute_signature(url, form)
    if hmac.compare_digest(str(expected).encode(), signature.encode("utf-8", "replace")):
        return True
    return bool(validator.validate(url, form, signature))
