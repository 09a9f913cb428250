"""Which replies a person should look at first.

Is: an order of faults, the gravest first, each with the reason in words. Is not: a measure.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatbot.evaluation.measures import Rating
from chatbot.evaluation.questions import Question


def worst_first(questions: Sequence[Question], ratings: Sequence[Rating]) -> list[tuple[Rating, str]]:
    """Return the ratings with a fault and what the fault is, the gravest first, then in the questions' order."""
    by_id = {question.id: question for question in questions}
    found = [(rating, _fault(by_id[rating.id], rating)) for rating in ratings]
    faulty = [(rating, fault) for rating, fault in found if fault is not None]
    faulty.sort(key=lambda row: (row[1][0], row[1][1]))
    return [(rating, fault[2]) for rating, fault in faulty]


def _fault(question: Question, rating: Rating) -> tuple[int, float, str] | None:
    # (gravity, order within it, words): first broken promises, then harm, then what is merely not found.
    values, confidence = rating.values, rating.confidence or 0.0
    if values.get("citations_resolve") == 0.0:
        return 0, 0.0, "a citation leads nowhere"
    if values.get("verbatim") == 0.0:
        return 1, 0.0, "a statement does not stand in its source"
    if values.get("disclaimer") == 0.0:
        return 2, 0.0, "no disclaimer"
    if question.expect == "emergency" and values.get("outcome_as_expected") == 0.0:
        return 3, 0.0, f"an emergency was expected, the outcome is {rating.outcome}"
    if values.get("answered_unanswerable") == 1.0:
        return 4, -confidence, "answered, though nothing in the index answers it"
    if values.get("outcome_as_expected") == 0.0:
        return 5, 0.0, f"expected {question.expect}, the outcome is {rating.outcome}"
    if values.get("answered_answerable") == 0.0:
        return 6, confidence, "not answered, though the index answers it"
    if values.get("cited_relevant") == 0.0:
        return 7, -confidence, "no relevant document is cited"
    if values.get("nDCG@10", 1.0) < 1.0:
        return 8, values["nDCG@10"], f"nDCG@10 is {values['nDCG@10']:.3f}"
    if values.get("must_have", 1.0) < 1.0:
        return 9, values["must_have"], f"holds {values['must_have']:.0%} of what it must have"
    return None
