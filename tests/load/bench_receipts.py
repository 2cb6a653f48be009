"""How fast receipts are signed and an export is verified, and with how much memory: `make bench-receipts ARGS=100000`.

Signing and verifying are done as the product does them, without a database; verifying runs in a process of its
own and those that it starts, as `receipts verify` does it, for a chain of the given length and for one of a tenth, so
that memory that grows with the chain would be seen (all processes together). joserfc alone, signing and verifying one
token over and over on one processor, is the peer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from joserfc import jws

from channels.keys import ALGORITHM, SigningKey, new_key
from channels.receipt_export import write_export
from channels.receipts import FIRST_PREVIOUS, ReceiptPayload, receipt_sha256, sign_receipt

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PEER = 2_000
_VERIFY = (
    "import os, resource, sys, time; from channels.receipt_export import verify_export_file as verify;"
    "began = time.perf_counter(); report = verify(sys.argv[1], processes=os.cpu_count());"
    "took = time.perf_counter() - began;"
    "assert report.ok and report.count == int(sys.argv[2]), report;"
    # Not the resource module's figure of itself, which a child inherits from a large parent.
    "own = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'));"
    "helpers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss;"
    "print(took, int(own) + os.cpu_count() * helpers)"
)


def chain(key: SigningKey, length: int) -> Iterator[str]:
    previous = FIRST_PREVIOUS
    for number in range(1, length + 1):
        payload = ReceiptPayload(
            number,
            previous,
            f"C{number:06d}",
            "PO-2026-0417",
            1,
            receipt_sha256(str(number)),
            "Grace Hall",
            "duty engineer",
            "link",
            "ACKNOWLEDGED",
            BEGAN + timedelta(seconds=number),
            {"level": "address"},
        )
        signed = sign_receipt(key, payload)
        previous = signed.sha256
        yield signed.jws


def measure(key: SigningKey, folder: Path, length: int) -> dict[str, float]:
    raw, place, line = folder / "lines", folder / f"{length}.jsonl", ""
    began = time.perf_counter()
    with raw.open("w", encoding="ascii", newline="\n") as out:
        for line in chain(key, length):
            out.write(line + "\n")
    signing = time.perf_counter() - began
    with raw.open(encoding="ascii") as lines, place.open("w", encoding="utf-8", newline="\n") as out:
        stripped = (one.rstrip("\n") for one in lines)
        write_export(key, stripped, out, count=length, head=receipt_sha256(line), at=datetime.now(UTC))
    done = subprocess.run(
        [sys.executable, "-c", _VERIFY, str(place), str(length)], capture_output=True, text=True, check=True
    )
    took, memory = done.stdout.split()
    return {
        "receipts": length,
        "signed_per_second": round(length / signing),
        "verified_per_second": round(length / float(took)),
        "verify_seconds": round(float(took), 1),
        "verify_megabytes": round(int(memory) / 1024),
    }


def peer(key: SigningKey) -> dict[str, int]:
    line = next(chain(key, 1))
    payload = line.encode()
    began = time.perf_counter()
    for _ in range(PEER):
        line = jws.serialize_compact({"alg": ALGORITHM}, payload, key.private, algorithms=[ALGORITHM])
    signing = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(PEER):
        jws.deserialize_compact(line, key.private, algorithms=[ALGORITHM])
    verifying = time.perf_counter() - began
    return {
        "joserfc_signs_per_second": round(PEER / signing),
        "joserfc_verifies_per_second": round(PEER / verifying),
    }


def main(length: int) -> int:
    key = SigningKey.parse(new_key())
    with tempfile.TemporaryDirectory() as name:
        small, large = (measure(key, Path(name), count) for count in (max(1, length // 10), length))
    grown = large["verify_megabytes"] - small["verify_megabytes"]
    print(json.dumps({"small": small, "large": large, "grown_megabytes": grown, **peer(key)}))
    in_time = large["verified_per_second"] * 300 >= 1_000_000
    return 0 if large["signed_per_second"] >= 1_000 and in_time and grown <= 20 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
