"""The signature of a receipt's PDF: valid for whoever holds the certificate, broken by any change."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import pem, x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from channels.document import receipt_pdf
from channels.keys import KeyFault
from channels.pdf_signing import PdfSigner, new_certificate

RECEIPT = {
    "outage": "PO-2026-0417",
    "revision": 2,
    "sequence": 7,
    "customer": "C1",
    "customer_name": "市立医院",
    "signer_name": "王芳",
    "way": "link",
    "answer": "ACKNOWLEDGED",
    "at": "2026-03-02 10:04",
    "language": "zh-CN",
    "details": {"level": "address"},
    "verify_url": "https://outages.example.com/verify/" + "0" * 64,
}


@pytest.fixture(scope="module")
def signer() -> PdfSigner:
    return PdfSigner.parse(new_certificate("Stadtwerke", datetime.now(UTC)))


@pytest.fixture(scope="module")
def signed(signer: PdfSigner) -> bytes:
    return signer.sign(receipt_pdf(RECEIPT), "PO-2026-0417")


def valid(pdf: bytes, certificates: bytes) -> bool:
    """Whether a reader that was given the certificate calls the document's one signature good and whole."""
    _, _, der = pem.unarmor(certificates)
    context = ValidationContext(trust_roots=[x509.Certificate.load(der)], allow_fetching=False)
    try:
        (signature,) = PdfFileReader(BytesIO(pdf)).embedded_signatures
        status = validate_pdf_signature(signature, context)
    except (PdfError, SigningError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return False
    return bool(status.bottom_line and status.coverage.name == "ENTIRE_FILE")


def test_it_validates_given_the_certificate_and_the_text_is_there(signed: bytes, signer: PdfSigner) -> None:
    assert valid(signed, signer.certificates)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(signed)).pages)
    assert "王芳" in text and "效力等级" in text and "链接" in text
    assert b"PRIVATE" not in signer.certificates


def test_another_certificate_is_not_believed(signed: bytes) -> None:
    assert not valid(signed, PdfSigner.parse(new_certificate("Stadtwerke", datetime.now(UTC))).certificates)


def test_a_changed_byte_is_seen(signed: bytes, signer: PdfSigner) -> None:
    chance = random.Random(7)
    for place in chance.sample(range(len(receipt_pdf(RECEIPT))), 12):
        changed = bytearray(signed)
        changed[place] ^= 1 << chance.randrange(8)
        assert not valid(bytes(changed), signer.certificates), place
    assert not valid(signed + b"\n% more", signer.certificates)


def test_a_file_that_holds_no_key_with_its_certificate_is_named(tmp_path: Path) -> None:
    one, other = (new_certificate("A", datetime.now(UTC)) for _ in range(2))
    mixed = one[: one.index(b"-----BEGIN CERT")] + other[other.index(b"-----BEGIN CERT") :]
    for number, content in enumerate((b"", b"rubbish", one[:500], mixed, PdfSigner.parse(one).certificates)):
        place = tmp_path / f"{number}.pem"
        place.write_bytes(content)
        with pytest.raises(KeyFault, match=place.name):
            PdfSigner.load(place)
    with pytest.raises(KeyFault, match="missing"):
        PdfSigner.load(tmp_path / "missing.pem")
