"""A benchmark, or two compared, as tables for people: Markdown, and a page with a plot.

Is: text made from what `run.py` and `figures.compare` return. Is not: a place where a number is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from chatbot.bench.figures import BY_NAME, MEASURES
from chatbot.bench.run import OURS
from chatbot.evaluation.plots import bar_plot

Spread = Mapping[str, float]
# A table: its column names and its rows, the first cell of each a label.
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


def as_markdown(metrics: Mapping[str, Any]) -> str:
    """Return `report.md`: the table, what each side does, and what each measure is."""
    parts = ["# Benchmark", _headline(metrics), _markdown_table(figures_table(metrics))]
    parts += [f"- {_title(measure)}: {words}" for measure, words in _shown_definitions(metrics)]
    head, lines = "\n\n".join(parts[:3]), "\n".join(parts[3:])
    sides = "\n".join(f"- {name}: {words}" for name, words in metrics["what"].items())
    return f"{head}\n\n## The sides\n\n{sides}\n\n## The measures\n\n{lines}\n"


def as_page(metrics: Mapping[str, Any]) -> str:
    """Return `report.html`: the same with a plot of the ratios, self-contained."""
    style = files("chatbot.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    body = [f"<h1>Benchmark</h1><p>{escape(_headline(metrics))}</p>", _html_table(figures_table(metrics))]
    for name, found in metrics["ratios"].items():
        rows = {_title(measure): [("median of the runs", row["median"])] for measure, row in found.items()}
        body.append(
            f"<figure>{bar_plot(rows, unit='×')}<figcaption>How many times better than {escape(name)}; "
            "1 is as good.</figcaption></figure>"
        )
    body.append("<h2>The sides</h2><dl>")
    body += [f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in metrics["what"].items()]
    body.append("</dl><h2>The measures</h2><dl>")
    body += [f"<dt>{escape(_title(name))}</dt><dd>{escape(words)}</dd>" for name, words in _shown_definitions(metrics)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Benchmark</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<style>\n{style}</style></head><body>\n" + "\n".join(body) + "</dl>\n</body></html>\n"
    )


def figures_table(metrics: Mapping[str, Any]) -> Table:
    """Return a row for each measure: each side's median with its smallest and largest, and the ratio to each other."""
    sides = metrics["sides"]
    others = [name for name in sides if name != OURS]
    columns = ["", *sides, *(f"times better than {name}" for name in others)]
    rows = []
    for measure in MEASURES:
        cells = [_spread(figures.get(measure.name), measure.unit) for figures in sides.values()]
        cells += [_spread(metrics["ratios"][name].get(measure.name), "×") for name in others]
        if any(cells):
            rows.append([measure.title, *cells])
    return columns, rows


def comparison_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each measure of `figures.compare`, regressions marked."""
    columns = ["", "side", "old", "new", "times better", ""]
    return columns, [
        [
            _title(row["measure"]),
            row["side"],
            _spread(row["old"], _unit(row)),
            _spread(row["new"], _unit(row)),
            f"{row['times_better']:.2f}",
            "regression" if row["regression"] else "",
        ]
        for row in rows
    ]


def as_text(table: Table) -> str:
    """Return a table for a terminal: columns of equal width, the first to the left."""
    columns, rows = table
    lines = [list(columns), *map(list, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]

    def line_of(cells: Sequence[str]) -> str:
        first, *rest = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return "  ".join([first.strip().ljust(widths[0]), *rest]).rstrip()

    return "\n".join(map(line_of, lines))


def _headline(metrics: Mapping[str, Any]) -> str:
    corpus, machine = metrics["corpus"], metrics["machine"]
    sampled = " (a sample)" if corpus["sampled"] else ""
    return (
        f"{corpus['documents']:,} documents{sampled}, {corpus['words']:,} words; {metrics['questions']['timed']} questions "
        f"timed, {metrics['questions']['judged']} judged; {metrics['runs']} runs, the sides one after the other in each; "
        f"{machine['cores']} cores, {machine['system']}, load {machine['load_before']} before. "
        "Median, smallest and largest of the runs."
    )


def _shown_definitions(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    shown = {name for figures in metrics["sides"].values() for name in figures}
    return [(name, words) for name, words in metrics["definitions"].items() if name in shown]


def _title(name: str) -> str:
    return BY_NAME[name].title


def _unit(row: Mapping[str, Any]) -> str:
    return "×" if row["side"].startswith("against ") else BY_NAME[row["measure"]].unit


def _spread(found: Spread | None, unit: str) -> str:
    if not found:
        return ""
    values = [_short(found[name]) for name in ("median", "low", "high")]
    middle = f"{values[0]} {unit}".strip()
    return middle if values[1] == values[2] else f"{middle} ({values[1]}–{values[2]})"


def _short(value: float) -> str:
    """Return three significant digits, and whole numbers whole."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def _markdown_table(table: Table) -> str:
    columns, rows = table
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _html_table(table: Table) -> str:
    columns, rows = table
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
