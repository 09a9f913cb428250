"""Asks whether a document's citation numbers fit its list better when moved by one.

Is: lexical agreement between the sentences that cite and the titles that they cite, compared with the titles one
place before and after. Is not: a judge of whether a source supports a sentence.

A list that loses or gains an entry after the numbers were set shifts every number from that entry on. One such
sentence proves nothing, since neighbours in a list are often about the same thing; the numbers are judged
together, from the point where moving them helps most.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from corpus.documents import Document, Span

# Words of nearly every title and sentence, which agree with everything.
_COMMON = frozenset(
    "a about adult after all also among an analysis and are as assess associated association at based be because been "
    "before between but by can care case clinical cohort comparison compared consider controlled could data disease "
    "do does double-blind during each effect effective effectiveness efficacy evaluation evidence factors first for "
    "from group guideline guidelines guidance has have high however if in including incidence increased into is it its "
    "less level low management may meta-analysis method methods more most new no not of on one only or other outcome "
    "outcomes over patient patients people per practice prevalence quality randomised randomized recommendations "
    "reported results review risk role same should showed significant significantly since some statement studies study "
    "such systematic than that the their then there these they this those through time to treatment trial two under "
    "update use used using was we were when which who will with within without year years".split()
)
# Names of one thing that share no stem, by how they begin. Organs and a few states only: what a title says in Greek,
# a sentence says in English.
_FAMILIES = {
    "heart": "heart cardi myocard coronar",
    "kidney": "kidney renal nephr haemodialy hemodialy dialy",
    "liver": "liver hepat cirrho",
    "vessel": "arter vascul ischaem ischem claudic limb-threat",
    "vein": "vein venous varic thrombo phlebo",
    "brain": "brain cerebr stroke encephal neurolog",
    "lung": "lung pulmon respirat bronch copd asthma",
    "bowel": "bowel intestin colon colorect gastrointest",
    "skin": "skin cutan dermat",
    "bone": "bone osteo fractur skelet",
    "pregnancy": "pregnan gestat antenat prenat matern obstet",
    "child": "child paediat pediat infan neonat newborn",
    "diabetes": "diabet insulin glucos glycaem glycem hypoglyc",
    "cancer": "cancer tumo carcinom oncolog malign neoplas",
}
_PREFIXES = tuple((prefix, name) for name, prefixes in _FAMILIES.items() for prefix in prefixes.split())
# Endings that words of one stem differ in, longest first; what is left has at least this many letters.
_ENDINGS = tuple(
    "isations izations isation ization ations ation ments ment ingly ings ing ness ities ity ively ives ive ically ical "
    "ics ic ies edly ed ers er es als al ly s e y".split()
)
_LEAST_STEM = 4
_WORD = re.compile(r"[a-z][a-z0-9]+(?:-[a-z0-9]+)*")

# Agreement below this is one ordinary word in common.
_MIN_GAIN = 0.35
# With a mark right past the end of the list, a lost entry is likely before any word is read; then two sentences
# are enough. Without one, chance has to be ruled out. Both were set on sound and broken copies of real lists.
_WITH_DANGLING, _WITHOUT = (2, 0.8), (4, 2.0)


@dataclass(frozen=True, slots=True)
class CitingSentence:
    """A sentence, with the reference numbers that it cites."""

    start: int
    end: int
    numbers: tuple[int, ...]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shifted:
    """A sentence whose mark `number` fits the reference `better` than the one it names."""

    start: int
    end: int
    number: int
    better: int


def find_shift(document: Document, sentences: Sequence[tuple[Span, tuple[int, ...]]]) -> tuple[Shifted, ...]:
    """Return the sentences that fit the list better when their numbers move by one, all in the same direction.

    `sentences` are those that cite: (span, numbers). Returns none unless the numbers from some entry on, taken
    together, agree clearly better with their neighbours.
    """
    titles = {entry.number: content_words(entry.title) for entry in document.references}
    if len(titles) < 3:
        return ()
    weights = _weights(titles.values())
    citing = [
        CitingSentence(start, end, numbers, content_words(document.text[start:end]))
        for (start, end), numbers in sentences
    ]
    common = Counter(word for sentence in citing for word in sentence.words)
    # A word that most of the sentences hold says nothing about which source one of them stands on.
    spread = {word: math.log(1 + len(citing) / count) / math.log(1 + len(citing)) for word, count in common.items()}

    def agreement(sentence: CitingSentence, number: int) -> float:
        return sum(weights[word] * spread[word] for word in sentence.words & titles.get(number, frozenset()))

    best: tuple[float, tuple[Shifted, ...]] = (0.0, ())
    highest = max(titles)
    is_overrun = any(number == highest + 1 for sentence in citing for number in sentence.numbers)
    for step in (-1, 1):
        gains: dict[int, list[tuple[float, CitingSentence]]] = defaultdict(list)
        for sentence in citing:
            for number in sentence.numbers:
                # Where both are cited already, moving one says nothing.
                if number + step in titles and number + step not in sentence.numbers:
                    gain = agreement(sentence, number + step) - agreement(sentence, number)
                    gains[number].append((gain, sentence))
        is_expected = step < 0 and is_overrun
        if (found := _judge(gains, step, is_expected)) and found[0] > best[0]:
            best = found
    return best[1]


def _judge(
    gains: dict[int, list[tuple[float, CitingSentence]]], step: int, is_expected: bool
) -> tuple[float, tuple[Shifted, ...]] | None:
    """Return how clearly a shift helps from its best starting number on, and the sentences that it helps."""
    least_sentences, least_clearness = _WITH_DANGLING if is_expected else _WITHOUT
    best: tuple[float, tuple[Shifted, ...]] | None = None
    tail: list[tuple[float, CitingSentence, int]] = []
    for number in sorted(gains, reverse=True):
        tail += [(gain, sentence, number) for gain, sentence in gains[number]]
        total = sum(gain for gain, *_ in tail)
        noise = math.sqrt(sum(gain * gain for gain, *_ in tail))
        clearness = total / noise if noise else 0.0
        helped = [entry for entry in tail if entry[0] >= _MIN_GAIN]
        distinct = len({entry[2] for entry in helped})
        is_enough = len(helped) >= least_sentences and distinct >= min(least_sentences, 3)
        if is_enough and clearness >= least_clearness and (best is None or clearness > best[0]):
            shifted = (Shifted(s.start, s.end, n, n + step) for _, s, n in helped)
            best = clearness, tuple(sorted(shifted, key=lambda entry: (entry.start, entry.number)))
    return best


def content_words(text: str) -> frozenset[str]:
    """Return the stems of the words that say what a text is about.

    Example:
        >>> sorted(content_words("Treatment of renal cramps in patients with Cirrhosis"))
        ['cramp', 'kidney', 'liver']
    """
    return frozenset(_stem(word) for word in _WORD.findall(text.lower()) if word not in _COMMON)


def _weights(titles: Collection[frozenset[str]]) -> dict[str, float]:
    """Return how much a shared word says: nothing if every title has it, most if one has."""
    counts = Counter(word for words in titles for word in words)
    return {word: math.log((len(titles) + 1) / (count + 0.5)) for word, count in counts.items()}


# Bounded: an index of many articles meets many words.
@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    if family := next((name for prefix, name in _PREFIXES if word.startswith(prefix)), None):
        return family
    return next((word[: -len(e)] for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= _LEAST_STEM), word)
