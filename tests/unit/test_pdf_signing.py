"""The signature of a receipt's PDF: valid for whoever holds the certificate, broken by any change."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
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
from tests.servers.programs import Missing, openssl

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


def by_openssl(pdf: bytes, certificates: bytes, folder: Path) -> bool:
    """Whether OpenSSL, given the certificate, takes the signature for one over all bytes around it."""
    first, size, second, rest = map(
        int, re.search(rb"/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)", pdf).groups()
    )  # type: ignore[union-attr]
    assert (first, second + rest) == (0, len(pdf))
    (folder / "signature").write_bytes(bytes.fromhex(pdf[size + 1 : second - 1].decode("ascii")))
    (folder / "signed").write_bytes(pdf[:size] + pdf[second:])
    (folder / "roots").write_bytes(certificates)
    files = ["-in", folder / "signature", "-content", folder / "signed", "-CAfile", folder / "roots"]
    command = [openssl(), "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any", *files]
    done = subprocess.run([*command, "-out", os.devnull], capture_output=True, timeout=60)
    return done.returncode == 0


def test_other_programs_find_it_valid_given_the_certificate(
    signed: bytes, signer: PdfSigner, tmp_path: Path
) -> None:
    try:
        openssl()
    except Missing as missing:
        pytest.skip(str(missing))
    changed = bytearray(signed)
    changed[1000] ^= 1
    strange = PdfSigner.parse(new_certificate("Stadtwerke", datetime.now(UTC))).certificates
    assert by_openssl(signed, signer.certificates, tmp_path)
    assert not by_openssl(bytes(changed), signer.certificates, tmp_path)
    assert not by_openssl(signed, strange, tmp_path)


def test_a_stock_reader_calls_it_valid_and_a_changed_one_not(signed: bytes, tmp_path: Path) -> None:
    """Poppler, with which the usual readers of Linux show PDFs."""
    tool = shutil.which("pdfsig")
    if tool is None:
        pytest.skip("pdfsig is not installed (apt install poppler-utils)")
    place = tmp_path / "receipt.pdf"

    def said(pdf: bytes) -> str:
        place.write_bytes(pdf)
        # Without -nocert it would ask the authorities of this machine, which know nothing of ours.
        return subprocess.run([tool, "-nocert", place], capture_output=True, text=True, timeout=60).stdout

    good = said(signed)
    assert "Signature is Valid" in good and "Total document signed" in good
    assert "ETSI.CAdES.detached" in good and "Stadtwerke" in good
    changed = bytearray(signed)
    changed[signed.index(b"endstream") - 20] ^= 1
    assert "Signature is Valid" not in said(bytes(changed))
    assert "Total document signed" not in said(signed + b"\n% more\n")


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
