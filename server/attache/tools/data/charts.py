"""Charts as SVG, written by hand: axes with round numbers, a legend, nothing that has to be installed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Literal, NamedTuple

WIDTH, HEIGHT = 800, 450
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 70
COLOURS = ("#2563eb", "#dc2626", "#16a34a", "#d97706", "#7c3aed", "#0891b2", "#db2777", "#4b5563")
TICKS = 5
LABELS_MOST = 12
LABEL_CHARS = 14
FONT = 'font-family="sans-serif" font-size="12"'


class Series(NamedTuple):
    """One row of numbers, each at a place along the bottom."""

    name: str
    points: tuple[tuple[str, float], ...]


class _Frame(NamedTuple):
    """How places and numbers become coordinates."""

    places: dict[str, float]
    low: float
    high: float
    numeric: bool
    """Whether the places are numbers."""
    slots: bool
    """Whether each place has room of its own, as bars need it."""

    def x(self, place: str) -> float:
        """Return the coordinate of a place along the bottom."""
        if self.slots:
            return LEFT + (self.places[place] + 0.5) * self.slot
        values = self.places.values()
        first, last = min(values), max(values)
        share = (self.places[place] - first) / (last - first) if last > first else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    @property
    def slot(self) -> float:
        """Return the width of the room of one place."""
        return (WIDTH - LEFT - RIGHT) / max(len(self.places), 1)

    def y(self, value: float) -> float:
        """Return the coordinate of a number."""
        return HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def svg(series: Sequence[Series], *, kind: Literal["line", "bar", "scatter"], title: str = "", x_name: str = "") -> str:
    """Return the picture. Places along the bottom are numbers where all of them are, else stand in their order."""
    frame = _frame(series, kind)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="16">{escape(title)}</text>',
        *_axes(frame, x_name),
    ]
    for number, each in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        drawn = _bars(frame, each, number, len(series)) if kind == "bar" else _marks(frame, each, joined=kind == "line")
        parts += [f'<g fill="{colour}" stroke="{colour}">', *drawn, "</g>"]
        at = LEFT + number * 130
        parts.append(f'<rect x="{at}" y="34" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{at + 14}" y="43">{escape(_short(each.name))}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _frame(series: Sequence[Series], kind: str) -> _Frame:
    names = list(dict.fromkeys(place for each in series for place, _ in each.points))
    numbers = [_number(name) for name in names]
    numeric = kind != "bar" and all(number is not None for number in numbers)
    places = {
        name: float(number or 0) if numeric else float(at)
        for at, (name, number) in enumerate(zip(names, numbers, strict=True))
    }
    values = [value for each in series for _, value in each.points]
    low, high = min(values), max(values)
    if kind == "bar":
        low, high = min(low, 0.0), max(high, 0.0)
    step = _step(high - low or abs(high) or 1.0)
    return _Frame(places, math.floor(low / step) * step, (math.floor(high / step) + 1) * step, numeric, kind == "bar")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _step(span: float) -> float:
    """Return a round step (1, 2 or 5 times a power of ten) of which about TICKS make the span."""
    power = 10 ** math.floor(math.log10(span / TICKS))
    return next((each * power for each in (1, 2, 5) if each * power >= span / TICKS), 10 * power)


def _axes(frame: _Frame, x_name: str) -> Iterator[str]:
    step = _step(frame.high - frame.low)
    ticks = [frame.low + step * n for n in range(round((frame.high - frame.low) / step) + 1)]
    for tick in ticks:
        y = frame.y(tick)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e7eb"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{round(tick, 10):g}</text>'
    every = max(1, math.ceil(len(frame.places) / LABELS_MOST))
    for place in list(frame.places)[::every]:
        at = f'x="{frame.x(place):.1f}" y="{HEIGHT - BOTTOM + 18}"'
        yield f'<text {at} text-anchor="middle">{escape(_short(place))}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 18}" text-anchor="middle">{escape(x_name)}</text>'


def _marks(frame: _Frame, series: Series, *, joined: bool) -> Iterator[str]:
    points = [(frame.x(place), frame.y(value)) for place, value in series.points]
    if joined and len(points) > 1:
        if frame.numeric:
            points.sort()
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{way}" fill="none" stroke-width="2"/>'
        return
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>'


def _bars(frame: _Frame, series: Series, number: int, count: int) -> Iterator[str]:
    width = frame.slot * 0.8 / count
    zero = frame.y(0)
    for place, value in series.points:
        x = LEFT + frame.slot * (frame.places[place] + 0.1) + number * width
        y = frame.y(value)
        yield f'<rect x="{x:.1f}" y="{min(y, zero):.1f}" width="{width:.1f}" height="{abs(y - zero):.1f}"/>'


def _short(name: str) -> str:
    return name if len(name) <= LABEL_CHARS else name[: LABEL_CHARS - 1] + "…"
