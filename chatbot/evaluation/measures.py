"""What is measured about one question.

Is: pure functions from a question, its reply and its ranking to numbers, each measure named and defined once.
Is not: means and curves (see `summary.py`), two runs side by side (see `compare.py`), a page (see `report.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

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
    "verbatim": "share of replies that quote, not worded by a language model, in which every statement stands, "
    "character by character, in a passage that it cites",
    "citations_resolve": "share of replies with statements in which every statement cites, and every number "
    "cited is a passage of the reply",
    "passages_cited": "share of replies with statements in which every passage is cited",
    "statements": "statements per reply that has any",
    "passages": "passages per reply that has statements",
    "cited_precision": "share of a reply's cited documents that are relevant",
    "cited_relevant": "share of replies with statements that cite a relevant document",
    "disclaimer": "share of replies with a disclaimer",
    "must_have": "share of a question's must-have texts found in its statements and their context, upper and "
    "lower case and white space aside",
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


def rate_rankings(questions: Sequence[Question], run: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
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
    values["citations_resolve"] = float(all(row["citations"] for row in statements) and cited <= passages.keys())
    values["passages_cited"] = float(passages.keys() <= cited)
    if reply.get("mode") != "llm":
        # What a model words is checked by the gate, not by its characters.
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
        said = _plain("\n".join(part for row in statements for part in (*row.get("context", ()), row["text"])))
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
