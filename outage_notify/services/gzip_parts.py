"""A gzip file that is joined from parts, so that of a large document only what changed is packed anew.

Promises: the result is one ordinary gzip member, which every reader takes (several members in a row
are not read to their end by all of them); the same bytes in the same pieces give the same result,
whatever was remembered. Parts are packed apart from each other, which costs some per cent of size.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

LEVEL = 6
# No time, no name, made on an unknown system: RFC 1952.
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# An empty block that says it is the last one.
_LAST = b"\x03\x00"
# A piece whose checksum ends in these bits is the last one of its part: one of 128.
_ENDS_PART = 127


@dataclass(frozen=True)
class Packed:
    """`seams`: of each part its digest and how long it became."""

    body: bytes
    data: bytes
    seams: tuple[tuple[str, int], ...]


def in_parts(head: bytes, pieces: Iterable[bytes], tail: bytes) -> list[bytes]:
    """Pieces joined to parts of a hundred or so. Where a part ends is decided by the piece itself: one that
    is new, gone or elsewhere moves no other border than those beside it."""
    parts, begun = [head], list[bytes]()
    for piece in pieces:
        begun.append(piece)
        if zlib.crc32(piece) & _ENDS_PART == _ENDS_PART:
            parts.append(b"".join(begun))
            begun = []
    return [part for part in (*parts, b"".join(begun), tail) if part]


def pack(parts: Sequence[bytes], known: Mapping[str, bytes]) -> Packed:
    """The parts one after the other as a gzip file. `known`: parts as they were packed before, by digest."""
    found, seams, check = [_HEAD], list[tuple[str, int]](), 0
    for part in parts:
        digest = blake2b(part, digest_size=16).hexdigest()
        packed = known.get(digest) or _packed(part)
        found.append(packed)
        seams.append((digest, len(packed)))
        check = zlib.crc32(part, check)
    size = sum(map(len, parts))
    found += [_LAST, struct.pack("<II", check, size & 0xFFFFFFFF)]
    return Packed(b"".join(parts), b"".join(found), tuple(seams))


def known_parts(data: bytes, seams: Iterable[tuple[str, int]]) -> dict[str, bytes]:
    """The packed parts inside of what `pack` made, by digest."""
    found, at = dict[str, bytes](), len(_HEAD)
    for digest, length in seams:
        found[digest] = data[at : at + length]
        at += length
    return found


def _packed(part: bytes) -> bytes:
    """Blocks that look at nothing before them and end at a whole byte."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)
