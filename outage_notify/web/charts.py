"""Small charts as SVG, made on the server: no script, no style attribute, so the strict policy holds.

A chart is a picture of a table that stands beside it: it is hidden from screen readers, who have the table.
Colour comes from classes; shares differ in pattern of lightness too. Text is escaped by Markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH = 640
LABEL, ROW, BAR = 168, 30, 18
HEIGHT, FOOT = 180, 24


@dataclass(frozen=True)
class Bar:
    """One bar of parts that add up: label, parts (class, amount), and what stands at its end."""

    label: str
    parts: Sequence[tuple[str, float]]
    note: str = ""


def shares(bars: Sequence[Bar], goal: float | None = None) -> Markup:
    """Each bar is a whole; `goal` (0 to 1) is a line through all of them."""
    room = WIDTH - LABEL - 70
    body = Markup("")
    for number, bar in enumerate(bars):
        y = number * ROW + 6
        body += _text(LABEL - 8, y + 14, bar.label, "end")
        whole, x = sum(amount for _, amount in bar.parts), float(LABEL)
        body += _rect(LABEL, y, room, BAR, "chart-none")
        for look, amount in bar.parts:
            width = room * amount / whole if whole else 0.0
            if width > 0:
                body += _rect(x, y, width, BAR, f"chart-{look}")
            x += width
        body += _text(LABEL + room + 8, y + 14, bar.note, "start")
    height = len(bars) * ROW + 6
    if goal is not None:
        at = LABEL + room * goal
        body += Markup('<line class="chart-goal" x1="{:.1f}" y1="0" x2="{:.1f}" y2="{}"/>').format(
            at, at, height
        )
    return _svg(height, body)


def columns(bars: Sequence[tuple[str, float, str]]) -> Markup:
    """Upright bars on one scale: (label, amount, what stands above). Labels thin out when there are many."""
    most = max((amount for _, amount, _ in bars), default=0) or 1
    step = WIDTH / max(len(bars), 1)
    every = -(-len(bars) // 8) or 1
    body = Markup("")
    for number, (label, amount, note) in enumerate(bars):
        height = (HEIGHT - 20) * amount / most
        x = number * step + step * 0.15
        body += _rect(x, HEIGHT - height, min(step * 0.7, 60), height, "chart-plan")
        middle = x + min(step * 0.7, 60) / 2
        if number % every == 0:
            body += _text(middle, HEIGHT + 16, label, "middle")
        if amount and len(bars) <= 12:
            body += _text(middle, HEIGHT - height - 5, note, "middle")
    body += Markup('<line class="chart-axis" x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(HEIGHT, WIDTH)
    return _svg(HEIGHT + FOOT, body)


def _svg(height: int, body: Markup) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}</svg>'
    ).format(WIDTH, height, body)


def _rect(x: float, y: float, width: float, height: float, look: str) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        look, x, y, width, height
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)
