"""Counts who asks for how many houses, so that nobody reads a street off door by door.

A house that was asked for once today may be asked for again without being counted. A client is
an IPv4 address or an IPv6 network of a household (/64). Counted in the same storage as all other
limits, without the question itself: keys are hashed.
"""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from flask_limiter.util import get_remote_address
from limits import RateLimitItemPerDay

from outage_notify.web.security import limiter

CHECK_LIMIT = "10 per minute; 100 per day"
HOUSES_OF_ALL_STREETS = 20

_ONCE = RateLimitItemPerDay(1, namespace="house")
_ALL = RateLimitItemPerDay(HOUSES_OF_ALL_STREETS, namespace="houses")


def client() -> str:
    """Whom a limit counts."""
    text = get_remote_address()
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return text


def may_ask(street: str, house: str, houses: int) -> bool:
    """Whether this client may be told about this house: a new one counts for its street and for the day."""
    strategy, who = limiter.limiter, client()
    this, there = _mark(house), _mark(street)
    if not strategy.hit(_ONCE, who, this):
        return True
    along = RateLimitItemPerDay(houses, namespace="street")
    if strategy.test(_ALL, who) and strategy.hit(along, who, there):
        strategy.hit(_ALL, who)
        return True
    strategy.clear(_ONCE, who, this)
    return False


def _mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]
