"""The sentences of ours that travel with a reply: what a reader must know beside the quotes.

Is: every notice in one order, gravest first, and our words for each reason to abstain. Is not: part of any quote.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from chatbot.present.conflicts import conflict_notices, find_conflicts
from chatbot.present.currency import currency_notices
from chatbot.present.doses import calculation_notice
from chatbot.present.population_mentions import Population
from chatbot.present.populations import population_notices
from chatbot.replies import AbstentionReason, CitedPassage, Notice, Statement, Turn
from chatbot.understand.examples import WeighedExamples
from chatbot.understand.premises import is_premise_question
from chatbot.understand.privacy import find_personal_data, was_personal
from corpus.documents import Document

# Grade 6 or less, for every reader.
ABSTENTIONS: dict[AbstentionReason, str] = {
    "nothing_near": "The indexed articles do not answer this question. No answer was made up.",
    "unknown_term": "The indexed articles say nothing about {terms}. No answer was made up.",
    "off_topic": "This tool answers from health articles only. They say nothing about this.",
    "unfit_request": "This tool does not help with that.",
    "small_talk": "This is software, not a person. It answers health questions by quoting its articles. Ask one.",
}


def question_notices(
    question: str, turns: Sequence[Turn] = (), *, examples: WeighedExamples | None = None
) -> tuple[Notice, ...]:
    """Return what must be said about the question itself, whatever is found; of personal details only once.

    `examples` may notice a claim that the constructions of `premises.py` do not.
    """
    found: list[Notice] = []
    if find_personal_data(question) and not any(turn.role == "user" and was_personal(turn.content) for turn in turns):
        found.append(
            Notice(
                "personal_data",
                "Your question seems to hold personal details. Please leave out names, dates of birth and numbers. "
                "They are masked before anything is kept.",
            )
        )
    if calculation := calculation_notice(question):
        found.append(calculation)
    scores = examples.scores(question) if examples else None
    if is_premise_question(question) or (scores and scores.premise >= 0):
        found.append(
            Notice("premise", "Your question may rest on a claim. See what the sources say, and judge for yourself.")
        )
    return tuple(found)


def answer_notices(
    statements: Sequence[Statement],
    passages: Sequence[CitedPassage],
    documents: Sequence[Document],
    populations: AbstractSet[Population],
    *,
    today: datetime.date,
    max_age_years: int,
) -> tuple[Notice, ...]:
    """Return what must be said about the quotes, gravest first; `documents` are those of `passages`, in order."""
    if not statements:
        return ()
    found = list(currency_notices(passages, today, max_age_years=max_age_years))
    found += conflict_notices(find_conflicts(statements, passages), statements, passages)
    found += population_notices(populations, statements, passages)
    found += _both_sides(statements)
    found += _dangling(statements, passages, documents)
    if any("check_numbers" in passage.flags for passage in passages):
        found.append(
            Notice("check_numbers", "The file did not show all numbers clearly. Check each number in the source.")
        )
    found += _review(passages)
    return tuple(found)


def _review(passages: Sequence[CitedPassage]) -> list[Notice]:
    pending = [passage for passage in passages if passage.review_status in ("submitted", "under_review")]
    if not pending:
        return []
    which = " ".join(f"[{passage.number}]" for passage in pending)
    return [Notice("pending_review", f"No clinician has yet approved the article behind {which}. Use it with care.")]


def _both_sides(statements: Sequence[Statement]) -> list[Notice]:
    sides = {statement.polarity for statement in statements}
    if not {"for", "against"} <= sides:
        return []
    return [Notice("both_sides", "Some quotes speak for something and some against. Look for the word “not”.")]


def _dangling(
    statements: Sequence[Statement], passages: Sequence[CitedPassage], documents: Sequence[Document]
) -> list[Notice]:
    by_number = dict(zip((passage.number for passage in passages), documents, strict=True))
    found = []
    for position, statement in enumerate(statements, 1):
        document = by_number[statement.citations[0]]
        cited = document.cited_numbers(statement.start, statement.end)
        if missing := [number for number in cited if document.references and document.reference(number) is None]:
            numbers = ", ".join(map(str, missing))
            found.append(
                Notice(
                    "dangling_citation",
                    f"Quote {position} names source {numbers}, but its article lists no such source.",
                )
            )
    return found
