"""PAdES: the receipt's PDF signed, so that a PDF reader shows who issued it and that no byte was changed.

The certificate is another key than the one of the chain: readers check X.509 certificates, with RSA or
P-256. Promises: the signature covers the whole file (ETSI EN 319 142-1, level B-B) and the private key stays here.
Leaves to others: whether a reader trusts the certificate; one made by `new_certificate` is self-signed, so that readers
must be given it once (it is published beside the verification keys).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from asn1crypto import pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from channels.keys import KeyFault

_REMEDY = "Make one with `outage-notify keys certificate`, or put key and certificates into one PEM file."
_FIELD = "Receipt"


@dataclass(frozen=True, repr=False)
class PdfSigner:
    """A private key with its certificate, the signer's first, then those that vouch for it."""

    signer: signers.SimpleSigner
    certificates: bytes  # PEM, without the key: to be published

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PdfSigner:
        """Read a PEM file that holds a key and certificates. KeyFault names the file and the remedy."""
        place = Path(path)
        try:
            return cls.parse(place.read_bytes())
        except OSError as error:
            raise KeyFault(f"Certificate file {place} cannot be read. {_REMEDY}") from error
        except (ValueError, TypeError) as error:
            raise KeyFault(
                f"Certificate file {place} holds no key with its certificate. {_REMEDY}"
            ) from error

    @classmethod
    def parse(cls, text: bytes) -> PdfSigner:
        blocks = list(pem.unarmor(text, multiple=True))
        keys = [pem.armor(kind, data) for kind, _, data in blocks if kind.endswith("PRIVATE KEY")]
        certificates = b"".join(pem.armor(kind, data) for kind, _, data in blocks if kind == "CERTIFICATE")
        if len(keys) != 1 or not certificates:
            raise ValueError("one private key and at least one certificate are needed")
        first, *rest = load_certs_from_pemder_data(certificates)
        key = load_private_key_from_pemder_data(keys[0], None)
        if _public_part(keys[0]) != first.public_key.dump():
            raise ValueError("the key does not belong to the first certificate")
        store = SimpleCertificateStore()
        store.register_multiple(rest)
        return cls(signers.SimpleSigner(first, key, store), certificates)

    def sign(self, pdf: bytes, reason: str = "") -> bytes:
        """The same document with an invisible signature behind it; nothing in it is moved or written anew."""
        about = signers.PdfSignatureMetadata(
            field_name=_FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason or None
        )
        out = BytesIO()
        signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), about, self.signer, output=out)
        return out.getvalue()


def _public_part(key: bytes) -> bytes:
    """The public key (DER) of a private one (PEM)."""
    return (
        load_pem_private_key(key, None)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


def new_certificate(name: str, now: datetime, years: int = 10) -> bytes:
    """A fresh RSA key with a self-signed certificate for `name`, as PEM. Each call is another key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                encipher_only=False,
                decipher_only=False,
                **usage,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
