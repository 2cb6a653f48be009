"""Checking the signatures of a long chain on several processors.

Promises: the links come in the order of the lines and are those of `links_of`, at flat memory; a chain that is
read in a moment starts no process. Leaves to others: what the links say together (`receipts.follow_chain`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing import get_context
from typing import Any

from channels.receipts import BadReceipt, Break, Link, Verifier, links_of

# A process is ready after about a second, in which one alone checks some thousand receipts.
SHORT = 20_000
PIECE = 2_000
_AHEAD = 2

_Found = Link | tuple[Break, str]


def links_side_by_side(
    lines: Iterable[str], jwks: Mapping[str, Any], processes: int
) -> Iterator[Link | BadReceipt]:
    """`links_of` by so many processes at a time, if there are more than `SHORT` lines."""
    stream = iter(lines)
    first = list(islice(stream, SHORT))
    if processes < 2 or len(first) < SHORT:
        yield from links_of(chain(first, stream), Verifier(jwks))
        return
    # Not a copy of this process, which may hold locks and connections.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _start, (dict(jwks),))
    try:
        waiting: deque[Future[list[_Found]]] = deque()
        pieces = _pieces(chain(first, stream))
        for piece in pieces:
            waiting.append(pool.submit(_check, piece))
            if len(waiting) > processes * _AHEAD:
                yield from _links(waiting.popleft().result())
        while waiting:
            yield from _links(waiting.popleft().result())
    finally:
        pool.shutdown(cancel_futures=True)


def _pieces(lines: Iterator[str]) -> Iterator[list[str]]:
    while piece := list(islice(lines, PIECE)):
        yield piece


def _links(found: Iterable[_Found]) -> Iterator[Link | BadReceipt]:
    for one in found:
        yield one if isinstance(one, Link) else BadReceipt(*one)


_verifier: Verifier


def _start(jwks: Mapping[str, Any]) -> None:
    global _verifier
    _verifier = Verifier(jwks)


def _check(lines: list[str]) -> list[_Found]:
    links = links_of(lines, _verifier)
    return [one if isinstance(one, Link) else (one.kind, str(one)) for one in links]
