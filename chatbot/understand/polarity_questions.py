"""Reads whether a question asks what to use or do, or what to avoid, or why not.

Is: the forms of English questions over the cues of statements. Is not: whether a question is fit to be answered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from chatbot.understand.polarity_clauses import split_clauses
from chatbot.understand.polarity_cues import NEGATORS, find_cues, fold

# A question says early on what it asks; the rest is a case history.
_MAX_CHARS = 1_000

# How people write on a phone; "can not" is one word for the cue list.
_SPELLINGS = {
    "dont": "don't",
    "doesnt": "doesn't", "didnt": "didn't", "isnt": "isn't", "arent": "aren't", "shouldnt": "shouldn't",
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
    r"|^(?:and\s+)?(?:why|reasons?)\s+not\b|\bnot\s+(?:allowed|supposed|meant|permitted)\b"
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
    r"\b(?:indications?\s+(?:for|of)|treat\w*|manag\w+|therap\w+|remed(?:y|ies)|cure[ds]?|what\s+else|first\s+aid)\b|\b(?:when|who)\b.*\bneeds?\b"
    r"|\b(?:what|which|how|who|when)\b.*\b(?:should|ought|can|could|may|do\s+(?:i|we|you))\s+(?:\w+\s+){0,5}?(?:do|take|use|give|try|eat|"
    r"drink|be\s+\w+|put|prescribe|remove|relieve|get\s+rid|look\s+after|care|have)\b"
    r"|\bhow\s+(?:is|are|was|were|to)\s+.*\b(?:managed|corrected|eased|removed|warmed|prevented|given|done|taken|cleaned|diagnosed)\b"
)


# Asks for one side in so many words; "how is it treated?" is answered as well by "there is no treatment".
_ONE_SIDE = re.compile(
    r"\b(?:recommend\w*|advis\w*|should|offer(?:ed)?|prefer\w*|first|effective|safe|suitable|allowed|best|helps?|works?|can|could|"
    r"may|indicated|benefi\w*|compatible|good|used?|given?|take|appropriate|acceptable|encouraged|options?)\b"
)
# How much an open question leans to the side that it asks for. Measured on 239 consumer questions ("What are the
# treatments for …?"): leaning fully cost 3 to 15 points of reciprocal rank, leaning this much costs none.
_OPEN = 0.25


def question_polarity(question: str) -> Literal["for", "against", "neutral"]:
    """Return whether a question asks what to use or do, what to avoid or why not, or neither.

    Example:
        >>> question_polarity("What should I avoid?"), question_polarity("Can I avoid surgery?")
        ('against', 'neutral')
    """
    lean = question_lean(question)
    return "for" if lean > 0 else "against" if lean < 0 else "neutral"


@lru_cache(4096)
def question_lean(question: str) -> float:
    """Return which side a question asks for, and how plainly: -1 what to avoid, 1 what to use, 0 neither."""
    question = question[:_MAX_CHARS]
    folded = _SPELLED.sub(lambda m: _SPELLINGS[m.group()], fold(question)).strip()
    pieces = [piece.strip() for piece in _QUESTION_END.split(folded) if piece and piece.strip()]
    asking = [piece for piece in pieces if _ASKING.search(piece)] or pieces[-1:]
    if not asking:
        return 0.0
    asked = asking[-1]
    if nested := _NESTED.search(asked):
        asked = asked[nested.start("inner") :]
    asked = _QUESTION_CONDITION.sub(" ", asked)
    if _YES_OR_NO.match(asked):
        return 0.0
    if _TO_PREVENT.search(asked) or _HOW_TO_END.match(asked):
        return _OPEN
    if _ASKED_NOT.search(asked):
        return -1.0
    cues = find_cues(asked, headings=True)
    kinds = {cue.kind for cue in cues}
    value = sum(part.value for part in split_clauses(asked, 0, len(asked), cues, 0))
    if "heading_against" in kinds or "rebuttal" in kinds or value < 0:
        return -1.0
    if kinds & NEGATORS and not value:
        # "Which painkiller does not upset the stomach?" asks for one to use; "why do I not …?" asks for a fact.
        return 1.0 if _THING_TO_USE.search(asked) else 0.0
    if _HOW_MUCH.match(asked):
        return 0.0
    if value > 0 or "heading_for" in kinds or _ASKED_FOR.search(asked):
        return 1.0 if _ONE_SIDE.search(asked) else _OPEN
    return 0.0
