"""What a customer's own key signs: only the statement fits, only by that key, and the receipt proves it for ever."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from channels.keys import KeyFault
from channels.own_keys import (
    BadAnswer,
    Statement,
    key_name,
    open_signed,
    proof_of_key,
    read_public_key,
    thumbprint,
)
from channels.receipts import Verifier
from channels.signing import (
    FIRST_PREVIOUS,
    BadReceipt,
    Break,
    ReceiptPayload,
    SigningKey,
    new_key,
    sign_receipt,
)

OURS = SigningKey.parse(new_key())
ED, EC = OKPKey.generate_key("Ed25519"), ECKey.generate_key("P-256")
HASH = "ab" * 32
STATEMENT = Statement("https://grid.example", "H1", "PO-2026-0001", 1, HASH, "ACKNOWLEDGED", "周建国", "值班")


def public(key: OKPKey | ECKey) -> dict[str, str]:
    return read_public_key(json.dumps(key.as_dict(private=False)))


def signed(key: OKPKey | ECKey, payload: bytes, **more: object) -> str:
    algorithm = "Ed25519" if isinstance(key, OKPKey) else "ES256"
    header = {"alg": algorithm, "kid": thumbprint(public(key)), **more}
    return jws.serialize_compact(header, payload, key, algorithms=[algorithm])


def receipt(proof: dict[str, str], **changed: object) -> ReceiptPayload:
    made = ReceiptPayload(
        sequence=1,
        previous=FIRST_PREVIOUS,
        customer=STATEMENT.customer,
        outage=STATEMENT.outage,
        revision=STATEMENT.revision,
        text_sha256=STATEMENT.text_sha256,
        signer_name=STATEMENT.signer_name,
        signer_role=STATEMENT.signer_role,
        way="own_key",
        answer=STATEMENT.answer,
        at=datetime(2026, 8, 3, tzinfo=UTC),
        details={"level": "own_key", **proof},
    )
    return replace(made, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [ED, EC], ids=["Ed25519", "P-256"])
def test_a_receipt_bears_the_customers_own_signature(key: OKPKey | ECKey) -> None:
    line = signed(key, STATEMENT.to_json())
    assert key_name(line) == thumbprint(public(key))
    assert Statement.from_json(open_signed(line, public(key))) == STATEMENT
    payload = receipt(proof_of_key(line, public(key)))
    verifier = Verifier(OURS.public_jwks)
    assert verifier.receipt(sign_receipt(OURS, payload).jws) == payload


@pytest.mark.parametrize(
    "changed",
    [
        {"answer": "OBJECTED"},
        {"signer_name": "另一人"},
        {"text_sha256": "cd" * 32},
        {"outage": "PO-2026-0002"},
        {"revision": 2},
        {"customer": "H2"},
    ],
)
def test_the_utility_cannot_put_another_answer_over_the_customers_signature(
    changed: dict[str, object],
) -> None:
    payload = receipt(proof_of_key(signed(ED, STATEMENT.to_json()), public(ED)), **changed)
    with pytest.raises(BadReceipt, match="own signature") as caught:
        Verifier(OURS.public_jwks).receipt(sign_receipt(OURS, payload).jws)
    assert caught.value.kind is Break.CHANGED


def test_a_proof_by_another_key_or_without_one_is_found() -> None:
    other = OKPKey.generate_key("Ed25519")
    proofs = (
        {},
        proof_of_key(signed(ED, STATEMENT.to_json()), public(other)),
        proof_of_key(signed(other, STATEMENT.to_json()), public(other)) | {"key": thumbprint(public(ED))},
    )
    for proof in proofs:
        with pytest.raises(BadReceipt, match="own signature"):
            Verifier(OURS.public_jwks).receipt(sign_receipt(OURS, receipt(proof)).jws)


@given(st.data())
def test_each_changed_bit_of_what_was_signed_is_refused(data: st.DataObject) -> None:
    head, body, tail = signed(EC, STATEMENT.to_json()).split(".")
    raw = bytearray(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    with pytest.raises(BadAnswer):
        open_signed(".".join((head, changed, tail)), public(EC))


def test_headers_that_ask_for_more_are_refused() -> None:
    good = STATEMENT.to_json()
    with pytest.raises(BadAnswer):
        open_signed(signed(ED, good, jwk=ED.as_dict(private=False)), public(ED))
    with pytest.raises(BadAnswer):
        open_signed(signed(ED, good, kid="somebody"), public(ED))
    unsigned = urlsafe_b64encode(b'{"alg":"none","kid":"x"}').decode().rstrip("=")
    for line in (f"{unsigned}.e30.", "", "a.b", "a.b.c", "é.b.c", "x" * 20_000):
        with pytest.raises(BadAnswer):
            open_signed(line, public(ED))


@pytest.mark.parametrize(
    "wrong",
    [
        b"[]",
        b"{}",
        b"not json",
        b'{"type":"outage-notify-answer"}',
        STATEMENT.to_json().replace(b":1,", b":true,"),
    ],
)
def test_what_is_no_statement_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadAnswer):
        Statement.from_json(wrong)
    more = json.loads(STATEMENT.to_json()) | {"comment": "and besides"}
    with pytest.raises(BadAnswer):
        Statement.from_json(json.dumps(more))


def test_keys_are_taken_as_jwk_and_pem_and_nothing_private() -> None:
    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())):
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        jwk = read_public_key(pem)
        assert read_public_key(json.dumps(jwk)) == jwk and "d" not in jwk
    others = (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048))
    wrong = [
        one.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        for one in others
    ]
    wrong += [json.dumps(ED.as_dict(private=True)), ED.as_pem(private=True).decode(), "", "{}", "nonsense"]
    for text in wrong:
        with pytest.raises(KeyFault):
            read_public_key(text)
