"""Pushes JSON to a stranger's address: signed as Standard Webhooks are, and never into our own network.

Promises: the address is resolved once, every one of its IPs must be public, and the connection goes
to the very IP that was looked at, so that a name can't change its mind in between; redirects are not
followed, proxies not used, answers not read beyond their status, and a call ends in time whatever
the other side does. No exception for what the network does. Leaves to others: what is sent,
and when it is tried again.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit

PREFIX = "whsec_"
LONGEST_URL = 500


class UnsafeAddress(ValueError):
    """An address that is not pushed to; the text says why, for whoever entered it."""


@dataclass(frozen=True)
class Pushed:
    """What a call came to: the status, 0 where there was none; `detail` in a few constant words."""

    status: int
    detail: str = ""

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


def secret_text(secret: bytes) -> str:
    """A secret as its owner keeps it."""
    return PREFIX + base64.b64encode(secret).decode("ascii")


def signature(secrets: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one HMAC-SHA256 per secret, so that a secret can be changed in peace."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    marks = (hmac.new(secret, signed, sha256).digest() for secret in secrets)
    return " ".join("v1," + base64.b64encode(mark).decode("ascii") for mark in marks)


def check_address(url: str, private: bool = False) -> None:
    """UnsafeAddress unless it is an https address without user, fragment or a private IP in it.

    A name is resolved at each push, not here: what it stands for may change. `private` allows http and
    addresses of one's own network.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnsafeAddress("This is not an address.") from error
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise UnsafeAddress("The address is too long or holds characters that addresses don't have.")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise UnsafeAddress("The address must begin with https://.")
    if not parts.hostname or parts.username is not None or parts.fragment or port == 0:
        raise UnsafeAddress("The address must have a host, and neither user nor fragment.")
    if not private:
        try:
            inside = not _public(parts.hostname)
        except ValueError:
            inside = parts.hostname.rstrip(".").rpartition(".")[2] in {"localhost", "local", "internal"}
        if inside:
            raise UnsafeAddress("The address lies in a private network.")


def post(url: str, headers: Mapping[str, str], body: bytes, timeout: float, private: bool = False) -> Pushed:
    """Post once. Called twice, it is posted twice: receivers know a message by its `webhook-id`."""
    try:
        check_address(url, private)
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        where = _resolved(host, port, private)
    except UnsafeAddress:
        return Pushed(0, "the address is not allowed")
    except OSError:
        return Pushed(0, "the name is not known")
    connection = _Pinned(where, host, port, timeout, parts.scheme == "https")
    # The time-out of a socket begins anew with each byte; this one does not.
    watch = threading.Timer(timeout, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=dict(headers))
        return Pushed(connection.getresponse().status)
    except ssl.SSLError:
        return Pushed(0, "the certificate or TLS is not usable")
    except (OSError, http.client.HTTPException, ValueError):
        return Pushed(0, "no answer in time")
    finally:
        watch.cancel()
        connection.close()


def _public(text: str) -> bool:
    """Whether an IP belongs to everybody's network. IPv4 in IPv6 counts as what it stands for."""
    found = ip_address(text.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if inner is not None:
        found = inner
    # 64:ff9b::/96 leads through a translator to any IPv4, private ones among them.
    translated = found.version == 6 and found.packed[:4] == bytes.fromhex("0064ff9b")
    return found.is_global and not found.is_multicast and not translated


def _resolved(host: str, port: int, private: bool) -> str:
    """The IP to connect to. UnsafeAddress if any of the name's IPs is private: a mixture is an attack."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not (private or all(_public(one) for one in found)):
        raise UnsafeAddress("The name stands for an address in a private network.")
    return found[0]


class _Pinned(http.client.HTTPConnection):
    """A connection to one IP, under the name that its certificate and Host header must have."""

    def __init__(self, where: str, host: str, port: int, timeout: float, tls: bool) -> None:
        super().__init__(host, port, timeout=timeout)
        self._where, self._tls = where, tls
        if tls:
            self.default_port = 443

    def connect(self) -> None:
        plain = socket.create_connection((self._where, self.port), self.timeout)
        self.sock = plain
        if self._tls:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)

    def cut(self) -> None:
        """End it now, from another thread."""
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It has ended by itself.
                return
