"""Fit chatbot/understand/warning_examples.npz: which example messages count for a card or a refusal, and how much.

    PYTHONPATH=. python tests/benchmarks/fit_examples.py [--hold-out NAME…] [--write]

Examples are the case files of emergencies, self-harm, unfit requests and ordinary messages in tests/safety, those named
`examples_*` among them, less the sets in `UNSEEN`, which stay unseen to show how new words fare. A threshold lets the
shares in `FALSE_ALARMS` through of the messages that must not count, each file scored by a machine that has not seen it.
To be run again when a case file or the export of the model changes: without vectors of the same export no message is
weighed. With `--hold-out` the named files take no part and are scored.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import platformdirs
import yaml
from fit_warning_words import UNSEEN, read_cases
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import SVC

from chatbot.understand import redflags
from chatbot.understand.examples import GAMMA, KINDS, TASKS, Examples, word_terms, write_examples
from chatbot.understand.redflags import find_signs
from chatbot.understand.rule_table import load_rules
from chatbot.understand.word_score import POINTS_PER_MARGIN, load_word_scores
from index.embedding import load_embedder

_CASES = Path(__file__).resolve().parent.parent / "safety"
_TARGET = Path(redflags.__file__).resolve().with_name("warning_examples.npz")
# Among messages written to look like what must count; of others it is a tenth of that, or less.
FALSE_ALARMS = {"emergency": 0.005, "self_harm": 0.015, "unfit": 0.03, "premise": 0.05}
# Below these margins, threshold apart, of emergencies and of self-harm a message is an ordinary one: of 682 unseen ones
# that had rightly raised the general card 3 are, of 154 false alarms 79.
ORDINARY = np.array([-0.3, -0.5], np.float32)
# What a wrong side costs; .5 to 8 differ by less than the sets do.
_C = 2.0
_FOLDS = 10
_LEAST_MESSAGES = 2


def read_examples(hold_out: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """Return (file, message, kind) of every example.

    Kinds: ordinary, emergency, self_harm, premise, plain, fit, unfit (kind not told) or a kind of unfit request.
    """
    held = (*UNSEEN, *hold_out)
    rows = [
        (pair, message, "self_harm" if harmed else "emergency" if told else "ordinary")
        for pair, message, told, harmed in read_cases(hold_out)
    ]
    for file in sorted([*_CASES.glob("unfit*.yaml"), *_CASES.glob("premise*.yaml"), *_CASES.glob("examples_*.yaml")]):
        if file.stem.removeprefix("examples_").startswith(held) or file.stem.startswith(held):
            continue
        for kind, messages in yaml.safe_load(file.read_text("utf-8")).items():
            rows += [(file.stem, message, _kind_of(kind)) for message in messages]
    return rows


def _kind_of(kind: str) -> str:
    return "self_harm" if kind in ("vague", "method_or_plan") else kind


def labels(kinds: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which messages count for a task or a kind, which it is learnt from, and which set its threshold."""
    claims = np.isin(kinds, ["premise", "plain"])
    unfit = np.isin(kinds, ["unfit", *KINDS])
    if name == "emergency":
        # A request that is refused is no report, nor is it ordinary.
        return np.isin(kinds, ["emergency", "self_harm"]), ~unfit & ~claims, np.isin(kinds, ["ordinary", "fit"])
    if name == "self_harm":
        told = np.isin(kinds, ["self_harm", "self_harm_dose"])
        return told, told | (~unfit & ~claims), np.isin(kinds, ["ordinary", "fit"])
    if name == "premise":
        return kinds == "premise", claims | np.isin(kinds, ["ordinary", "fit"]), kinds == "plain"
    # Who tells of self-harm gets the crisis card, refused or not.
    return unfit if name == "unfit" else kinds == name, (kinds != "self_harm") & ~claims, kinds == "fit"


def machine(kernel: np.ndarray, label: np.ndarray) -> SVC:
    """Return the machine of one task, fitted to a kernel matrix; both classes weigh the same."""
    return SVC(C=_C, kernel="precomputed", class_weight="balanced", cache_size=2_000).fit(kernel, label)


def points_of(texts: Sequence[str]) -> np.ndarray:
    """Return the sum of the emergency points of each message's best piece; -inf where it reports nothing."""
    rules, score = load_rules(), load_word_scores().emergency
    return np.array(
        [max((score.add_up(signs) for signs in find_signs(text, rules)), default=-np.inf) for text in texts]
    )


def folds_of(files: np.ndarray) -> Iterator[np.ndarray]:
    """Yield which messages are scored by a machine that has not seen their files."""
    names = sorted(set(files))
    for start in range(_FOLDS):
        yield np.isin(files, names[start::_FOLDS])


def main() -> None:
    """Fit, print what the unseen files give, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hold-out", nargs="*", default=())
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if not _TARGET.is_relative_to(_CASES.parent.parent):
        parser.error(f"the examples would be written to {_TARGET.parent}: put this checkout first on PYTHONPATH")
    rows = read_examples(asked.hold_out)
    files, kinds = np.array([row[0] for row in rows]), np.array([row[2] for row in rows])
    texts = [row[1] for row in rows]
    embedder = load_embedder(cache=platformdirs.user_cache_path("followup"))
    vectors = embedder.embed(texts)
    words = TfidfVectorizer(
        analyzer=lambda text: list(word_terms(text).elements()), min_df=_LEAST_MESSAGES, sublinear_tf=True
    )
    terms = words.fit_transform(texts)
    cosines = vectors @ vectors.T
    kernel = np.exp(2 * GAMMA * (cosines - 1)) + (terms @ terms.T).toarray()
    points = points_of(texts)
    machines = (*TASKS, *KINDS)
    kinds = np.where(kinds == "unfit", kinds_of_requests(kinds, cosines), kinds)
    weights = np.zeros((len(rows), len(machines)), np.float32)
    bases = np.zeros(len(machines), np.float32)
    scores = np.full((len(rows), len(machines)), np.nan)
    for place, name in enumerate(machines):
        label, learnt, _ = labels(kinds, name)
        for out in folds_of(files):
            known = np.flatnonzero(learnt & ~out)
            found = machine(kernel[np.ix_(known, known)], label[known])
            scores[out, place] = found.decision_function(kernel[np.ix_(np.flatnonzero(out), known)])
        known = np.flatnonzero(learnt)
        found = machine(kernel[np.ix_(known, known)], label[known])
        weights[known[found.support_], place] = found.dual_coef_[0]
        bases[place] = found.intercept_[0]
    scores[:, TASKS.index("emergency")] += points / POINTS_PER_MARGIN
    scores[:, TASKS.index("unfit")] += scores[:, len(TASKS) :].max(axis=1)
    shift = np.zeros_like(bases)
    for place, task in enumerate(TASKS):
        label, learnt, silent = labels(kinds, task)
        threshold = float(np.quantile(scores[silent, place], 1 - FALSE_ALARMS[task], method="higher"))
        shift[place] = -threshold
        report(task, files, label & learnt, silent, scores[:, place] >= threshold)
    others = np.flatnonzero(np.isin(kinds, KINDS))
    named = np.array(KINDS)[scores[others, len(TASKS) :].argmax(axis=1)]
    print(f"kind of an unfit request named: {np.sum(named == kinds[others])} of {len(others)}")
    if not asked.write:
        return
    term_weights = np.column_stack([words.idf_, terms.T @ weights]).astype(np.float32)
    used = np.flatnonzero(weights.any(axis=1))
    examples = Examples(
        embedder.identity,
        vectors[used],
        weights[used],
        words.vocabulary_,
        term_weights,
        bases + shift,
        ORDINARY + shift[:2],
    )
    write_examples(_TARGET, examples)
    print(f"wrote {_TARGET}: {len(used)} of {len(rows)} messages, {len(term_weights)} terms")


def kinds_of_requests(kinds: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """Return for each message the kind of the nearest unfit request whose kind is told."""
    told = np.flatnonzero(np.isin(kinds, KINDS))
    nearest: np.ndarray = kinds[told[cosines[:, told].argmax(axis=1)]]
    return nearest


def report(task: str, files: np.ndarray, label: np.ndarray, silent: np.ndarray, shown: np.ndarray) -> None:
    """Print how many messages of each file count for a task, those that should and those that should not."""
    for name in [*sorted(set(files)), ""]:
        here = files == name if name else np.ones(len(files), bool)
        told, ordinary = shown[here & label], shown[here & silent]
        print(
            f"{task:<10} {name or 'all':<28} {np.sum(told):>5} of {len(told):<5} told, "
            f"{np.sum(ordinary):>4} of {len(ordinary):<5} that must not count"
        )


if __name__ == "__main__":
    main()
