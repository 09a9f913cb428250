"""Reads whether a quote speaks for something or against it, and which of the two a question asks for.

Is: a list of cue words (`polarity.yaml`) with scopes, in the manner of NegEx and ConText (Chapman 2001, Harkema 2009),
with verbs of recommendation, and with the headings and lead-ins that a quote stands under. Is not: an understanding of
medicine, nor a judgement of what is right: it reads what the source says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from chatbot.understand.polarity_clauses import decide, read_clauses
from chatbot.understand.polarity_cues import NEGATORS, find_cues, fold
from chatbot.understand.polarity_headings import Frame, leaves_off, read_frame
from chatbot.understand.polarity_questions import question_lean, question_polarity
from chatbot.understand.polarity_weights import ADVICE
from corpus.documents import Span

Polarity = Literal["for", "against", "neutral"]

__all__ = ["negation_spans", "polarity_bonus", "question_polarity", "speaks_against", "statement_polarity"]

_SENTENCE_END = re.compile(r"[.!?][\"')\]\s\d]*$")
# What speaking for something counts for, beside speaking against: see `polarity_bonus`.
_FOR_SHARE = 0.25
# Findings whose first word denies: they are emphasised, "worsens" is not.
_NEGATIVE_WORD = re.compile(
    r"no\b|not\b|\w+n't|without|lack|fail|ineff|insuff|inadeq|inconc|un|use?less|little|of no|never|"
    r"do(?:es|id)? nothing|worthless|pointless|futile|evidence|add\w* nothing"
)
# What a myth is answered with, in the same breath.
_CORRECTED = re.compile(r"\b(?:in\s+(?:fact|reality|truth)|wrong|not\s+true|false|untrue|actually)\b")
# Words that turn the rest of the sentence.
_EXCEPTION_WORD = re.compile(r"\b(?:unless|except|only\s+(?:if|when|after)|rather\s+than|instead\s+of)\b")


def statement_polarity(text: str, context: Sequence[str] = ()) -> Polarity:
    """Return whether a quote, read under its headings and lead-ins (outermost first), advises for or against.

    Example:
        >>> statement_polarity("quinine for night cramps", ("Critical pitfalls", "Do not prescribe:"))
        'against'
        >>> statement_polarity("Pain relief should not be withheld.")
        'for'
    """
    favour, against = _sides(text, tuple(context))
    return _named(decide(favour, against))


def polarity_bonus(question: str, text: str, context: Sequence[str] = ()) -> float:
    """Return how well a unit's polarity fits the question: 1 the side that is asked for, -1 the other, 0 none.

    Most texts speak for something, so that speaking for is no merit beside a question what to use, and speaking
    against is one beside a question what to avoid. A unit that holds both sides is never below 0: it holds an
    answer. Findings count half of advice.
    """
    lean = question_lean(question)
    if not lean:
        return 0.0
    favour, against = _sides(text, tuple(context))
    wanted, other = (favour, against) if lean > 0 else (against, favour)
    if not wanted:
        penalty = 1.0 if lean > 0 else _FOR_SHARE
        return -abs(lean) * penalty * min(1.0, other / ADVICE)
    share = max(0.0, (wanted - other) / (wanted + other)) * min(1.0, wanted / ADVICE)
    return abs(lean) * share * (_FOR_SHARE if lean > 0 else 1.0)


def negation_spans(text: str) -> tuple[Span, ...]:
    """Return the words that turn a quote's meaning, to be emphasised: half-open code-point offsets, in order.

    Example:
        >>> text = "Quinine is no longer recommended."
        >>> [text[start:end] for start, end in negation_spans(text)]
        ['no longer']
    """
    folded = fold(text)
    spans = [
        (cue.start, cue.end)
        for cue in find_cues(folded)
        if cue.kind in NEGATORS
        or cue.kind.startswith("advice_against")
        or cue.kind == "rebuttal"
        or (cue.kind == "no_good" and _NEGATIVE_WORD.match(folded, cue.start))
    ]
    spans += [match.span() for match in _EXCEPTION_WORD.finditer(folded)]
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def speaks_against(text: str, context: Sequence[str], target: str) -> bool:
    """Return whether the negative in a quote is about `target`, a word or phrase, whatever its case or plural.

    A target that stands only in the headings or lead-ins is what the whole quote is about; one that stands
    nowhere is not spoken against.

    Example:
        >>> text = "Quinidine is effective for cramps, quinine is no longer recommended."
        >>> speaks_against(text, (), "quinine"), speaks_against(text, (), "quinidine")
        (True, False)
    """
    named = re.compile(rf"(?<!\w){re.escape(fold(target).strip())}(?:e?s)?(?!\w)")
    places = [match.start() for match in named.finditer(fold(text))]
    whole = statement_polarity(text, context) == "against"
    if not places:
        return whole and any(named.search(fold(line)) for line in context)
    if read_frame(tuple(context)).value < 0 and whole:
        return True
    parts = read_clauses(text)
    for place in places:
        for at, part in enumerate(parts):
            if any(start <= place < end for start, end in part.excluded):
                if part.value > 0:
                    return True
                continue
            first = at
            while first and parts[first].carried and parts[first - 1].sentence == part.sentence:
                first -= 1
            if part.value < 0 and parts[first].start <= place < part.end:
                return True
    return False


def _named(value: int) -> Polarity:
    return "for" if value > 0 else "against" if value < 0 else "neutral"


def _is_false_warning(text: str, frame: Frame, favour: float, against: float) -> bool:
    """Say whether a text under a heading of myths is a warning that is rebutted, and so speaks for what it names."""
    return frame.myth and against > favour and (not frame.mixed or bool(_CORRECTED.search(fold(text))))


@lru_cache(65536)
def _sides(text: str, context: tuple[str, ...]) -> tuple[float, float]:
    """Return how much a unit speaks for and against, read under its context."""
    parts = read_clauses(text)
    advice = any(abs(part.value) >= ADVICE for part in parts)
    # Findings beside advice only say why.
    counted = [part.value for part in parts if not advice or abs(part.value) >= ADVICE]
    favour = float(sum(value for value in counted if value > 0))
    against = float(-sum(value for value in counted if value < 0))
    frame = read_frame(context)
    if frame.silent:
        return 0.0, 0.0
    if frame.value < 0:
        # "Withholding fluids" under "Mistakes", and a warning under "Myths", speak for what they name.
        if (frame.forbids and leaves_off(fold(text))) or _is_false_warning(text, frame, favour, against):
            return ADVICE, 0.0
        if re.search(r"\binstead\b", fold(text)) and favour:
            return favour, against
        named_error = frame.error and not _SENTENCE_END.search(text)
        if not favour or frame.binding or frame.myth or frame.revoked or named_error or not advice:
            return 0.0, favour + against or ADVICE
    elif frame.value > 0 and not favour and not against and (frame.binding or not _SENTENCE_END.search(text)):
        return ADVICE, 0.0
    return favour, against
