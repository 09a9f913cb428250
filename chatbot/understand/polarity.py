"""Reads whether a quote speaks for something or against it, and which of the two a question asks for.

Is: a list of cue words (`polarity.yaml`) with scopes, in the manner of NegEx and ConText (Chapman 2001, Harkema 2009),
with verbs of recommendation, and with the headings and lead-ins that a quote stands under. Is not: an understanding of
medicine, nor a judgement of what is right: it reads what the source says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from corpus.documents import Span

Polarity = Literal["for", "against", "neutral"]

# A recommendation counts more than a finding: "effective, but should not be used" advises against.
_ADVICE, _FINDING = 2, 1
# How far a negation reaches within its clause, in characters: about ten words, five for a second negation, three for
# "without". Source: NegEx reaches five words; recommendations put long subjects between ("No … should ever be …").
_REACH_CHARS, _DOUBLE_REACH_CHARS, _SHORT_REACH_CHARS = 80, 45, 28
# Of a text that speaks on both sides, the side that says this many times more is its polarity.
_MAJORITY = 3.0
# Longer units are read to here; no quote is near it. A question says early on what it asks.
_MAX_CHARS, _MAX_QUESTION_CHARS = 4_000, 1_000

_NEGATORS = frozenset(("negation", "short_negation", "prohibition"))
_WEIGHTS = {
    "advice_against": -_ADVICE,
    "advice_against_if_is": -_ADVICE,
    "no_good": -_FINDING,
    "no_good_if_is": -_FINDING,
    "harm_if_denied": -_FINDING,
    "advice_for": _ADVICE,
    "advice_if_is": _ADVICE,
    "act": _FINDING,
    "if_denied": _FINDING,
    "benefit": _FINDING,
}
_BAD = frozenset(("advice_against", "advice_against_if_is", "no_good", "no_good_if_is", "harm_if_denied"))
_NOT_WORDS = tuple(
    "don't doesn't didn't isn't aren't wasn't weren't hasn't haven't won't wouldn't couldn't can't".split()
)

# A sentence or a line; a full stop inside "e.g." or "1.5" ends none.
_SENTENCE = re.compile(
    r"[^\n]+?(?:[.!?](?=[\s\"'\]\d)]*(?:\s+[\w\"'(\[•*-]|\n|$))(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)|(?=\n|$))"
)
_SENTENCE_END = re.compile(r"[.!?][\"')\]\s\d]*$")
_LIST_LINE = re.compile(r"\s*(?:[-*•–]|\d+[.)])\s")
_CLAUSE_END = re.compile(
    r"[;:]\s|\s[—–-]\s|\s*—|,\s+(?:and|or|so|then|but)\s+|,\s+|\s(?:but|however|whereas|yet|while)\s+(?:is\s+|are\s+)?(?=\w)"
    r"|\sand\s+(?=(?:is|are|should|must|may|can|has|have|do|does|did|was|were|it|they|never|avoid|use|give|offer|take|not)\b)"
)
# "X is suitable; Y is not."
_ELLIPSIS = re.compile(r"\b(?:(?:is|are|was|were|do|does|did|should|must|may|can)\s+not|\w+n't|cannot)\s*[.!]?\s*$")
# A clause that begins so goes on about the subject of the one before.
_NO_SUBJECT = re.compile(
    r"\s*(?:(?:and|but|or|so|yet|nor)\s+)*(?:is|are|was|were|has|have|had|do|does|did|should|must|may|can|cannot|it|they|"
    r"this|these|its|their|not|never|no|remains?|carr\w+|caus\w+|improv\w+|reduc\w+|worsen\w*|harm\w*|lack\w*|fail\w*|"
    r"also|often|rarely|long-term|as|because|of)\b"
)
# What may stand before an instruction at the start of a clause.
_OPENING = re.compile(
    r"[\s\"'(\[•*–-]*(?:\d+[.)]\s+)?(?:(?:and|but|or|then|also|always|so|please|instead|just|otherwise|therefore|routinely|"
    r"regularly|promptly|gently|immediately|if so|clinicians|do)[\s,]+)*"
)
_DO = re.compile(r"[\s\"'(\[•*–-]*(?:(?:and|but|or|then|so|please|also|therefore|important)[\s,]+)*do\s+")
_WITH_NO = re.compile(r"\b(?:with|and|or|has|have|had|is|are|was|were)\s+no$")
_NEVER = re.compile(r"don't|never")
_FORBIDS = re.compile(r"\b(?:not|never|don't|\w+n't)\b")
# "Use is not justified" begins with a noun.
_NOUN = re.compile(r"\s+(?:is|are|was|were|of|in|may|should|must|can|has|have)\b")
_STOP = re.compile(r"(?:stop|prevent)\b")
_NEEDS_IS = frozenset(("act", "advice_if_is", "advice_against_if_is", "no_good_if_is"))
_IS = re.compile(r"\b(?:is|are|be|been|being|not|which|what|who)\s+(?:[a-z-]+\s+){0,3}$")
_AND = re.compile(r"\band\s+$")
_IS_JUST = re.compile(
    r"\b(?:is|are|be|been|being|not|it|them|which|what|who|considered)\s+(?:(?:[a-z]+ly|also|both|very|quite|most|more|too|"
    r"now|not|even|so|thus|therefore)\s+)*$|\band\s+is\s+$"
)
_MAY_BE = re.compile(r"\b(?:may|can|could|might)\s+(?:[a-z]+\s+)?be\s+(?:[a-z]+\s+)?$")
_SHOULD = re.compile(
    r"\b(?:should|must|(?:needs?|ha(?:s|ve)|ought|advised|told|best|important)\s+to|please|advis(?:es?|ed)|recommend(?:s|ed)?|suggest(?:s|ed)?)\s+(?:[a-z]+ly\s+)?$"
)
_HELPS_AVOID = re.compile(r"\b(?:(?:helps?|lets?|allows?|may|might|can|could)\s+(?:\w+\s+){0,2}?(?:to\s+)?)$")
_TO_AVOID = re.compile(
    r"\b(?:needs?|ha(?:s|ve)|ought|important|best|advised|advisable|tr(?:y|ies)|aims?|wise|told|prudent|necessary|recommended|"
    r"encouraged|reminded|sensible|is|are|what|how|things?|foods?|drugs?|medic\w+|mistakes?|pitfalls?|errors?|tests?|treatments?|"
    r"combinations?|interventions?|practices?)\s+to\s$|^\s*to\s$"
)
# Less of a bad thing is no bad thing.
_LESSENS = re.compile(
    r"reduc|lower|prevent|protect|lessen|decreas|spare|suppress|fewer|shorten|reliev|eas|treat|without|no\b"
)
# Conditions, concessions and settings that open a sentence: "If aspirin is not tolerated, …".
_LEADING = re.compile(
    r"^[\s\"'(\[•*–-]*(?:if|when|whenever|where|once|while|unless|except|although|though|despite|even|after|before|until|during|"
    r"contrary|unlike|in|for|among|with|as|because|since|formerly|on|at|to|apart)\b(?!\s*:)[^,;:]*,(?=(?:\s+[\w'-]+){2})"
)
# … or that close it: "… unless the kidneys fail".
_CONDITION = re.compile(
    r"\b(?:unless|except(?:\s+(?:in|for|when|under))?|until|provided|(?:only\s+)?(?:if|when|once(?!\s+(?:an?|daily|weekly|monthly|every|per|or|thought)\b))|although|though|"
    r"in\s+case|as\s+long\s+as|whether|where)\b(?<!^if)(?<=[\w\s]{3})[^,;]*"
)
_AFTER = re.compile(r"\bafter\b(?:(?!\s(?:is|are|was|were|should|must|may|can|do|does|did|has|have|not)\b)[^,;])*")
# "people who cannot take …": the reader of the advice, not the advice.
_WHO = re.compile(
    r"\b(?:who|whom|that)\s+(?:(?:have|has|had|do|does|did|can|could|are|is|were|was|will|not|never|cannot|can't|don't|"
    r"doesn't|didn't|haven't|hasn't|isn't|aren't|may|already|been|still)\s+)+[\w-]+(?:\s+to\b)?|\bwho\s+[\w-]+"
)
_RELATIVE = re.compile(r",\s+(?:which|who|where|whose|once)\b[^,;]*,")
_REASON = re.compile(
    r"\b(?:because|since|as\s+(?=it|they|this|the|evidence|trials?|there)|for\s+fear|due\s+to|owing\s+to)\b[^;]*"
)
# What a sentence sets aside for something else: "… rather than ibuprofen", "…, but not in pregnancy".
_EXCLUDED = re.compile(
    r"\b(?:rather\s+than|instead\s+of|as\s+opposed\s+to|in\s+place\s+of|in\s+preference\s+to)\b.*?(?=,|;|$|\s(?:is|are|should|"
    r"may|can|for|in|when|if|patients|people)\b|[.!?]\s*$)"
    r"|(?<=,)\s+(?:but\s+|and\s+)?not\s+(?:a|an|the|by|in|for|on|with|from|as|during|at|to|merely|after|before)\b[^,;]*"
    r"|\bbut\s+not\s+(?:in|for|by|on|with|during|at|after|before|to)\b[^,;]*"
)
_THAT = re.compile(r"\b(?:that|think|believe|thought|believed|assumed?|claim(?:ed)?)$")
_MYTH = re.compile(r"\b(?:myths?|misconceptions?)\b")
_ERROR = re.compile(r"\b(?:errors?|mistakes?|blunders?)\b")
_FORBIDDING = re.compile(
    r".*\b(?:not\s+to(?:\s+do)?|do\s+not|don't|don'ts|never|must\s+not|should\s+not)\b\s*(?:\w+\s*){0,3}[:.]?\s*$"
)
_NEGATIVE_WORD = re.compile(
    r"no\b|not\b|\w+n't|without|lack|fail|ineff|insuff|inadeq|inconc|un|use?less|little|of no|do(?:es|id)? nothing|never|"
    r"worthless|pointless|futile|evidence|add\w* nothing"
)
_EXCEPTION_WORD = re.compile(r"\b(?:unless|except|only\s+(?:if|when|after)|rather\s+than|instead\s+of)\b")

_SPELLINGS = {
    "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "isnt": "isn't", "arent": "aren't", "shouldnt": "shouldn't",
    "cant": "can't", "wont": "won't", "mustnt": "mustn't", "wasnt": "wasn't", "shld": "should", "shud": "should",
    "wat": "what", "wen": "when", "wich": "which", "u": "you", "can not": "cannot", "meds": "medicines",
}  # fmt: skip
_SPELLED = re.compile(r"\b(?:" + "|".join(_SPELLINGS) + r")(?![\w'])")
_QUESTION_END = re.compile(
    r"[.;?!\n]+(?:\s|$)|,\s+(?=(?:and\s+|but\s+|so\s+)?(?:what|which|who|how|when|where|why|is|are|can|should|do|does)\b)"
)
_ASKING = re.compile(
    r"\b(?:what|which|who|whom|whose|how|when|where|why|any|anything|something|list|name|tell|give|show|best|avoid)\b|what's"
)
_NESTED = re.compile(
    r"\b(?:know|tell|explain|say|understand|show)\s+(?:\w+\s+)?(?P<inner>(?:what|which|who|when|why)\b.*)"
)
_QUESTION_CONDITION = re.compile(
    r"\b(?:if|unless|because|although|since|once|while)\b[^,?]*|(?<=\w\s)when\b(?!\s+(?:should|must|is|are|can|do|does|not)\b)[^,?]*"
    r"|(?<=indicated\s)when\b[^,?]*"
)
_YES_OR_NO = re.compile(
    r"(?:and\s+|so\s+|but\s+)?(?:is|are|am|was|were|do|does|did|can|could|should|shall|will|would|may|might|has|have|isn't|aren't|"
    r"doesn't|don't|shouldn't|can't|didn't)\b(?!.*\b(?:what|which|who|how|when|where|why)\b)(?!\s+there\s+(?:any|something|"
    r"anything))(?!\s+(?:you|there)\s+(?:please\s+)?(?:list|name|tell|suggest|recommend|give))"
)
# "How can I avoid dehydration?", "what can I do to avoid another stone?"
_TO_PREVENT = re.compile(
    r"\bhow\s+(?:can|could|do|should|to|does|might|would)\b(?!.*\bnot\b).*\bavoid(?:ed|ing)?\b"
    r"|\b(?:do|take|eat|try|drink|helps?|ways?|measures?|steps?|exercises?)\s+(?:\w+\s+){0,3}to\s+avoid\b"
    r"|\bavoid\s+(?:getting|having|developing|another|catching|more|further)\b"
)
# "How should antidepressants be stopped?", "how do I stop a nosebleed?"
_HOW_TO_END = re.compile(
    r"how\s+(?:can|could|do|should|to|does|is|are)\b(?!.*\bnot\b)(?!.*n't).*\b(?:stop(?:ped)?|discontinued?|withdrawn?|limited?|"
    r"restricted?)\b"
)
_ASKED_NOT = re.compile(
    r"\b(?:what|which|when|who|how)\s+(?:\w+\s+){0,2}?(?:not|never)\s+to\b|\b(?:should|must|may|ought)\s+(?:[\w'-]+\s+){0,6}?"
    r"(?:not|never)\b|\b(?:shouldn't|mustn't)|\b(?:what|which|who|when|whom)\b.*\b(?:can't|cannot|can\s+(?:\w+\s+){0,2}not)\b"
    r"|\b(?:what|which)\b.*\b(?:cut\s+(?:out|down)|give\s+up|leave\s+(?:out|off)|limit|restrict)\b"
    r"|^(?:and\s+)?(?:why|reasons?)\s+not\b|\bnot\s+allowed\b"
    r"|\b(?:drugs?|medicines?|foods?|things?|what|which|anything)\s+to\s+(?:avoid|leave|stop|omit|limit)\b|^why\s+avoid"
    r"|\b(?:is|are)\s+(?:[\w-]+\s+){1,6}(?:harmful|dangerous|unreliable|toxic)\b"
    r"|^why\b.*(?:\bnot|n't)\s+(?:\w+\s+){0,3}(?:give|use|prescribe|recommend|offer|take)\b"
)
_HOW_MUCH = re.compile(
    r"how\s+(?:long|common|often|much|many|serious|likely|soon|fast|do\s+\w+\s+(?:know|tell|notice))\b"
)
_THING_TO_USE = re.compile(
    r"\b(?:which|what)\s+(?:\w+\s+)?(?:drugs?|medic\w+|treatments?|painkillers?|tablets?|therap\w+|remed\w+|exercises?|foods?|"
    r"vaccines?|tests?|scans?|antibiotics?|options?)\b|\bwhat\s+can\b.*\bdo\b"
)
_ASKED_FOR = re.compile(
    r"\b(?:treat\w*|manag\w+|therap\w+|remed(?:y|ies)|cure[ds]?|what\s+else|first\s+aid)\b|\b(?:when|who)\b.*\bneeds?\b"
    r"|\b(?:what|which|how|who|when)\b.*\b(?:should|can|could|may|do\s+(?:i|we|you))\s+(?:\w+\s+){0,5}?(?:do|take|use|give|try|eat|"
    r"drink|be\s+\w+|put|prescribe|remove|relieve|get\s+rid|look\s+after|care|have)\b"
    r"|\bhow\s+(?:is|are|was|were|to)\s+.*\b(?:managed|corrected|eased|removed|warmed|prevented|given|done|taken|cleaned|diagnosed)\b"
)


@dataclass(frozen=True, slots=True)
class _Cue:
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A clause that speaks for (`value` > 0) or against (< 0); offsets into the whole text, half-open.

    `carried` says that it has no subject of its own. `excluded` are the spans that it sets aside for another
    choice ("rather than ibuprofen").
    """

    start: int
    end: int
    value: int
    sentence: int
    carried: bool = False
    excluded: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a heading or lead-in makes of the text under it."""

    value: int = 0
    binding: bool = False
    myth: bool = False
    error: bool = False


def statement_polarity(text: str, context: Sequence[str] = ()) -> Polarity:
    """Return whether a quote, read under its headings and lead-ins (outermost first), advises for or against.

    Example:
        >>> statement_polarity("quinine for night cramps", ("Critical pitfalls", "Do not prescribe:"))
        'against'
        >>> statement_polarity("Pain relief should not be withheld.")
        'for'
    """
    favour, against = _sides(text, tuple(context))
    return _named(_decide(favour, against))


def question_polarity(question: str) -> Polarity:
    """Return whether a question asks what to use or do, what to avoid or why not, or neither.

    Example:
        >>> question_polarity("What should I avoid?"), question_polarity("Can I avoid surgery?")
        ('against', 'neutral')
    """
    return _asked(question[:_MAX_QUESTION_CHARS])


def polarity_bonus(question: str, text: str, context: Sequence[str] = ()) -> float:
    """Return how well a unit's polarity fits the question: 1 the side that is asked for, -1 the other, 0 none.

    A unit that holds both sides is never below 0: it holds an answer. Findings count half of advice.
    """
    asked = question_polarity(question)
    if asked == "neutral":
        return 0.0
    favour, against = _sides(text, tuple(context))
    wanted, other = (favour, against) if asked == "for" else (against, favour)
    if not wanted:
        return -min(1.0, other / _ADVICE)
    share = (wanted - other) / (wanted + other)
    return max(0.0, share) * min(1.0, wanted / _ADVICE)


def negation_spans(text: str) -> tuple[Span, ...]:
    """Return the words that turn a quote's meaning, to be emphasised: half-open code-point offsets, in order.

    Example:
        >>> text = "Quinine is no longer recommended."
        >>> [text[start:end] for start, end in negation_spans(text)]
        ['no longer']
    """
    folded = _fold(text)
    spans = [
        (cue.start, cue.end)
        for cue in _cues(folded)
        if cue.kind in _NEGATORS
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
    named = re.compile(rf"(?<!\w){re.escape(_fold(target).strip())}(?:e?s)?(?!\w)")
    places = [match.start() for match in named.finditer(_fold(text))]
    whole = statement_polarity(text, context) == "against"
    if not places:
        return whole and any(named.search(_fold(line)) for line in context)
    if _frame(tuple(context)).value < 0 and whole:
        return True
    parts = _read(text)
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


def _decide(favour: float, against: float) -> int:
    """Return the side that a text is on: one that has at least `_MAJORITY` times the other's weight, else 0."""
    if favour > against * _MAJORITY:
        return 1
    return -1 if against > favour * _MAJORITY else 0


@lru_cache(65536)
def _sides(text: str, context: tuple[str, ...]) -> tuple[float, float]:
    """Return how much a unit speaks for and against, read under its context."""
    parts = _read(text)
    advice = any(abs(part.value) >= _ADVICE for part in parts)
    # Findings beside advice only say why.
    counted = [part.value for part in parts if not advice or abs(part.value) >= _ADVICE]
    favour = float(sum(value for value in counted if value > 0))
    against = float(-sum(value for value in counted if value < 0))
    frame = _frame(context)
    if frame.value < 0:
        if re.search(r"\binstead\b", _fold(text)) and favour:
            return favour, against
        named_error = frame.error and not _SENTENCE_END.search(text)
        if not favour or frame.binding or frame.myth or named_error or not advice:
            return 0.0, favour + against or _ADVICE
    elif frame.value > 0 and not favour and not against and (frame.binding or not _SENTENCE_END.search(text)):
        return _ADVICE, 0.0
    return favour, against


@lru_cache(4096)
def _frame(context: tuple[str, ...]) -> _Frame:
    """Return what the innermost heading or lead-in that takes a side makes of the text under it."""
    for line in reversed(context):
        folded = _fold(line.strip())
        kinds = {cue.kind for cue in _cues(folded, headings=True)}
        value = _decide_parts(_read(line))
        if kinds & {"heading_against", "rebuttal"} or (not value and "prohibition" in kinds):
            value = -_ADVICE
        elif "heading_for" in kinds and value >= 0:
            value = _ADVICE
        elif not value and _FORBIDDING.match(folded):
            value = -_ADVICE
        if value:
            lead_in = folded.endswith(":")
            binding = lead_in or bool(_FORBIDDING.search(folded))
            return _Frame(value, binding, bool(_MYTH.search(folded)), bool(_ERROR.search(folded)))
    return _Frame()


def _decide_parts(parts: Sequence[_Part]) -> int:
    return _decide(sum(p.value for p in parts if p.value > 0), -sum(p.value for p in parts if p.value < 0))


@lru_cache(65536)
def _read(text: str) -> tuple[_Part, ...]:
    """Return the clauses of a text that take a side, in order."""
    folded = _fold(text[:_MAX_CHARS])
    cues = _cues(folded)
    if not cues:
        return ()
    parts: list[_Part] = []
    under = 0  # what a line that ends in ":" makes of the list below it
    for number, match in enumerate(_SENTENCE.finditer(folded)):
        start, end = match.span()
        inside = [cue for cue in cues if start <= cue.start < end]
        read = _read_sentence(folded, start, end, inside, number) if inside else []
        listed = bool(_LIST_LINE.match(folded, start))
        if under < 0 and listed:
            read = [_Part(start, end, -_ADVICE, number)]
        elif not listed:
            under = 0
        if folded[start:end].rstrip().endswith(":"):
            under = _decide_parts(read)
            if _FORBIDDING.match(folded, start):
                under = -_ADVICE
        parts += read
    return tuple(parts)


def _read_sentence(folded: str, start: int, end: int, cues: list[_Cue], number: int) -> list[_Part]:
    """Return the clauses of one sentence that take a side; asides only where nothing else does."""
    asides, reasons, excluded = _set_aside(folded, start, end)
    rebuttal = next((cue for cue in cues if cue.kind == "rebuttal"), None)
    if rebuttal:
        value = -_ADVICE
        if _THAT.search(folded, rebuttal.start, rebuttal.end):
            told = [cue for cue in cues if cue.start >= rebuttal.end]
            inner = _clauses(folded, rebuttal.end, end, told, number)
            value = _ADVICE if inner and inner[0].value < 0 else -_ADVICE
        return [_Part(start, end, value, number)]
    away = (*asides, *reasons, *excluded)
    kept = [cue for cue in cues if not any(a <= cue.start < b for a, b in away)]
    read = _clauses(folded, start, end, kept, number)
    if not read:
        kept = [cue for cue in cues if any(a <= cue.start < b for a, b in reasons)]
        read = _clauses(folded, start, end, kept, number)
    if excluded and read:
        read = [_Part(p.start, p.end, p.value, number, p.carried, excluded) for p in read]
    return _settle(folded, read)


def _set_aside(folded: str, start: int, end: int) -> tuple[tuple[Span, ...], tuple[Span, ...], tuple[Span, ...]]:
    """Return the spans of a sentence that do not carry its advice: conditions, reasons, and what it excludes."""
    sentence = folded[start:end]

    def spans(pattern: re.Pattern[str]) -> tuple[Span, ...]:
        return tuple((start + m.start(), start + m.end()) for m in pattern.finditer(sentence))

    asides = spans(_LEADING) + spans(_CONDITION) + spans(_AFTER) + spans(_RELATIVE) + spans(_WHO)
    return asides, spans(_REASON), spans(_EXCLUDED)


def _settle(folded: str, parts: list[_Part]) -> list[_Part]:
    """Let the later clause win where both speak of one subject: "effective, but dangerous"."""
    if len({p.value > 0 for p in parts}) < 2:
        return parts
    settled: list[_Part] = []
    for part in parts:
        same = settled and part.carried and part.sentence == settled[-1].sentence
        if same and settled[-1].value * part.value < 0 and abs(settled[-1].value) <= abs(part.value):
            previous = settled.pop()
            part = _Part(previous.start, part.end, part.value, part.sentence, previous.carried, part.excluded)
        settled.append(part)
    return settled


def _clauses(folded: str, start: int, end: int, cues: list[_Cue], number: int) -> list[_Part]:
    """Split a sentence into clauses and return those that take a side; the others belong to their neighbours."""
    breaks = [(m.end(), m.group()) for m in _CLAUSE_END.finditer(folded, start, end) if m.end() < end]
    parts: list[_Part] = []
    opened = left = start
    joint = ""
    for right, next_joint in (*breaks, (end, "")):
        inside = [cue for cue in cues if left <= cue.start < right]
        value = _clause_value(folded, left, right, inside) if inside else 0
        if parts and parts[-1].value < 0 and _goes_on(folded, left, joint, inside, parts[-1]):
            value = parts[-1].value
        elif not value and parts and any(cue.kind in _NEGATORS for cue in inside):
            value = -parts[-1].value if _ELLIPSIS.search(folded, left, right) else 0
        if value:
            carried = opened == left and bool(parts) and bool(_NO_SUBJECT.match(folded, left))
            parts.append(_Part(opened, right, value, number, carried))
            opened = right
        elif parts and opened == left:
            last = parts[-1]
            parts[-1] = _Part(last.start, right, last.value, number, last.carried)
            opened = right
        left, joint = right, next_joint
    return parts


def _goes_on(folded: str, left: int, joint: str, cues: list[_Cue], before: _Part) -> bool:
    """Say whether a clause is still forbidden by the one before: "… nor is B", "do not cut it, suck it or tie it"."""
    if folded.startswith("nor ", left):
        return True
    acts = bool(cues) and all(cue.kind in ("instruction", "act") for cue in cues)
    forbidden = bool(_FORBIDS.search(folded, before.start, before.end))
    return acts and forbidden and joint.strip() in (",", ", or", "or") and "instead" not in folded[left:]


def _clause_value(folded: str, left: int, right: int, cues: list[_Cue]) -> int:
    """Return what one clause says: above 0 for, below 0 against, ±2 advice, ±1 a finding, 0 nothing."""
    said: list[tuple[str, int]] = []
    negator: _Cue | None = None
    modal = -_MAX_CHARS
    advised = 0
    lessening = spent = False
    for cue in cues:
        opens = bool(_OPENING.fullmatch(folded, left, cue.start))
        if cue.kind == "modal":
            modal = cue.end
        elif cue.kind in _NEGATORS:
            forbids = _DO.fullmatch(folded, left, cue.start) or (opens and _NEVER.fullmatch(folded, cue.start, cue.end))
            if cue.kind == "negation" and (forbids or cue.start - modal < _DOUBLE_REACH_CHARS):
                cue = _Cue("prohibition", cue.start, cue.end)
            elif _WITH_NO.search(folded, left, cue.end):
                cue = _Cue("short_negation", cue.start, cue.end)  # "adults with no heart problem are treated"
            negator, spent = cue, False
        else:
            governed = negator is not None and _reaches(folded, negator, cue)
            if spent and cue.kind in (*_BAD, "undone"):
                governed = False  # "is not used to prevent harm"
            if (
                not governed
                and cue.kind in _NEEDS_IS
                and not (opens and cue.kind.startswith("advice"))
                and not (cue.kind == "act" and said and _AND.search(folded, left, cue.start))
                and not (_IS_JUST if cue.kind == "no_good_if_is" else _IS).search(folded, left, cue.start)
            ):
                continue  # "patients given the drug", "harmful fumes"
            if cue.kind == "advice_against" and not governed and _is_purpose(folded, left, cue):
                continue
            weight = _weight(folded, cue, negator if governed else None, opens, right)
            if not weight or (weight < 0 and lessening and not governed and cue.kind.startswith("no_good")):
                continue  # "prevents harm"
            if weight > 0 and not governed and said and said[-1][1] < 0 and cue.kind not in ("modal", "instruction"):
                continue  # "avoid drugs that help"
            if cue.start - modal < _DOUBLE_REACH_CHARS:
                weight = _ADVICE if weight > 0 else -_ADVICE
            if weight < 0 and said and said[-1][0] == "advice_for" and cue.start - advised < _SHORT_REACH_CHARS:
                said.pop()  # "recommends avoiding"
            said.append((cue.kind, weight))
            advised = cue.end
            lessening = weight > 0 and bool(_LESSENS.match(folded, cue.start))
            if governed and cue.kind in (*_BAD, "undone"):
                negator = None
            spent = governed and negator is not None and cue.kind != "if_denied"
    if not said:
        if negator is not None and negator.kind == "prohibition":
            return -_ADVICE
        if modal < left:
            return 0
        return -_ADVICE if negator is not None and negator.kind == "negation" else _ADVICE
    # An act that is merely told yields to what is said of it: "vitamin C given after the start has no effect".
    told = [weight for kind, weight in said if kind != "act" or weight < 0] or [weight for _, weight in said]
    strongest = max(abs(weight) for weight in told)
    total = sum(weight for weight in told if abs(weight) == strongest)
    return (strongest if total > 0 else -strongest) if total else 0


def _weight(folded: str, cue: _Cue, negator: _Cue | None, opens: bool, right: int) -> int:
    """Return what one cue says, turned by the negation that governs it."""
    match cue.kind:
        case "instruction" | "instruction_against":
            forbidden = negator is not None and negator.kind == "prohibition"
            against = cue.kind == "instruction_against"
            if negator is not None and not forbidden and _STOP.match(folded, cue.start):
                return -_FINDING  # "does not stop the pain" denies a benefit
            if _NOUN.match(folded, cue.end):
                return 0
            opens = opens and not folded.endswith("ing", cue.start, cue.end)  # "Stopping smoking helps"
            if not (opens or forbidden or (against and _SHOULD.search(folded, 0, cue.start))):
                return 0
            weight = -_ADVICE if against else _ADVICE
        case "act" if negator is None and _MAY_BE.search(folded, 0, cue.start):
            weight = _ADVICE
        case "undone":
            # "Does not prevent falls" denies a benefit; "must not prevent morphine" asks for it.
            does_good = _STOP.match(folded, cue.start) and (negator is None or negator.kind != "prohibition")
            weight = _FINDING if does_good else -_ADVICE if negator is not None else 0
        case "if_denied" | "harm_if_denied" if negator is None:
            weight = 0
        case _:
            weight = _WEIGHTS.get(cue.kind, 0)
    if negator is None:
        return weight
    if cue.kind == "advice_against" and folded.endswith("against", cue.start, cue.end):
        return weight  # "not recommended against clots"
    if weight < 0 and negator.kind != "short_negation" and _abruptly().search(folded, cue.end, right):
        return weight
    if negator.kind == "prohibition":
        weight = _ADVICE if weight > 0 else -_ADVICE if weight < 0 else 0
    return -weight


def _is_purpose(folded: str, left: int, cue: _Cue) -> bool:
    """Say whether "to avoid" tells what for ("take it with food to avoid nausea") and not what to leave off."""
    if not folded.startswith("avoid", cue.start):
        return False
    before = folded[left : cue.start]
    return (before.endswith("to ") and not _TO_AVOID.search(before)) or bool(_HELPS_AVOID.search(before))


def _reaches(folded: str, negator: _Cue, cue: _Cue) -> bool:
    """Say whether a negation governs a cue that comes after it in the same clause."""
    distance = cue.start - negator.end
    if negator.kind == "short_negation":
        # "Pain without warning signs should be …": the advice is not what is missing.
        told = cue.kind.startswith(("advice", "instruction")) or cue.kind in ("act", "if_denied")
        return distance < _SHORT_REACH_CHARS and not told
    if cue.kind in _BAD or cue.kind == "undone":
        return distance < _DOUBLE_REACH_CHARS and " and " not in folded[negator.end : cue.start]
    if cue.kind == "instruction_against" and re.search(r"\b(?:and|or)\b", folded[negator.end : cue.start]):
        return False
    return distance < _REACH_CHARS


@lru_cache(4096)
def _asked(question: str) -> Polarity:
    """Return `question_polarity`, remembered."""
    folded = _SPELLED.sub(lambda m: _SPELLINGS[m.group()], _fold(question)).strip()
    pieces = [piece.strip() for piece in _QUESTION_END.split(folded) if piece and piece.strip()]
    asking = [piece for piece in pieces if _ASKING.search(piece)] or pieces[-1:]
    if not asking:
        return "neutral"
    asked = asking[-1]
    if nested := _NESTED.search(asked):
        asked = asked[nested.start("inner") :]
    asked = _QUESTION_CONDITION.sub(" ", asked)
    if _YES_OR_NO.match(asked):
        return "neutral"
    if _TO_PREVENT.search(asked) or _HOW_TO_END.match(asked):
        return "for"
    if _ASKED_NOT.search(asked):
        return "against"
    cues = _cues(asked, headings=True)
    kinds = {cue.kind for cue in cues}
    value = sum(part.value for part in _clauses(asked, 0, len(asked), cues, 0))
    if "heading_against" in kinds or "rebuttal" in kinds or value < 0:
        return "against"
    if kinds & _NEGATORS and not value:
        # "Which painkiller does not upset the stomach?" asks for one to use; "why do I not …?" asks for a fact.
        return "for" if _THING_TO_USE.search(asked) else "neutral"
    if _HOW_MUCH.match(asked):
        return "neutral"
    return "for" if value > 0 or "heading_for" in kinds or _ASKED_FOR.search(asked) else "neutral"


def _fold(text: str) -> str:
    """Return the text in lower case with plain apostrophes, every character at its own place."""
    lowered = text.lower()
    if len(lowered) != len(text):  # "İ" becomes two characters
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.replace("’", "'").replace("ʼ", "'")


def _cues(folded: str, headings: bool = False) -> list[_Cue]:
    pattern, kinds = _lexicon(headings)
    return [
        _Cue(kind, match.start(), match.end())
        for match in pattern.finditer(folded)
        if (kind := kinds[match.lastindex or 0]) != "neither"
    ]


@cache
def _phrases() -> dict[str, list[str]]:
    import yaml

    with Path(__file__).with_name("polarity.yaml").open(encoding="utf-8") as file:
        loaded: dict[str, list[str]] = yaml.safe_load(file)
    return loaded


@cache
def _abruptly() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(_phrase(p) for p in _phrases()["abruptly"]) + r")(?!\w)")


@cache
def _lexicon(headings: bool) -> tuple[re.Pattern[str], dict[int, str]]:
    """Return one pattern for all phrases, and the kind of each of its groups.

    Phrases are gathered under their first letters, so that a word is tried against a few of them.
    """
    entries: list[tuple[str, str]] = []
    for kind, phrases in _phrases().items():
        if kind == "abruptly" or (kind.startswith("heading") and not headings):
            continue
        entries += [(variant, kind) for phrase in phrases for variant in _first_words(phrase)]
    # The longest phrase first; among equals, the order of the file.
    entries.sort(key=lambda entry: (-_length(entry[0]), -len(entry[0].partition(" ")[0])))
    tree: dict[str, dict[str, list[str]]] = {}
    kinds: dict[int, str] = {}
    for phrase, _ in entries:
        stem = _stem(phrase)
        tree.setdefault(stem[0], {}).setdefault(stem, []).append(phrase)
    named = dict(reversed(entries))
    letters = []
    for letter, stems in tree.items():
        branches = []
        for stem, phrases in stems.items():
            tails = []
            for phrase in phrases:
                kinds[len(kinds) + 1] = named[phrase]
                tails.append(f"({_phrase(phrase)[len(stem) :]})")
            branches.append(stem[1:] + "(?:" + "|".join(tails) + ")")
        letters.append(letter + "(?:" + "|".join(branches) + ")")
    return re.compile(r"\b(?:" + "|".join(letters) + r")(?![\w'])"), kinds


def _length(phrase: str) -> int:
    return sum(not slot.startswith("(") and slot != ".." for slot in phrase.split())


def _stem(phrase: str) -> str:
    return phrase.partition(" ")[0].rstrip("*")[:3]


def _first_words(phrase: str) -> list[str]:
    """Return a phrase once for each word that it may begin with."""
    head, _, rest = phrase.partition(" ")
    if head.startswith("("):
        return [*_first_words(rest), *_first_words(f"{head.strip('()')} {rest}")]
    return [f"{word} {rest}".strip() for word in _alternatives(head)]


def _alternatives(slot: str) -> list[str]:
    return [word for part in slot.split("/") for word in (_NOT_WORDS if part == "n't" else (part,))]


def _phrase(phrase: str) -> str:
    """Return the notation of `polarity.yaml` as a regular expression."""
    pattern = ""
    for slot in phrase.split():
        gap = r"[\s-]+" if pattern else ""
        if slot == "..":
            pattern += r"(?:[\s-]+[\w'-]+){0,3}?"
            continue
        words = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in _alternatives(slot.strip("()")))
        group = f"(?:{words})" if "|" in words else words
        pattern += f"(?:{gap}{group})?" if slot.startswith("(") else gap + group
    return pattern
