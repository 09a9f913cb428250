"""Sentence boundaries that survive medical prose.

Is: the rules of Punkt (Kiss & Strunk 2006) for a text that it was not trained on, with an abbreviation set of our own;
a few regular expressions, because the library that has them takes seconds to import. Is not: a splitter of lists;
lines and bullets are separated before (see `outline.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from corpus.documents import Span

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
# A stop ends a word: a blank, the end or a bracket follows. "0.5" and "e.g" hold no stop.
_STOP = re.compile(r"(?P<stops>[.?!]+)(?:[\"'”’)\]}]+(?=\s|$)|(?=\s|$|[)\";}\]*:@'({\[]))")
# "Ito K. Lund" are names; after one of these words a letter names a kind, and its stop may end the sentence.
_INITIAL = re.compile(r"(?:^|(?<!\d)[\s(])[A-Z]\.$")
_DESIGNATED = re.compile(
    r"\b(?:vitamins?|types?|hepatitis|groups?|class|grade|stage|factor|influenza|category|and|or)\s[A-Z]\.$"
)
_CLOSERS = frozenset(']"”’)')
_CLOSING = re.compile(r"(?:\s*\[[\d\s,;–—-]*\]|[\"”’)\]])+$")
_LAST_WORD = re.compile(r"[^\s/(]+$")
_VISIBLE = re.compile(r"\S")
_MIXED_CASE = re.compile(r"\s+(?:[a-z][A-Z]|[a-z]-[A-Z])")
# No citation mark is longer, and no abbreviation with the word before it.
_WINDOW_CHARS = 200
_WORD_CHARS = 30


def split_sentences(text: str) -> list[Span]:
    """Return the sentences of one paragraph as half-open spans without surrounding white space.

    Every visible character lies in exactly one span. Empty text has none.

    Example:
        >>> text = "Give 5 mg/day. [1] Avoid drugs, e.g. quinine. See Fig. 2."
        >>> [text[start:end] for start, end in split_sentences(text)]
        ['Give 5 mg/day. [1]', 'Avoid drugs, e.g. quinine.', 'See Fig. 2.']
    """
    return list(_split(text))


# A reader, then the cutter of passages, then their units ask for the same paragraphs, shortly after one another.
@lru_cache(maxsize=512)
def _split(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    start = 0
    for end in _candidates(text):
        if end < start:
            continue
        if mark := _TRAILING_MARK.match(text, end):
            end = mark.end()
        if not _ends_sentence(text, end):
            continue
        spans.append((start, end))
        start = end
    spans.append((start, len(text)))
    return tuple(trimmed for span in spans if (trimmed := _trim(text, *span)))


def _candidates(text: str) -> Iterator[int]:
    """Yield where a sentence may end: after its stop, and after the quotes and brackets that it closes."""
    for match in _STOP.finditer(text):
        stops = match.group("stops")
        # Three dots are a pause; where they end a sentence, the next word tells nothing that a reader needs.
        if not (len(stops) > 1 and set(stops) == {"."}):
            yield match.end()


def _ends_sentence(text: str, end: int) -> bool:
    """Say whether a boundary that Punkt proposes is one: something must begin after it."""
    following = _VISIBLE.search(text, end)
    if not following:
        return True
    if following.group() in ".,;:":
        return False
    # The last word is all that counts; a window keeps long paragraphs from taking quadratic time.
    tail = text[max(0, end - _WINDOW_CHARS) : end]
    # Most stops close nothing; to look for it from the window's start takes longer than all the rest.
    before = (_CLOSING.sub("", tail) if tail[-1:] in _CLOSERS else tail).rstrip(".")[-_WORD_CHARS:]
    if before[-1:].isupper() and _INITIAL.search(before + ".") and not _DESIGNATED.search(before + "."):
        return tail.rstrip()[-1:] in ("!", "?")
    word = _LAST_WORD.search(before)
    if word and word.group().lower() in _UNITS:
        return bool(_SENTENCE_START.match(text, end))
    if word and {word.group().lower(), word.group().lower().rpartition("-")[2]} & _ABBREVIATIONS:
        return False
    if following.group().islower():
        # "pH" and "mRNA" begin sentences; a plain lower-case word goes on with the last one.
        return tail.rstrip()[-1:] in ("!", "?") or bool(_MIXED_CASE.match(text, end))
    return True


def _trim(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
