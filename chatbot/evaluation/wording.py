"""How answers were worded: length, reading grade, what the gate did, tokens, cost, time to the first statement.

Is: sums over the replies of one run, so that two modes can stand side by side. Is not: a judge of whether an answer
is right (see `measures.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from chatbot.present.audience import reading_grade

# What comes before the first statement can be shown, apart from the model.
_STAGES_BEFORE = ("understand", "search", "compose")
DECISIONS = ("kept", "replaced", "dropped")


def summarise_wording(replies: Iterable[Mapping[str, Any]], ids: frozenset[str] | None = None) -> dict[str, Any]:
    """Return how the replies that have statements were worded; {} if none has. `ids` are the questions that count.

    "words_per_answer", "reading_grade" (Flesch–Kincaid) and "first_statement_ms" are {"mean", "p50", "p95"};
    "gate" counts what became of the model's statements, "reasons" the check that they fell by, "faults" why quotes
    stood in for the model. Tokens and cost are sums, cost in the money that the prices were given in.
    """
    words: list[float] = []
    grades: list[float] = []
    first: list[float] = []
    statements = 0
    modes: Counter[str] = Counter()
    decisions: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    faults: Counter[str] = Counter()
    read = written = 0
    cost = 0.0
    for reply in replies:
        said = [row["text"] for row in reply.get("statements", ())]
        if not said or (ids is not None and reply["id"] not in ids):
            continue
        statements += len(said)
        words.append(sum(len(text.split()) for text in said))
        grades.append(reading_grade("\n".join(said)))
        first.append(first_statement_ms(reply.get("timings_ms", {})))
        modes[reply.get("mode", "extractive")] += 1
        verification = reply.get("verification") or {}
        decisions.update({name: verification.get(name, 0) for name in DECISIONS})
        for row in verification.get("decisions", ()):
            if row["check"]:
                reasons.setdefault(row["check"], Counter())[row["decision"]] += 1
        if verification.get("fault"):
            faults[verification["fault"]] += 1
        read += verification.get("tokens", {}).get("read", 0)
        written += verification.get("tokens", {}).get("written", 0)
        cost += verification.get("cost", 0.0)
    if not words:
        return {}
    asked = sum(decisions.values())
    return {
        "answers": len(words),
        "modes": dict(sorted(modes.items())),
        "statements_per_answer": round(statements / len(words), 3),
        "words_per_answer": _spread(words),
        "reading_grade": _spread(grades),
        "first_statement_ms": _spread(first),
        "gate": {
            **{name: decisions[name] for name in DECISIONS},
            "kept_share": round(decisions["kept"] / asked, 4) if asked else None,
            "reasons": {
                check: {name: reasons[check][name] for name in DECISIONS[1:]}
                for check in sorted(reasons, key=lambda name: (-sum(reasons[name].values()), name))
            },
            "faults": dict(faults.most_common()),
        },
        "tokens": {"read": read, "written": written},
        "cost": round(cost, 6),
    }


def first_statement_ms(timings: Mapping[str, float]) -> float:
    """Return the time from the question to the first statement that may be shown.

    With a model that is what came before it and the model's own time to its first checked statement; quotes are
    shown when all are chosen. Where the model gave nothing, the quotes came at the end.
    """
    if timings.get("first_statement"):
        return sum(timings.get(stage, 0.0) for stage in _STAGES_BEFORE) + timings["first_statement"]
    if "wording" in timings or not any(stage in timings for stage in _STAGES_BEFORE):
        return float(timings.get("total", 0.0))
    return sum(timings.get(stage, 0.0) for stage in _STAGES_BEFORE)


def _spread(values: list[float]) -> dict[str, float]:
    middle, high = np.percentile(values, [50, 95])
    return {
        name: round(float(value), 2)
        for name, value in (("mean", sum(values) / len(values)), ("p50", middle), ("p95", high))
    }
