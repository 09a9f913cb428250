"""Evens out how people write, and finds listed words and phrases in it.

Is: lower case, contractions, slang, number words, spelling put right against a closed vocabulary; phrase look-up.
Is not: grammar (see `telling.py`) or medicine (see `redflags.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache

from corpus.hidden import remove_hidden

# A message is read to this many characters from each end; the page refuses longer ones, a file may not.
_HALF_LIMIT_CHARS = 10_000
# Shorter words have too many neighbours that mean something else ("hear" and "head").
_MIN_CORRECTED_CHARS = 5
# From this length on, two slips still leave one likely word.
_TWO_SLIPS_CHARS = 8

# Taken off when what is left is a listed word ("paining").
_ENDINGS = ("ing", "ed", "es", "s", "y")

# Shorter words, and what is left of longer ones, would fall together with others.
_MIN_STEMMED_CHARS = 4
_MIN_STEM_CHARS = 3
# Words that another tense or number would turn into something else.
_NOT_STEMMED = frozenset(
    "breathing breathed nothing something anything thing things being going during wing "
    "kill kills killed killing bite bites biting".split()
)
# Whose it is and which one seldom matters inside a phrase ("hit my head", "hit the head").
_DETERMINERS = frozenset("a an the my his her their our your ur".split())
# What is left of a phrase of two words whose second is one ("hit me" is none, "hit her" is).
_LONE = frozenset((word,) for word in _DETERMINERS)

_WORD = re.compile(r"\d+(?:[.,/+]\d+)*|[a-z]+(?:'[a-z]+)?|[.!?;\n,:()]")
_PLAIN = re.compile(r"[a-z ]+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_LIST_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+", re.MULTILINE)
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
    if word != "one"  # "one leg" is not a count
} | {
    word: str(10 * value)
    for value, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), start=3)
}
_IS_AFTER = frozenset("he she it that there what who where how here".split())


@dataclass(frozen=True, slots=True)
class Words:
    """A message as words; the four tuples run side by side.

    `sentence` is the number of the sentence a word stands in; `place` counts words and commas, so that a list's
    items lie further apart than one item's words; `asked` is indexed by sentence: it ended with "?".
    """

    words: tuple[str, ...]
    sentence: tuple[int, ...]
    place: tuple[int, ...]
    asked: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A listed phrase in a message; `start` and `end` are half-open word indices."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Spelling:
    """Slang with its plain form, and a closed vocabulary that near misses are corrected to.

    `real_words` are words of their own that lie beside the vocabulary ("breast" beside "breath").
    """

    slang: Mapping[str, str]
    vocabulary: frozenset[str]
    real_words: frozenset[str]
    # Filled letter by letter as misspelt words turn up: most messages need two or three letters of it.
    _near: dict[str, dict[str, list[str]]] = field(default_factory=dict, repr=False, compare=False)

    def _near_misses(self, letter: str) -> Mapping[str, list[str]]:
        """Return, for each word of the vocabulary that starts so, itself and its forms with one letter less."""
        if letter not in self._near:
            near: dict[str, list[str]] = defaultdict(list)
            for word in sorted(self.vocabulary):
                if word[0] == letter and len(word) >= _MIN_CORRECTED_CHARS - 1:
                    for shorter in {word, *_one_left_out(word)}:
                        near[shorter].append(word)
            self._near[letter] = near
        return self._near[letter]

    def correct(self, word: str) -> str:
        """Return the vocabulary's word for a misspelt one, or `word` itself.

        Example: "swollen" -> "swollen", "pian" -> "pain", "breast" (a word of its own) -> "breast"
        """
        if len(word) < _MIN_CORRECTED_CHARS - 1 or word in self.vocabulary or word in self.real_words:
            return word
        for ending in _ENDINGS:
            stem = word.removesuffix(ending)
            if stem != word and len(stem) >= _MIN_CORRECTED_CHARS - 1 and stem in self.vocabulary:
                return stem
        best, best_cost = word, _TWO_SLIPS_CHARS
        for key in (word, *_one_left_out(word)):
            for letter in dict.fromkeys(word[:2]):
                for candidate in self._near_misses(letter).get(key, ()):
                    cost = _slips(word, candidate)
                    if cost < best_cost and _plausible(word, candidate, cost):
                        best, best_cost = candidate, cost
        return best


def _one_left_out(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _plausible(word: str, candidate: str, slips: int) -> bool:
    if word[0] != candidate[0] and sorted(word[:2]) != sorted(candidate[:2]):
        return False
    if candidate in (word + "s", word + "es", word + "d", word + "ed") or word in (candidate + "s",):
        return True
    if len(candidate) < _MIN_CORRECTED_CHARS:
        return slips == 1 and sorted(word) == sorted(candidate)
    return slips <= (2 if min(len(word), len(candidate)) >= _TWO_SLIPS_CHARS else 1)


def _slips(one: str, other: str) -> int:
    """Count insertions, deletions, changes and swaps of neighbours (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, right in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def read_words(text: str, spelling: Spelling | None = None) -> Words:
    """Return a message's words, evened out; with `spelling`, slang and misspelt words put right."""
    words: list[str] = []
    sentence: list[int] = []
    place: list[int] = []
    asked: list[bool] = []
    here, commas, number = 0, 0, 0
    for token in _tokens(text):
        if token in ".!?;\n":
            if here < len(words):
                asked.append(token == "?")
                number, here = number + 1, len(words)
            elif token == "?" and asked:
                asked[-1] = True
            continue
        if token in ",:()":
            commas += 1
            continue
        expanded = _expand(token, spelling, words)
        # "can" + "not" took the last word back.
        del sentence[len(words) :], place[len(words) :]
        for word in expanded:
            words.append(word)
            sentence.append(number)
            place.append(len(words) + commas)
    if here < len(words):
        asked.append(False)
    return Words(tuple(words), tuple(sentence), tuple(place), tuple(asked))


def _tokens(text: str) -> list[str]:
    if len(text) > 2 * _HALF_LIMIT_CHARS:
        text = text[:_HALF_LIMIT_CHARS] + "\n" + text[-_HALF_LIMIT_CHARS:]
    plain = unicodedata.normalize("NFKD", remove_hidden(text)).lower()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _LIST_ITEM.sub("", plain.replace("’", "'").replace("‘", "'").replace("`", "'").replace("´", "'"))
    plain = re.sub(r"\s[-–—]+\s|[–—]", " , ", plain).replace("-", " ")
    return _WORD.findall(plain)


def _expand(token: str, spelling: Spelling | None, before: list[str]) -> list[str]:
    """Turn one written token into its words; `before` may lose its last ("can" + "not")."""
    if token in _NUMBER_WORDS:
        return [_NUMBER_WORDS[token]]
    if token[0].isdigit():
        return [token]
    if _STRETCHED.search(token) and len(token) > 3:
        token = _STRETCHED.sub(r"\1", token)
    if spelling and token in spelling.slang:
        plain = spelling.slang[token].split()
        if plain == ["not"] and before and before[-1] == "can":
            before.pop()
            return ["cannot"]
        return plain
    if token.endswith("n't"):
        return ["cannot"] if token in ("can't", "couldn't") else ["not"]
    if "'" in token:
        head, _, tail = token.partition("'")
        ending = {"m": "am", "ve": "have", "re": "are", "ll": "will", "d": ""}.get(tail, "")
        if tail == "s" and head in _IS_AFTER:
            ending = "is"
        if tail not in ("m", "ve", "re", "ll", "d", "s"):
            return [part for part in (head, tail) if part]
        return [word for word in (head, ending) if word]
    if before and ((token == "not" and before[-1] == "can") or (token == "can" and before[-1] in ("not", "no"))):
        before.pop()
        return ["cannot"] if len(before) == 0 or before[-1] != "cannot" else []
    return [spelling.correct(token) if spelling else token]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word without the ending of its tense or number.

    Example: "sucking", "sucks", "sucked" -> "suck"; "moves", "moving" -> "mov"; "boss" -> "boss"
    """
    if len(word) < _MIN_STEMMED_CHARS or word in _NOT_STEMMED:
        return word
    for ending in ("ing", "ed", "es", "s", "e"):
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= _MIN_STEM_CHARS
            and not word.endswith(("ss", "us", "is"))
        ):
            word = word[: -len(ending)]
            # "stopped", "stopping": the doubled letter goes too.
            if ending in ("ing", "ed") and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word


def _phrase(phrase: str) -> tuple[str, ...]:
    """Return a listed phrase's words; the plain ones by a short way, for there are thousands."""
    if _PLAIN.fullmatch(phrase) and "can not" not in phrase:
        words = phrase.split()
        return tuple(words) if _NUMBER_WORDS.keys().isdisjoint(words) else tuple(_NUMBER_WORDS.get(w, w) for w in words)
    return read_words(phrase).words


class Lexicon:
    """Named lists of phrases, looked up all at once; a list is written "chest, breastbone, rib cage".

    With `loose`, a phrase of several words is also found in another tense or number, and with or without "the" or
    "my" inside it: "hit my head" in "hitting the head". A single word, and every phrase of the lists named in
    `exact`, is met as it is written.
    """

    def __init__(self, lists: Mapping[str, str], *, loose: bool = False, exact: Set[str] = frozenset()) -> None:
        # Phrases are found by their first two words: hundreds begin with "not".
        self._loose = loose
        self._single: dict[str, list[str]] = defaultdict(list)
        self._longer: dict[tuple[str, str], list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        # The loose ones by the stem of their first word; taken apart when a message holds that word.
        self._unread: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self._loosely: dict[str, dict[str, list[tuple[tuple[str, ...], str]]]] = {}
        self.vocabulary: set[str] = set()
        for name, listed in lists.items():
            for phrase in filter(None, (part.strip() for part in listed.split(","))):
                words = _phrase(phrase)
                if not words:
                    raise ValueError(f"{name}: the phrase {phrase!r} has no words")
                self.vocabulary.update(words)
                if len(words) == 1:
                    self._single[words[0]].append(name)
                elif loose and name not in exact and words[0] not in _DETERMINERS and words[1:] not in _LONE:
                    self._unread[stem(words[0])].append((words, name))
                else:
                    self._longer[words[0], words[1]].append((words, name))
        self.names = frozenset(lists)

    def _beginning(self, first: str) -> Mapping[str, list[tuple[tuple[str, ...], str]]]:
        """Return the loose phrases whose first stem is `first` by their second: stems without determiners."""
        if first not in self._loosely:
            by_second: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
            for words, name in self._unread.get(first, ()):
                bare = tuple(stem(word) for word in words if word not in _DETERMINERS)
                by_second[bare[1]].append((bare, name))
            self._loosely[first] = dict(by_second)
        return self._loosely[first]

    def hits(self, words: Sequence[str]) -> list[Hit]:
        """Return every listed phrase in `words`, in order of its first word."""
        found: list[Hit] = []
        single = self._single
        forms = list(map(stem, words)) if self._loose else []
        bare = [at for at, word in enumerate(forms) if word not in _DETERMINERS]
        following = dict(zip(bare, range(len(bare)), strict=True))
        for start, word in enumerate(words):
            if word in single:
                found += [Hit(name, start, start + 1) for name in single[word]]
            for phrase, name in self._longer.get((word, words[start + 1] if start + 1 < len(words) else ""), ()):
                end = start + len(phrase)
                if tuple(words[start:end]) == phrase:
                    found.append(Hit(name, start, end))
            if (at := following.get(start)) is None or at + 1 >= len(bare):
                continue
            if forms[start] not in self._unread:
                continue
            for phrase, name in self._beginning(forms[start]).get(forms[bare[at + 1]], ()):
                places = bare[at : at + len(phrase)]
                if len(places) == len(phrase) and all(
                    forms[place] == part for place, part in zip(places, phrase, strict=True)
                ):
                    found.append(Hit(name, start, places[-1] + 1))
        return found
