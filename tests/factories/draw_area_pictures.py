"""Draws three public areas of the sample network as SVG: ``python -m tests.factories.draw_area_pictures``.

Cables in grey, the area in orange as the public sees it, lost loads in red, which the public
does not see. Called twice it writes the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geo.areas import AreaIndex
from geo.model import Network
from geo.projection import Plane
from geo.readers import read_network
from geo.resolve import resolve
from outage_notify.sample.network import FILE

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
# One house, a street, a feeder.
OUTAGES = {
    "area-house": {"out": ["load:10007"]},
    "area-street": {"work": ["line:10540"]},
    "area-feeder": {"out": ["feeder:Line 62"]},
}
WIDTH = 720
_MARGIN_M = 400.0


def draw(network: Network, areas: AreaIndex, switching: dict[str, list[str]]) -> str:
    lost = resolve(network, **switching).lost
    area = areas.area(lost)
    plane = areas.plane
    if area is None or plane is None:
        raise SystemExit(f"{switching} has no area.")
    polygons = [area["coordinates"]] if area["type"] == "Polygon" else area["coordinates"]
    rings = [plane.points(map(tuple, ring)) for polygon in polygons for ring in polygon]
    west = min(ring[:, 0].min() for ring in rings) - _MARGIN_M
    east = max(ring[:, 0].max() for ring in rings) + _MARGIN_M
    south = min(ring[:, 1].min() for ring in rings) - _MARGIN_M
    north = max(ring[:, 1].max() for ring in rings) + _MARGIN_M
    scale = WIDTH / (east - west)

    def path(points: Any, close: str = "") -> str:
        return (
            "M" + "L".join(f"{(x - west) * scale:.1f},{(north - y) * scale:.1f}" for x, y in points) + close
        )

    height = round((north - south) * scale)
    cables = [path(xy) for xy in _lines(network, plane, (west, south, east, north))]
    homes = [network.shape(network.elements[load]) for load in lost]
    dots = [
        f'<circle cx="{(x - west) * scale:.1f}" cy="{(north - y) * scale:.1f}" r="2.5"/>'
        for x, y in plane.points(home[0] for home in homes if home).tolist()
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}">',
            f'<rect width="{WIDTH}" height="{height}" fill="#fafafa"/>',
            f'<path d="{"".join(cables)}" fill="none" stroke="#b8b8b8"/>',
            f'<path d="{"".join(path(ring, "Z") for ring in rings)}" fill="#e8811a" fill-opacity=".35" '
            'stroke="#b85c00" stroke-width="2" fill-rule="evenodd"/>',
            f'<g fill="#c4161c">{"".join(sorted(dots))}</g>',
            f'<path d="M20,{height - 20}h{500 * scale:.1f}" stroke="#333" stroke-width="3"/>',
            f'<text x="20" y="{height - 28}" font-family="sans-serif" font-size="13" fill="#333">500 m</text>',
            "</svg>\n",
        ]
    )


def _lines(network: Network, plane: Plane, box: tuple[float, float, float, float]) -> list[Any]:
    found = []
    for line in network.of_kind("line"):
        shape = network.shape(line)
        if shape is None or len(shape) < 2:
            continue
        xy = plane.points(shape)
        inside = (xy[:, 0] > box[0]) & (xy[:, 0] < box[2]) & (xy[:, 1] > box[1]) & (xy[:, 1] < box[3])
        if inside.any():
            found.append(xy.tolist())
    return found


def main() -> None:
    network = read_network(FILE).network
    if network is None:
        raise SystemExit("The sample network cannot be read.")
    areas = AreaIndex(network)
    for name, switching in OUTAGES.items():
        (FOLDER / f"{name}.svg").write_text(draw(network, areas, switching), encoding="utf-8")


if __name__ == "__main__":
    main()
