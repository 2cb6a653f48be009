"""The map beneath the maps, from a provider that the settings name; without one, areas lie on plain ground.

Promises: only pictures may come from there (`img-src`), from exactly the hosts of the template; the provider learns the
site's origin and which tiles are looked at, never a page's address. Where it draws on GCJ-02, its tiles are moved
beneath the data (`static/base_map.js`): what is stored, clicked and published stays WGS-84.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from outage_notify.settings import Settings

_RANGE = re.compile(r"\{([a-z0-9])-([a-z0-9])\}")


def told(settings: Settings) -> dict[str, Any] | None:
    """What the script needs, JSON-able; None where there is no base map."""
    if not settings.base_map:
        return None
    return {
        "url": _RANGE.sub("{s}", settings.base_map),
        "subdomains": _names(settings.base_map),
        "attribution": settings.base_map_attribution,
        "gcj02": settings.base_map_datum == "gcj02",
    }


def sources(settings: Settings) -> tuple[str, ...]:
    """The origins that pictures may come from."""
    found = []
    for name in _names(settings.base_map) or [""] if settings.base_map else []:
        parts = urlsplit(_RANGE.sub(name, settings.base_map))
        found.append(f"{parts.scheme}://{parts.netloc}")
    return tuple(dict.fromkeys(found))


def _names(url: str) -> list[str]:
    """The names that a range such as `{a-c}` or `{1-4}` stands for."""
    match = _RANGE.search(url)
    return [chr(one) for one in range(ord(match[1]), ord(match[2]) + 1)] if match else []
