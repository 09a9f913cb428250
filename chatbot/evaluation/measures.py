"""What is measured: per question first, then means over groups of questions.

Is: pure functions from questions, replies and rankings to numbers, each measure named and defined once. Is not:
the comparison of two runs (see `compare.py`) nor words for a page (see `report.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from chatbot.evaluation.questions import Question

RETRIEVAL = ("nDCG@10", "nDCG@5", "RR@10", "P@1", "R@5", "R@10", "R@100")
DECISIONS = ("answered_answerable", "answered_unanswerable", "outcome_as_expected")
STATEMENTS = (
    "verbatim",
    "citations_resolve",
    "passages_cited",
    "statements",
    "passages",
    "cited_precision",
    "cited_relevant",
    "disclaimer",
)
REFERENCES = ("must_have", "must_have_answered", "rougeL_f1", "rougeL_precision", "rougeL_recall")
FOLLOW_UPS = ("rewritten",)
GROUPS = {
    "retrieval": RETRIEVAL,
    "decisions": DECISIONS,
    "statements": STATEMENTS,
    "references": REFERENCES,
}

# What each number is, in words that are enough to compute it again from replies.jsonl and run.trec.
DEFINITIONS: dict[str, str] = {
    "nDCG@10": "normalised discounted cumulative gain of the first 10 documents, gain = grade, log2 discount",
    "nDCG@5": "the same of the first 5 documents",
    "RR@10": "1 / rank of the first relevant document, 0 beyond rank 10; its mean is MRR@10",
    "P@1": "1 if the first document is relevant",
    "R@5": "share of the relevant documents among the first 5",
    "R@10": "share of the relevant documents among the first 10",
    "R@100": "share of the relevant documents among the first 100",
    "answered_answerable": "share of answerable questions that got statements",
    "answered_unanswerable": "share of unanswerable questions that got statements; lower is better",
    "outcome_as_expected": "share of questions with `expect` whose outcome is it",
    "verbatim": "share of replies with statements in which every statement stands, character by character, in a "
    "passage that it cites",
    "citations_resolve": "share of replies with statements in which every statement cites, and every number cited "
    "is a passage of the reply",
    "passages_cited": "share of replies with statements in which every passage is cited",
    "statements": "statements per reply that has any",
    "passages": "passages per reply that has statements",
    "cited_precision": "share of a reply's cited documents that are relevant",
    "cited_relevant": "share of replies with statements that cite a relevant document",
    "disclaimer": "share of replies with a disclaimer",
    "must_have": "share of a question's must-have texts found in its statements and their context, upper and lower "
    "case and white space aside",
    "must_have_answered": "the same, over replies with statements",
    "rougeL_f1": "ROUGE-L F1 (stemmed) of the statements against the best of the reference answers",
    "rougeL_precision": "ROUGE-L precision of the same",
    "rougeL_recall": "ROUGE-L recall of the same",
    "rewritten": "share of questions whose standalone question is not the question as asked",
    "AUROC": "chance that an answerable question has a higher confidence than an unanswerable one, ties half",
    "AP": "average precision of answerable questions when sorted by confidence",
    "AURC": "mean risk over all coverages when the most confident questions are answered first",
}


@dataclass(frozen=True, slots=True)
class Rating:
    """One question's reply in numbers; `values` holds only the measures that apply to it."""

    id: str
    tags: tuple[str, ...]
    depth: int
    answerable: bool | None
    outcome: str | None
    answered: bool | None
    confidence: float | None
    values: Mapping[str, float]
    timings_ms: Mapping[str, float]


def rate(
    questions: Sequence[Question],
    replies: Iterable[Mapping[str, Any]],
    run: Mapping[str, Mapping[str, float]],
) -> tuple[Rating, ...]:
    """Rate each reply that belongs to one of `questions`; `run` is question id -> document id -> score."""
    by_id = {question.id: question for question in questions}
    retrieval = rate_rankings(questions, run)
    ratings = []
    for reply in replies:
        question = by_id.get(reply["id"])
        if question is None:
            continue
        answered = bool(reply.get("statements")) if "statements" in reply else None
        if answered is None and reply.get("outcome") is not None:
            answered = reply["outcome"] == "answer"
        values = dict(retrieval.get(question.id, {}))
        values |= _rate_decision(question, reply.get("outcome"), answered)
        values |= _rate_statements(question, reply) if "statements" in reply else {}
        values |= _rate_references(question, reply) if "statements" in reply else {}
        values["rewritten"] = float(_plain(reply.get("standalone_question", "")) != _plain(question.question))
        ratings.append(
            Rating(
                id=question.id,
                tags=question.tags,
                depth=question.depth,
                answerable=question.answerable,
                outcome=reply.get("outcome"),
                answered=answered,
                confidence=reply.get("confidence"),
                values=values,
                timings_ms=reply.get("timings_ms", {}),
            )
        )
    return tuple(ratings)


def rate_rankings(
    questions: Sequence[Question], run: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Return question id -> measure -> value for the questions that have a relevant document.

    A question without a line in the run scores 0. Source: Järvelin & Kekäläinen 2002 (nDCG), Voorhees 1999
    (reciprocal rank), computed by ir-measures (MacAvaney et al. 2022) with trec_eval's code.
    """
    import ir_measures

    qrels = {question.id: dict(question.relevant) for question in questions if question.relevant_ids}
    if not qrels:
        return {}
    values = {question_id: dict.fromkeys(RETRIEVAL, 0.0) for question_id in qrels}
    measures = [ir_measures.parse_measure(name) for name in RETRIEVAL]
    scored = {question_id: dict(run[question_id]) for question_id in qrels if question_id in run}
    for metric in ir_measures.iter_calc(measures, qrels, scored):
        values[metric.query_id][str(metric.measure)] = metric.value
    return values


def means(ratings: Sequence[Rating], names: Iterable[str]) -> dict[str, Any]:
    """Return name -> mean over the ratings that have it, and under "n" how many those are.

    Example: `{"nDCG@10": 0.91, "n": {"nDCG@10": 120}}`; a measure that applies to no rating is left out.
    """
    row: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for name in names:
        found = [rating.values[name] for rating in ratings if name in rating.values]
        if found:
            row[name] = round_value(sum(found) / len(found))
            counts[name] = len(found)
    return {**row, "n": counts} if row else {}


def summarise(ratings: Sequence[Rating]) -> dict[str, Any]:
    """Return every measure over all questions, by tag, by turn depth, for follow-ups and for abstention."""
    every = tuple(name for names in GROUPS.values() for name in names)
    tags = sorted({tag for rating in ratings for tag in rating.tags})
    depths = sorted({rating.depth for rating in ratings})
    summary: dict[str, Any] = {name: means(ratings, names) for name, names in GROUPS.items()}
    summary["abstention"] = summarise_abstention(ratings)
    summary["follow_up"] = _summarise_follow_ups(ratings)
    summary["by_tag"] = {tag: means([row for row in ratings if tag in row.tags], every) for tag in tags}
    summary["by_depth"] = {
        str(depth): means([row for row in ratings if row.depth == depth], every) for depth in depths
    }
    summary["latency_ms"] = summarise_latency(ratings)
    return summary


def summarise_written_out(
    questions: Sequence[Question], ratings: Sequence[Rating], written_out: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Compare each follow-up with the same question written out in full.

    `written_out` is `rate_rankings` of the reference run. Returns "overall", "by_tag" and "by_depth", each with
    a measure -> {"asked", "written_out", "ratio"} and "n"; the ratio of the means is 1 when nothing was lost.
    """
    paired = [rating for rating in ratings if rating.id in written_out]

    def compare(rows: Sequence[Rating]) -> dict[str, Any]:
        result: dict[str, Any] = {"n": len(rows)}
        for name in RETRIEVAL:
            asked = sum(row.values[name] for row in rows) / len(rows)
            reference = sum(written_out[row.id][name] for row in rows) / len(rows)
            result[name] = {
                "asked": round_value(asked),
                "written_out": round_value(reference),
                "ratio": round_value(asked / reference) if reference else None,
            }
        return result

    if not paired:
        return {}
    tags = sorted({tag for row in paired for tag in row.tags})
    depths = sorted({row.depth for row in paired})
    return {
        "overall": compare(paired),
        "by_tag": {tag: compare([row for row in paired if tag in row.tags]) for tag in tags},
        "by_depth": {str(depth): compare([row for row in paired if row.depth == depth]) for depth in depths},
    }


def summarise_abstention(ratings: Sequence[Rating]) -> dict[str, Any]:
    """Return how well `confidence` tells answerable questions from unanswerable ones.

    Over the ratings with a confidence and a known answerability. Empty when there are none.
    """
    known = [row for row in ratings if row.confidence is not None and row.answerable is not None]
    if not known:
        return {}
    scores = np.array([row.confidence for row in known], dtype=float)
    positive = np.array([row.answerable for row in known], dtype=bool)
    wrong = np.array([not row.answerable or row.values.get("P@1") == 0.0 for row in known], dtype=bool)
    curve, area = risk_coverage(scores, positive, wrong)
    result: dict[str, Any] = {"answerable": int(positive.sum()), "unanswerable": int((~positive).sum())}
    if positive.any() and not positive.all():
        result["AUROC"] = round_value(auroc(scores, positive))
        result["AP"] = round_value(average_precision(scores, positive))
    result["AURC"] = round_value(area)
    result["risk_coverage"] = curve
    answered = np.array([bool(row.answered) for row in known])
    if any(row.answered is not None for row in known):
        result["at_default_threshold"] = {
            "coverage": round_value(answered.mean()),
            "risk": round_value(wrong[answered].mean()) if answered.any() else None,
        }
    return result


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under the ROC curve, ties counted half; both classes must be there.

    Source: Hanley & McNeil 1982, the Mann–Whitney statistic with mid-ranks.
    """
    _, groups, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - (sizes - 1) / 2
    n_positive = int(positive.sum())
    rank_sum = middle[groups][positive].sum()
    pairs = n_positive * (len(scores) - n_positive)
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / pairs)


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores, highest first; one positive at least must be there.

    Source: Manning, Raghavan & Schütze 2008, section 8.4, without interpolation; tied scores enter together.
    """
    order, ends = _falling(scores)
    hits = np.cumsum(positive[order])[ends]
    recall_gained = np.diff(hits, prepend=0) / positive.sum()
    return float((recall_gained * hits / (ends + 1)).sum())


# Points of the curve that metrics.json keeps; more would not be seen in a plot.
_CURVE_POINTS = 101


def risk_coverage(
    scores: np.ndarray, positive: np.ndarray, wrong: np.ndarray
) -> tuple[list[dict[str, float]], float]:
    """Return the risk–coverage curve, from the strictest threshold down, and the area under it.

    At each threshold the questions with a confidence at or above it are answered; coverage is their share, risk
    the share of them that is wrong: unanswerable, or the first document is not relevant. Questions with equal
    confidence enter together. Source: El-Yaniv & Wiener 2010; Geifman, Uziel & El-Yaniv 2019 (area).
    """
    order, ends = _falling(scores)
    answered = ends + 1
    risk = np.cumsum(wrong[order])[ends] / answered
    area = float((risk * np.diff(answered, prepend=0)).sum() / len(scores))
    hits = np.cumsum(positive[order])[ends]
    n_positive = max(1, int(positive.sum()))
    n_negative = max(1, int((~positive).sum()))
    kept = np.unique(np.linspace(0, len(ends) - 1, min(_CURVE_POINTS, len(ends))).round().astype(int))
    points = [
        {
            "threshold": round_value(scores[order][ends[point]]),
            "coverage": round_value(answered[point] / len(scores)),
            "risk": round_value(risk[point]),
            "answered_answerable": round_value(hits[point] / n_positive),
            "answered_unanswerable": round_value((answered[point] - hits[point]) / n_negative),
        }
        for point in kept
    ]
    return points, area


def _falling(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # The order of falling scores, and the last position of each run of equal ones.
    order = np.argsort(-scores, kind="stable")
    changes = np.flatnonzero(np.diff(scores[order])) if len(scores) > 1 else np.array([], dtype=int)
    return order, np.append(changes, len(scores) - 1)


def summarise_latency(ratings: Sequence[Rating]) -> dict[str, dict[str, float]]:
    """Return stage -> p50, p95, p99, max and mean of `timings_ms`, in milliseconds, linearly interpolated."""
    stages = dict.fromkeys(stage for rating in ratings for stage in rating.timings_ms)
    result = {}
    for stage in stages:
        times = [rating.timings_ms[stage] for rating in ratings if stage in rating.timings_ms]
        p50, p95, p99 = np.percentile(times, [50, 95, 99])
        row = {"p50": p50, "p95": p95, "p99": p99, "max": max(times), "mean": sum(times) / len(times)}
        result[stage] = {name: round(float(value), 3) for name, value in row.items()}
    return result


def round_value(value: Any) -> float:
    """Return a plain float with six decimals: more would be noise, and machines would differ in them."""
    return round(float(value), 6)


def _summarise_follow_ups(ratings: Sequence[Rating]) -> dict[str, Any]:
    first = means([row for row in ratings if row.depth == 0], (*RETRIEVAL, *FOLLOW_UPS))
    later = means([row for row in ratings if row.depth > 0], (*RETRIEVAL, *FOLLOW_UPS))
    if not later:
        return {}
    ratio = {
        name: round_value(later[name] / first[name])
        for name in RETRIEVAL
        if first.get(name) and name in later
    }
    return {"first": first, "later": later, "later_to_first": ratio}


def _rate_decision(question: Question, outcome: str | None, answered: bool | None) -> dict[str, float]:
    values = {}
    if answered is not None and question.answerable is not None:
        name = "answered_answerable" if question.answerable else "answered_unanswerable"
        values[name] = float(answered)
    if question.expect is not None and outcome is not None:
        values["outcome_as_expected"] = float(outcome == question.expect)
    return values


def _rate_statements(question: Question, reply: Mapping[str, Any]) -> dict[str, float]:
    values = {"disclaimer": float(bool(str(reply.get("disclaimer", "")).strip()))}
    statements = reply["statements"]
    if not statements:
        return values
    passages = {passage["number"]: passage for passage in reply.get("passages", ())}
    cited = {number for statement in statements for number in statement["citations"]}
    values["statements"] = float(len(statements))
    values["passages"] = float(len(passages))
    values["citations_resolve"] = float(
        all(row["citations"] for row in statements) and cited <= passages.keys()
    )
    values["passages_cited"] = float(passages.keys() <= cited)
    values["verbatim"] = float(
        all(
            any(row["text"] in passages[number]["text"] for number in row["citations"] if number in passages)
            for row in statements
        )
    )
    relevant = question.relevant_ids
    documents = {passages[number]["document_id"] for number in cited if number in passages}
    if relevant:
        values["cited_relevant"] = float(bool(documents & relevant))
        if documents:
            values["cited_precision"] = len(documents & relevant) / len(documents)
    return values


def _rate_references(question: Question, reply: Mapping[str, Any]) -> dict[str, float]:
    values: dict[str, float] = {}
    statements = reply["statements"]
    if question.must_have:
        said = _plain(
            "\n".join(part for row in statements for part in (*row.get("context", ()), row["text"]))
        )
        share = sum(_contains(said, text) for text in question.must_have) / len(question.must_have)
        values["must_have"] = share
        if statements:
            values["must_have_answered"] = share
    if question.reference_answers and statements:
        answer = "\n".join(row["text"] for row in statements)
        values |= _rouge_l(answer, question.reference_answers)
    return values


def _rouge_l(answer: str, references: Sequence[str]) -> dict[str, float]:
    # Source: Lin 2004, by Google's rouge-score; of several references the one with the highest F1 counts.
    best = _rouge_scorer().score_multi(list(references), answer)["rougeL"]
    return {"rougeL_f1": best.fmeasure, "rougeL_precision": best.precision, "rougeL_recall": best.recall}


@cache
def _rouge_scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _contains(said: str, wanted: str) -> bool:
    # A number must not be part of a longer one: "5 mg" does not stand in "15 mg" nor in "1.5 mg".
    wanted = _plain(wanted)
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    after = r"(?![.,]?\d)" if wanted[-1:].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, said) is not None
