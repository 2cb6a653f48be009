"""One file per network, mapped into memory by every process that traces it.

Promises: a file is complete or not there (written beside and renamed); a file that is damaged,
cut short or of another layout is not used. Opening reads it once for its checksum and leaves the
arrays on the disk's cache, which all processes share. Leaves to the caller which network a file
is of, and what to do without one: build the grid anew.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from geo.forest import Forest
from geo.grid import Derived, Grid, Layer, Plain
from geo.identifiers import Identifiers

# Raised with every change of the arrays or their meaning.
LAYOUT = 1
_MAGIC = b"GRIDFILE"
_ALIGN = 64


class GridFileError(Exception):
    """The file cannot be used: what is wrong with it."""


def write(grid: Grid, path: Path) -> None:
    """Write the grid to `path`, whole or not at all. Twice is once. OSError as usual."""
    arrays = dict(_arrays(grid))
    places: dict[str, tuple[str, int, int]] = {}
    at = 0
    for name, array in arrays.items():
        places[name] = (array.dtype.str, len(array), at)
        at += -(-array.nbytes // _ALIGN) * _ALIGN
    header: dict[str, Any] = {
        "arrays": places,
        "node_kinds": grid.node_kinds,
        "load_kinds": grid.load_kinds,
        "kinds": list(grid.ids.tables),
        "feeders": grid.feeders,
        "layers": [(layer.bits, layer.forest.fed) for layer in grid.layers],
    }
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("wb", dir=path.parent, prefix=".grid-", delete=False) as draft:
        try:
            digest = hashlib.sha256(text)
            draft.write(_MAGIC + bytes(40) + len(text).to_bytes(8, "little") + text)
            gap = bytes(-draft.tell() % _ALIGN)
            draft.write(gap)
            for array in arrays.values():
                for part in (np.ascontiguousarray(array).view(np.uint8).data, bytes(-array.nbytes % _ALIGN)):
                    digest.update(part)
                    draft.write(part)
            draft.seek(len(_MAGIC))
            draft.write(LAYOUT.to_bytes(8, "little") + digest.digest())
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def read(path: Path) -> Grid:
    """The grid of a file. GridFileError when it is not what was written; FileNotFoundError without one."""
    with path.open("rb") as stream:
        head = stream.read(len(_MAGIC) + 48)
        if len(head) < len(_MAGIC) + 48 or not head.startswith(_MAGIC):
            raise GridFileError(f"{path.name} is not a network file.")
        head = head[len(_MAGIC) :]
        if int.from_bytes(head[:8], "little") != LAYOUT:
            raise GridFileError(f"{path.name} has another layout.")
        text = stream.read(int.from_bytes(head[40:], "little"))
        body = stream.tell() + -stream.tell() % _ALIGN
        stream.seek(body)
        digest = hashlib.sha256(text)
        while part := stream.read(1 << 20):
            digest.update(part)
        if digest.digest() != head[8:40]:
            raise GridFileError(f"{path.name} is damaged: its checksum does not fit.")
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    header = json.loads(text)
    arrays = {
        name: np.frombuffer(mapped, np.dtype(kind), length, body + at) if length else np.empty(0, kind)
        for name, (kind, length, at) in header["arrays"].items()
    }

    def group(prefix: str, kind: type) -> Any:
        return kind(**{field.name: arrays[f"{prefix}.{field.name}"] for field in fields(kind)})

    layers = []
    for number, (bits, fed) in enumerate(header["layers"]):
        names = [field.name for field in fields(Forest) if field.name != "fed"]
        forest = Forest(fed=fed, **{name: arrays[f"layer{number}.{name}"] for name in names})
        layers.append(Layer(bits, forest))
    ids = Identifiers(
        {kind: arrays[f"id.{kind}"] for kind in header["kinds"]},
        {kind: arrays[f"order.{kind}"] for kind in header["kinds"] if f"order.{kind}" in arrays},
    )
    return Grid(
        ids=ids,
        node_kinds=header["node_kinds"],
        load_kinds=header["load_kinds"],
        feeders=tuple(header["feeders"]),
        plain=group("plain", Plain),
        derived=group("derived", Derived),
        layers=tuple(layers),
    )


def _arrays(grid: Grid) -> Iterator[tuple[str, np.ndarray]]:
    for kind, table in grid.ids.tables.items():
        yield f"id.{kind}", table
    for kind, order in grid.ids.text_order.items():
        yield f"order.{kind}", order
    for prefix, group in (("plain", grid.plain), ("derived", grid.derived)):
        for field in fields(group):
            yield f"{prefix}.{field.name}", getattr(group, field.name)
    for number, layer in enumerate(grid.layers):
        for name, array in layer.forest.arrays().items():
            yield f"layer{number}.{name}", array
