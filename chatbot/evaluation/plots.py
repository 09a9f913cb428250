"""Three small plots as inline SVG.

Is: text made from numbers, coloured by the page's style sheet, so that it follows light and dark. Is not: a
plotting library; matplotlib's pictures are bitmaps or carry their own colours, and it takes a second to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10

# The drawing area in SVG units, with room for the axes' words.
_WIDTH, _HEIGHT = 460, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 40
_TICKS = 4


def line_plot(
    points: Sequence[tuple[float, float]], *, x_label: str, y_label: str, mark: tuple[float, float] | None = None
) -> str:
    """Draw a line through (x, y) points, x from 0 to 1, and a dot at `mark`."""
    top = _ceiling([y for _, y in points] + ([mark[1]] if mark else []))
    path = " ".join(f"{_x(x)},{_y(y / top)}" for x, y in points)
    body = f'<polyline class="line" points="{path}"/>'
    if mark:
        body += f'<circle class="mark" cx="{_x(mark[0])}" cy="{_y(mark[1] / top)}" r="5"/>'
    return _frame(body, x_label, y_label, 1.0, top)


def histogram(groups: Mapping[str, Sequence[float]], *, x_label: str, bins: int = 20) -> str:
    """Draw the shares of each group (two at most) in equal bins from 0 to 1; values outside fall in the end bins."""
    shares = {}
    for name, values in groups.items():
        counts = [0] * bins
        for value in values:
            counts[min(bins - 1, max(0, int(value * bins)))] += 1
        shares[name] = [count / len(values) for count in counts]
    top = _ceiling([share for row in shares.values() for share in row])
    body = ""
    for place, (name, row) in enumerate(shares.items()):
        width = (_x(1 / bins) - _x(0)) / len(shares)
        for number, share in enumerate(row):
            if share:
                left, height = _x(number / bins) + place * width, _y(0) - _y(share / top)
                body += (
                    f'<rect class="group{place}" x="{left:.1f}" y="{_y(share / top)}" width="{width * 0.9:.1f}" '
                    f'height="{height:.1f}"><title>{escape(name)}: {share:.1%}</title></rect>'
                )
        body += (
            f'<rect class="group{place}" x="{_LEFT + 10}" y="{_TOP + 4 + 18 * place}" width="10" height="10"/>'
            f'<text x="{_LEFT + 26}" y="{_TOP + 13 + 18 * place}">{escape(name)}</text>'
        )
    return _frame(body, x_label, "share of the group", 1.0, top)


def bar_plot(rows: Mapping[str, Sequence[tuple[str, float]]], *, unit: str) -> str:
    """Draw for each row its named values as overlaid bars from 0, the longest behind, on one linear scale."""
    top = _ceiling([value for values in rows.values() for _, value in values])
    height, label = 30, 110
    width = _WIDTH - label - 90
    body = ""
    for number, (name, values) in enumerate(rows.items()):
        y = number * height + 4
        body += f'<text x="{label - 6}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
        for place, (word, value) in sorted(enumerate(values), key=lambda row: -row[1][1]):
            body += (
                f'<rect class="shade{place}" x="{label}" y="{y}" width="{max(1, value / top * width):.1f}" height="20">'
                f"<title>{escape(word)}: {value:g} {escape(unit)}</title></rect>"
            )
        longest = max(value for _, value in values)
        body += f'<text x="{label + longest / top * width + 6:.1f}" y="{y + 15}">{longest:.4g} {escape(unit)}</text>'
    size = len(rows) * height + 8
    return f'<svg viewBox="0 0 {_WIDTH} {size}" role="img">{body}</svg>'


def _frame(body: str, x_label: str, y_label: str, right: float, top: float) -> str:
    parts = [f'<path class="axis" d="M{_LEFT} {_TOP}V{_y(0)}H{_WIDTH - _RIGHT}"/>']
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        parts.append(f'<text x="{_x(share)}" y="{_y(0) + 15}" text-anchor="middle">{share * right:g}</text>')
        parts.append(f'<text x="{_LEFT - 6}" y="{_y(share) + 4}" text-anchor="end">{share * top:.3g}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(
        f'<text transform="translate(12 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(parts)}{body}</svg>'


def _x(share: float) -> float:
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(share: float) -> float:
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def _ceiling(values: Sequence[float]) -> float:
    # The next of 1, 2, 5 × 10ⁿ, so that the ticks are numbers a person would choose.
    largest = max(values, default=0.0)
    if largest <= 0:
        return 1.0
    power = 10.0 ** floor(log10(largest))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= largest * (1 - 1e-9))
