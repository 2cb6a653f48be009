"""Everything that is signed, under one name: keys, link tokens, receipts and their export.

The parts live in `keys`, `tokens`, `receipts` and `receipt_export`; the rest of the
product imports from here.
"""

from __future__ import annotations

from channels.keys import KeyFault, SigningKey, key_file_warning, new_key
from channels.receipt_export import (
    ExportFault,
    ExportHeader,
    read_export,
    stamps_of,
    verify_export,
    verify_export_file,
    write_export,
)
from channels.receipts import (
    ANSWERS,
    FIRST_PREVIOUS,
    BadReceipt,
    Break,
    ChainReport,
    ReceiptPayload,
    SignedReceipt,
    Stamped,
    receipt_sha256,
    sign_receipt,
    verify_chain,
    verify_receipt,
)
from channels.tokens import BadToken, make_token, open_token, read_token

__all__ = [
    "ANSWERS",
    "FIRST_PREVIOUS",
    "BadReceipt",
    "BadToken",
    "Break",
    "ChainReport",
    "ExportFault",
    "ExportHeader",
    "KeyFault",
    "ReceiptPayload",
    "SignedReceipt",
    "SigningKey",
    "Stamped",
    "key_file_warning",
    "make_token",
    "new_key",
    "open_token",
    "read_export",
    "read_token",
    "receipt_sha256",
    "sign_receipt",
    "stamps_of",
    "verify_chain",
    "verify_export",
    "verify_export_file",
    "verify_receipt",
    "write_export",
]
