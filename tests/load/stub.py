"""A provider that takes whatever it is given, as fast as the machine can: for measuring ours, not itself.

It speaks Twilio's create-message over HTTP/1.1 with kept-alive connections and answers 201
with an identifier of its own for each request. It remembers nothing but how many there were.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count

_HEAD_END = b"\r\n\r\n"
_numbers = count(1)


def _answer(number: int) -> bytes:
    """The fields of Twilio's answer that a client reads, and the other ones of its published shape."""
    sid = f"SM{number:032x}"
    body = json.dumps(
        {
            "account_sid": "AC" + "0" * 32,
            "api_version": "2010-04-01",
            "body": "taken",
            "date_created": "Mon, 20 Apr 2026 09:00:00 +0000",
            "date_sent": None,
            "date_updated": "Mon, 20 Apr 2026 09:00:00 +0000",
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": "+15005550006",
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {},
            "to": "+10000000000",
            "uri": f"/2010-04-01/Accounts/AC/Messages/{sid}.json",
        }
    ).encode()
    head = f"HTTP/1.1 201 CREATED\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._held = b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(_HEAD_END)) >= 0:
            head = self._held[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            whole = end + len(_HEAD_END) + length
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            self._transport.write(_answer(next(_numbers)))  # type: ignore[attr-defined]


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
