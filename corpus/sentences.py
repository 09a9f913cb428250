"""Sentence boundaries that survive medical prose.

Is: Punkt's rules (Kiss & Strunk 2006) with an abbreviation set of our own; no download, no training.
Is not: a splitter of lists; lines and bullets are separated before (see `outline.py`).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from corpus.documents import Span

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

# Written with a full stop inside a sentence. Units stand here because "5 mg. daily" is one sentence, and are
# undone by `_ENDS_AFTER_UNIT` where a new sentence plainly begins.
_ABBREVIATIONS = frozenset(
    "e.g i.e cf vs v viz approx ca al etc fig figs eq tab no nos vol pp p ed eds dr mr mrs ms prof st jr sr "
    "b.i.d t.i.d q.i.d b.d t.d.s q.d.s o.d p.o i.v i.m s.c p.r.n p.r q.d a.m p.m resp incl excl max min "
    "dept univ assoc ref refs sect ch suppl jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k n.b "
    "spp sp subsp var inc ltd co".split()
)
# A full stop after one of these may close a sentence or abbreviate; the next word decides.
_UNITS = frozenset("mg mcg g kg ml l dl mmol mol h hr hrs min sec d wk wks mo yr yrs iu mm cm kcal".split())
_SENTENCE_START = re.compile(r"\s+(?:[\"“‘(\[]\s*)*[A-Z][a-z]")
# A citation mark after the full stop belongs to the sentence before it: "until pain stops. [1, 2] Apply …".
_TRAILING_MARK = re.compile(r"\s*(?:\[\s*\d[\d\s,;–—-]*\]|[\"”’)\]])+")
_CLOSING = re.compile(r"(?:\s*\[[\d\s,;–—-]*\]|[\"”’)\]])+$")
_LAST_WORD = re.compile(r"[^\s/(]+$")
_VISIBLE = re.compile(r"\S")
_MIXED_CASE = re.compile(r"\s+(?:[a-z][A-Z]|[a-z]-[A-Z])")
# No abbreviation and no citation mark is longer.
_WINDOW_CHARS = 200


@cache
def _punkt() -> PunktSentenceTokenizer:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = set(_ABBREVIATIONS)
    return PunktSentenceTokenizer(parameters)


def split_sentences(text: str) -> list[Span]:
    """Return the sentences of one paragraph as half-open spans without surrounding white space.

    Every visible character lies in exactly one span. Empty text has none.

    Example:
        >>> text = "Give 5 mg/day. [1] Avoid drugs, e.g. quinine. See Fig. 2."
        >>> [text[start:end] for start, end in split_sentences(text)]
        ['Give 5 mg/day. [1]', 'Avoid drugs, e.g. quinine.', 'See Fig. 2.']
    """
    spans: list[Span] = []
    start = 0
    for _, end in _punkt().span_tokenize(text):
        end = max(end, start)
        if mark := _TRAILING_MARK.match(text, end):
            end = mark.end()
        if not _ends_sentence(text, end):
            continue
        spans.append((start, end))
        start = end
    spans.append((start, len(text)))
    return [trimmed for span in spans if (trimmed := _trim(text, *span))]


def _ends_sentence(text: str, end: int) -> bool:
    """Say whether a boundary that Punkt proposes is one: something must begin after it."""
    following = _VISIBLE.search(text, end)
    if not following:
        return True
    # The last word is all that counts; a window keeps long paragraphs from taking quadratic time.
    before = _CLOSING.sub("", text[max(0, end - _WINDOW_CHARS) : end]).rstrip(".")
    word = _LAST_WORD.search(before)
    if word and word.group().lower() in _UNITS:
        return bool(_SENTENCE_START.match(text, end))
    if word and word.group().lower() in _ABBREVIATIONS:
        return False
    if following.group().islower():
        # "pH" and "mRNA" begin sentences; a plain lower-case word goes on with the last one.
        ends_loudly = text[max(0, end - _WINDOW_CHARS) : end].rstrip()[-1:] in ("!", "?")
        return ends_loudly or bool(_MIXED_CASE.match(text, end))
    return True


def _trim(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
