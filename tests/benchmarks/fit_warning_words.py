"""Fit chatbot/understand/warning_words.yaml; run by hand when cases or word classes change.

    PYTHONPATH=. python tests/benchmarks/fit_warning_words.py [--hold-out NAME…] [--write]

Emergencies and ordinary messages are the files of tests/safety; every file pair weighs as many messages as it has.
A threshold is the lowest at which at most 1 % of the ordinary messages are scored an emergency (0.05 %: self-harm)
while their own file is held out. With `--hold-out` the named pairs take no part (to measure them as unseen), e.g.
"thirteenth self_harm_eighth". The files `examples_*` are for the weighed examples alone (see fit_examples.py).
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from chatbot.understand import redflags
from chatbot.understand.rule_table import load_rules

_CASES = Path(__file__).resolve().parent.parent / "safety"
_TARGET = Path(redflags.__file__).resolve().with_name("warning_words.yaml")
# Sets that nothing is fitted to: they show how new words fare.
UNSEEN = (
    *("self_harm_eleventh", "self_harm_twelfth", "unfit_ninth", "unfit_tenth", "unfit_eleventh"),
    *("premise_fifth", "premise_sixth", "premise_seventh", "twentysecond", "twentythird"),
)
# The sum of a message that reports nothing.
_NO_REPORT = -999
# A sign that one message alone holds says nothing about others.
_LEAST_MESSAGES = 2
_FALSE_ALARMS = {"emergency": 0.01, "self_harm": 0.0005}

_HEAD = """\
# What the words of a report speak for, where no rule of redflags.yaml names the picture: points -> signs.
# A word is a stem ("drip" for drips, dripping); ".pallor_" is a word class and "=sweat" a finding of redflags.yaml.
# Fitted, not written: python tests/benchmarks/fit_warning_words.py --write. Ten points are one unit of log-odds.
"""


def _messages(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for part in node.values():
            yield from _messages(part)
    elif isinstance(node, Sequence):
        for part in node:
            yield from _messages(part)


def read_cases(hold_out: Sequence[str] = ()) -> list[tuple[str, str, bool, bool]]:
    """Return (file pair, message, is an emergency, is about self-harm) for every case, less `UNSEEN` and `hold_out`."""
    rows, hold_out = [], (*UNSEEN, *hold_out)
    for file in sorted(_CASES.glob("*.yaml")):
        kind, _, pair = file.stem.partition("_")
        if kind not in ("emergency", "ordinary") or pair == "conversations" or pair.startswith(hold_out):
            continue
        table = yaml.safe_load(file.read_text("utf-8"))
        harmed = set(_messages(table.get("self_harm", ()))) if kind == "emergency" else set()
        pair = "forms" if pair == "questions" else pair
        rows += [(pair, message, kind == "emergency", message in harmed) for message in _messages(table)]
    for file in sorted(_CASES.glob("self_harm*.yaml")):
        if file.stem.startswith(hold_out):
            continue
        for kind, messages in yaml.safe_load(file.read_text("utf-8")).items():
            told = kind != "ordinary"
            rows += [(file.stem, message, told, told) for message in messages]
    return rows


def fit(signs: Sequence[Mapping[str, int]], labels: np.ndarray) -> tuple[int, dict[str, int]]:
    """Return the base and the points of each sign."""
    vectorizer = DictVectorizer()
    model = LogisticRegression(C=1.0, max_iter=5_000, class_weight="balanced")
    model.fit(vectorizer.fit_transform(signs), labels)
    points = {name: round(10 * weight) for name, weight in zip(vectorizer.feature_names_, model.coef_[0], strict=True)}
    return round(10 * model.intercept_[0]), {name: value for name, value in points.items() if value}


def score(base: int, points: Mapping[str, int], signs: Mapping[str, int]) -> int:
    """Return the sum for one message."""
    return base + sum(points.get(sign, 0) for sign in signs)


def _by_points(points: Mapping[str, int]) -> dict[int, str]:
    listed: dict[int, list[str]] = defaultdict(list)
    for name, value in points.items():
        listed[value].append(name)
    return {value: " ".join(sorted(listed[value])) for value in sorted(listed, reverse=True)}


def main() -> None:
    """Fit, print what the held-out files give, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hold-out", nargs="*", default=())
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if not _TARGET.is_relative_to(_CASES.parent.parent):
        parser.error(
            f"the rules would be read from and written to {_TARGET.parent}: put this checkout first on PYTHONPATH"
        )
    rows = read_cases(asked.hold_out)
    rules = load_rules()
    raw = [{sign: 1 for piece in redflags.find_signs(message, rules) for sign in piece} for _, message, _, _ in rows]
    held_by = Counter(sign for signs in raw for sign in signs)
    signs = [{sign: 1 for sign in found if held_by[sign] >= _LEAST_MESSAGES} for found in raw]
    pairs = np.array([pair for pair, _, _, _ in rows])
    emergency = np.array([label for _, _, label, _ in rows])
    harm = np.array([label for _, _, _, label in rows])
    table: dict[str, Any] = {}
    for name, label in (("emergency", emergency), ("self_harm", harm)):
        unseen = np.zeros(len(rows))
        for pair in sorted(set(pairs)):
            out = np.flatnonzero(pairs == pair)
            base, points = fit([signs[at] for at in np.flatnonzero(pairs != pair)], label[pairs != pair])
            unseen[out] = [score(base, points, signs[at]) if signs[at] else _NO_REPORT for at in out]
        threshold = int(np.quantile(unseen[~emergency], 1 - _FALSE_ALARMS[name])) + 1
        shown = unseen >= threshold
        for pair in sorted(set(pairs)):
            told, ordinary = shown[(pairs == pair) & label], shown[(pairs == pair) & ~emergency]
            print(
                f"{name} {pair:<24} held out: {np.sum(told):>4} of {len(told):<4} told, "
                f"{np.sum(ordinary):>3} of {len(ordinary):<4} ordinary"
            )
        print(f"{name}: threshold {threshold}, {len(rows)} messages")
        base, points = fit(signs, label)
        table[name] = {
            "threshold": threshold,
            "base": base,
            "points": _by_points(points),
        }
    if asked.write:
        _TARGET.write_text(_HEAD + yaml.safe_dump(table, sort_keys=False, width=118, allow_unicode=True), "utf-8")
        print(f"wrote {_TARGET}")


if __name__ == "__main__":
    main()
