"""Fits the gate's thresholds on labelled pairs: `python -m chatbot.answer.gate_fit tests/gate/pairs_fit.yaml`.

With `--table` it changes nothing and prints, for each file, how many statements of each class stand.

Is: a coordinate search that lets least through, then keeps most within a margin, then is strictest. Is not: run by anything else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chatbot.answer.verify import (
    DEFAULT_THRESHOLDS,
    Failure,
    Similarity,
    Source,
    SourceUnit,
    Thresholds,
    check_statement,
)
from corpus.sentences import split_sentences

_STEPS = {
    "direct": (0.4, 0.5, 0.6, 0.7, 0.8),
    "condition": (0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
    "overlap": (0.4, 0.5, 0.6, 0.7, 0.8),
    "similarity": (0.3, 0.4, 0.5, 0.6, 0.7),
}


# Of thresholds that keep about as much, the strictest: what a few statements more would gain on the fit half costs
# safety on text that nobody has seen.
_MARGIN = 0.04


@dataclass(frozen=True, slots=True)
class Pair:
    """A statement with the passage that it cites; `kind` is "supported" or what was done to it."""

    kind: str
    statement: str
    source: Source


def load_pairs(path: Path) -> list[Pair]:
    """Read pairs as `tests/gate/pairs_*.yaml` holds them."""
    import yaml

    rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return [
        Pair(kind, statement, source)
        for row in rows
        for source in (Source(1, "", units_of(row["text"])),)
        for kind, statements in row.items()
        if kind not in ("id", "text")
        for statement in statements
    ]


def units_of(text: str) -> tuple[SourceUnit, ...]:
    """Cut a plain passage into units: sentences, list items under their lead-in, headings as context."""
    units: list[SourceUnit] = []
    heading: tuple[str, ...] = ()
    lead_in = ""
    for line in text.splitlines():
        if line.startswith("- "):
            units.append(SourceUnit(line[2:], lead_in=lead_in, context=(*heading, lead_in)))
        elif line.endswith(":"):
            lead_in = line
        elif not line.endswith("."):
            heading = (line,)
        else:
            units += [SourceUnit(line[start:end], context=heading) for start, end in split_sentences(line)]
    return tuple(units)


def rates(
    pairs: Iterable[Pair], similarity: Similarity, thresholds: Thresholds = DEFAULT_THRESHOLDS
) -> Mapping[str, tuple[int, int]]:
    """Return for each kind how many statements stood, of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for pair in pairs:
        stood = not isinstance(check_statement(pair.statement, [pair.source], similarity, thresholds), Failure)
        before = counts.get(pair.kind, (0, 0))
        counts[pair.kind] = (before[0] + stood, before[1] + 1)
    return counts


def summary(counts: Mapping[str, tuple[int, int]]) -> tuple[float, float]:
    """Return the share of supported statements that stood, and of all others."""
    kept, asked = counts["supported"]
    others = [count for kind, count in counts.items() if kind != "supported"]
    return kept / asked, sum(stood for stood, _ in others) / sum(count for _, count in others)


def fit(pairs: Sequence[Pair], similarity: Similarity) -> Thresholds:
    """Return the thresholds that let least through, of those that keep most within a margin, of those the strictest."""
    best = DEFAULT_THRESHOLDS
    for name, steps in (*_STEPS.items(), *_STEPS.items()):
        tried = [replace(best, **{name: step}) for step in steps]
        scored = [(summary(rates(pairs, similarity, thresholds)), thresholds) for thresholds in tried]
        best = max(scored, key=lambda row: (-row[0][1], round(row[0][0] / _MARGIN), getattr(row[1], name)))[1]
    return best


def table(sets: Mapping[str, Sequence[Pair]], similarity: Similarity) -> str:
    """Return a Markdown table: for each class the statements that stood, of how many, by set; then the shares."""
    counts = {name: rates(pairs, similarity) for name, pairs in sets.items()}
    kinds = dict.fromkeys(
        kind for found in counts.values() for kind in sorted(found, key=lambda k: (k != "supported", k))
    )
    lines = ["| class | " + " | ".join(counts) + " |", "| --- |" + " ---: |" * len(counts)]
    for kind in kinds:
        cells = [f"{found[kind][0]} of {found[kind][1]}" if kind in found else "" for found in counts.values()]
        lines.append(f"| {kind.replace('_', ' ')} | " + " | ".join(cells) + " |")
    shares = [summary(found) for found in counts.values()]
    lines.append("| **supported kept** | " + " | ".join(f"{kept:.1%}" for kept, _ in shares) + " |")
    lines.append("| **unsupported let through** | " + " | ".join(f"{through:.1%}" for _, through in shares) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str], show: Callable[[str], None] = print) -> int:
    """Fit on the files that are named, and say what was found."""
    import platformdirs

    from chatbot.answer.compose import UnitVectors
    from index.embedding import load_embedder

    vectors = UnitVectors(load_embedder(cache=platformdirs.user_cache_path("followup")))

    def similarity(text: str, others: Sequence[str]) -> list[float]:
        made = vectors.of([text, *others])
        return [float(value) for value in made[1:] @ made[0]]

    if arguments[:1] == ["--table"]:
        show(
            table(
                {Path(name).stem.removeprefix("pairs_"): load_pairs(Path(name)) for name in arguments[1:]}, similarity
            )
        )
        return 0
    pairs = [pair for argument in arguments for pair in load_pairs(Path(argument))]
    found = fit(pairs, similarity)
    show(f"{found}\nkept {summary(rates(pairs, similarity, found))[0]:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
