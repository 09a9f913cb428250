"""Draws the figures of `scale.py`: search time over the number of passages, both axes logarithmic.

Is: one SVG file of its own, readable on light and dark pages. Is not: the plots of `followup eval` (see
`chatbot/evaluation/plots.py`), whose axes are linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any

_WIDTH, _HEIGHT = 460, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 40, 34, 44
_STYLE = (
    "text{font:12px sans-serif;fill:#555}.axis{stroke:#999;fill:none}.grid{stroke:#ccc;stroke-width:.5}"
    ".s0{stroke:#1f6f8b}.s1{stroke:#c45a2a}.s2{stroke:#6b8e23}.s0t{fill:#1f6f8b}.s1t{fill:#c45a2a}.s2t{fill:#6b8e23}"
    "polyline{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}.grid{stroke:#444}}"
)


def scale_plot(rows: Sequence[dict[str, Any]]) -> str:
    """Draw milliseconds of a search, of one among 1 % of the documents, and their p95, over passages."""
    series = {
        "search p50": [(row["passages"], row["search_ms"]["p50"]) for row in rows],
        "search p95": [(row["passages"], row["search_ms"]["p95"]) for row in rows],
        "filtered to 1 %, p50": [(row["passages"], row["filtered_ms"]["0.01"]["p50"]) for row in rows],
    }
    return log_plot(series, x_label="passages", y_label="milliseconds")


def log_plot(series: dict[str, list[tuple[float, float]]], *, x_label: str, y_label: str) -> str:
    """Draw up to three named lines of (x, y) points, all above 0, on logarithmic axes of whole powers of ten."""
    points = [point for line in series.values() for point in line]
    x0, x1 = _powers([x for x, _ in points])
    y0, y1 = _powers([y for _, y in points])

    def place(x: float, y: float) -> str:
        across = (log10(x) - x0) / (x1 - x0) * (_WIDTH - _LEFT - _RIGHT)
        up = (log10(y) - y0) / (y1 - y0) * (_HEIGHT - _TOP - _BOTTOM)
        return f"{_LEFT + across:.1f},{_HEIGHT - _BOTTOM - up:.1f}"

    body = f'<path class="axis" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>'
    for power in range(x0, x1 + 1):
        x, y = place(10.0**power, 10.0**y0).split(",")
        body += f'<text x="{x}" y="{float(y) + 16:.1f}" text-anchor="middle">{10**power:,}</text>'
    for power in range(y0, y1 + 1):
        x, y = place(10.0**x0, 10.0**power).split(",")
        body += f'<path class="grid" d="M{x} {y}H{_WIDTH - _RIGHT}"/>'
        body += f'<text x="{float(x) - 6:.1f}" y="{float(y) + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    for number, (name, line) in enumerate(series.items()):
        body += f'<polyline class="s{number}" points="{" ".join(place(x, y) for x, y in line)}"/>'
        for x, y in line:
            at = place(x, y).split(",")
            body += f'<circle class="s{number}t" cx="{at[0]}" cy="{at[1]}" r="3"/>'
        body += f'<text class="s{number}t" x="{_LEFT + 130 * number}" y="16">{name}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    body += f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{x_label}</text>'
    body += f'<text transform="translate(12 {_HEIGHT / 2}) rotate(-90)" text-anchor="middle">{y_label}</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
    return f"{head}<style>{_STYLE}</style>{body}</svg>"


def _powers(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)
