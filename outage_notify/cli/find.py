"""find: who lies in a drawn area, and what is nearest to a place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from outage_notify.cli.common import json_option, runtime
from outage_notify.cli.output import emit, show, table
from outage_notify.domain.errors import InvalidInput

SHOWN = 40


@click.group()
def find() -> None:
    """Look at the map: who lies in an area, what is nearest to a place."""


@find.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def area(file: Path, as_json: bool) -> int:
    """Loads and customers inside the polygon in FILE (GeoJSON: Polygon, MultiPolygon or a Feature)."""
    from outage_notify.services.find_places import find_within

    drawn = _load(file)
    with runtime() as rt:
        found = find_within(rt, drawn)
    if as_json:
        emit(found.as_dict())
        return 0
    columns = ["service_points", "customers"]
    rows = [[tier, *(one[column] for column in columns)] for tier, one in found.by_tier.items()]
    table(["tier", *columns], rows, right=columns)
    more = f", ... ({len(found.loads) - SHOWN} more)" if len(found.loads) > SHOWN else ""
    show(f"\nloads ({len(found.loads)}): {', '.join(found.loads[:SHOWN]) or '-'}{more}")
    return 0


@find.command(context_settings={"ignore_unknown_options": True})
@click.argument("lon", type=float)
@click.argument("lat", type=float)
@json_option
def nearest(lon: float, lat: float, as_json: bool) -> int:
    """The transformer, line and feeder nearest to LON LAT (degrees, WGS-84)."""
    from outage_notify.services.find_places import find_nearest

    with runtime() as rt:
        found = find_nearest(rt, lon, lat).as_dict()
    if as_json:
        emit(found)
        return 0
    for label in ("feeder", "transformer", "line"):
        metres = found.get(f"{label}_m")
        show(f"{label}: {found[label] or '-'}" + (f" ({metres:g} m)" if metres is not None else ""))
    return 0


@find.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", type=click.Choice(["gcj02", "wgs84"]), default="gcj02", show_default=True)
def shift(file: Path, to: str) -> int:
    """GeoJSON in FILE moved for a map provider that draws on GCJ-02, or from there back to WGS-84."""
    from outage_notify.services.find_places import shift_map

    emit(shift_map(_load(file), to))
    return 0


def _load(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.", "Check the path.") from error
    except ValueError as error:
        raise InvalidInput(f"{file.name} is not JSON: {error}.", "Give GeoJSON.") from error
