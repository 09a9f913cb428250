"""The cases in tests/safety/polarity_*.yaml, and what must hold of every text."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from conftest import count_safety
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.understand import polarity, polarity_clauses, polarity_cues
from chatbot.understand.polarity import (
    negation_spans,
    polarity_bonus,
    question_polarity,
    speaks_against,
    statement_polarity,
)

_CASES = Path(__file__).parent / "safety"
_PARTS = ("development", "held_back")
# Written later, in other voices; the fifth is small, so that one slip in ten is allowed.
_MORE_PARTS = (*_PARTS, "fourth_voice")
# Statements alone were written in these.
_STATEMENT_PARTS = (*_MORE_PARTS, "sixth_voice", "seventh_voice")
# The weight that the bonus is tried with, beside 0.6 times the cosine: see `test_pairs`.
_BONUS_WEIGHT = 0.15


def _load(name):
    return yaml.safe_load((_CASES / f"polarity_{name}.yaml").read_text(encoding="utf-8"))


def _count(title, outcomes):
    """Print how many of (right, case) are right and every miss; return the share that is right."""
    misses = [case for right, case in outcomes if not right]
    print(f"\n{title}: {len(outcomes) - len(misses)} of {len(outcomes)}")
    count_safety(
        title.split(", ")[0] if "pairs" not in title else "polarity pairs, right passage first",
        len(outcomes) - len(misses),
        len(outcomes),
    )
    for case in misses:
        print("  miss:", case)
    return 1 - len(misses) / len(outcomes)


@pytest.mark.safety
@pytest.mark.parametrize(
    ("part", "share"),
    [
        *((part, 0.95) for part in _STATEMENT_PARTS),
        ("fifth_voice", 0.9),
        ("eighth_voice", 0.9),
        ("ninth_voice", 26 / 60),
        ("tenth_voice", 68 / 90),
    ],
)
def test_statements(part, share):
    """Of the single statements under their headings, at least 95 in 100 are read as labelled.

    The rules were never changed for the ninth part: it may not fall below its first run.
    """
    rows = _load("statements")[part]
    outcomes = [(statement_polarity(text, tuple(context)) == label, (label, text)) for label, text, *context in rows]
    assert _count(f"polarity of statements, {part}", outcomes) >= share


@pytest.mark.safety
@pytest.mark.parametrize(
    ("part", "share"),
    [
        *((part, 0.98) for part in _STATEMENT_PARTS),
        ("eighth_voice", 168 / 170),
        ("ninth_voice", 17 / 20),
        ("tenth_voice", 31 / 35),
    ],
)
def test_no_warning_turns_into_advice(part, share):
    """Of the statements that advise against, at most 2 in 100 are read as advice for; of those kept unseen, as on their first run."""
    rows = [row for row in _load("statements")[part] if row[0] == "against"]
    outcomes = [(statement_polarity(text, tuple(context)) != "for", text) for _, text, *context in rows]
    assert _count(f"warnings not turned round, {part}", outcomes) >= share


@pytest.mark.safety
@pytest.mark.parametrize("part", _MORE_PARTS)
def test_questions(part):
    """Of the questions, at least 95 in 100 are read as labelled."""
    outcomes = [
        (question_polarity(question) == label, (label, question)) for label, question in _load("questions")[part]
    ]
    assert _count(f"polarity of questions, {part}", outcomes) >= 0.95


@pytest.mark.safety
@pytest.mark.parametrize("part", _PARTS)
def test_targets(part):
    """Of the cases that ask whom the negative is about, at least 95 in 100 are right."""
    rows = _load("targets")[part]
    outcomes = [
        (speaks_against(text, context, target) == says, (says, target, text)) for says, target, text, *context in rows
    ]
    assert _count(f"what the negative is about, {part}", outcomes) >= 0.95


@pytest.mark.safety
def test_pairs():
    """Of the questions of the pairs, the right passage comes first for at least 95 in 100 with the bonus.

    The requirement is 80; the real embedding model alone (cosine) gets fewer than 80.
    """
    from platformdirs import user_cache_path

    from index.embedding import load_embedder

    embedder = load_embedder(cache=user_cache_path("followup"))
    for part, pairs in _load("pairs").items():
        asked = {side: embedder.embed([pair[f"ask_{side}"] for pair in pairs]) for side in ("use", "avoid")}
        passages = {side: embedder.embed([pair[side] for pair in pairs]) for side in ("use", "avoid")}
        alone, with_bonus = [], []
        for side, other in (("use", "avoid"), ("avoid", "use")):
            gaps = ((passages[side] - passages[other]) * asked[side]).sum(axis=1)
            for pair, gap in zip(pairs, gaps, strict=True):
                question = pair[f"ask_{side}"]
                lead = polarity_bonus(question, pair[side]) - polarity_bonus(question, pair[other])
                alone.append((gap > 0, question))
                with_bonus.append((0.6 * gap + _BONUS_WEIGHT * lead > 0, question))
        print(f"\npolarity pairs, {part}, by cosine alone: {sum(right for right, _ in alone)} of {len(alone)}")
        assert _count(f"polarity pairs, {part}, with the bonus", with_bonus) >= 0.95
        assert sum(right for right, _ in alone) < 0.8 * len(alone)


def test_there_are_200_pairs_and_200_statements():
    """The files hold what the README's table says: 200 pairs and more than 200 statements."""
    assert sum(len(pairs) for pairs in _load("pairs").values()) >= 200
    assert sum(len(rows) for rows in _load("statements").values()) >= 200


def test_a_negative_lead_in_turns_its_items():
    """A bare item under "Do not prescribe:" is advised against, also when it is itself a negative."""
    assert statement_polarity("quinine", ("Pitfalls", "Do not prescribe:")) == "against"
    assert statement_polarity("stop abruptly", ("Do not:",)) == "against"


def test_the_inner_lead_in_wins():
    """ "Instead, use:" under "Drugs to avoid" recommends its items."""
    assert statement_polarity("paracetamol", ("Drugs to avoid", "Instead, use:")) == "for"


def test_a_list_inside_the_text_keeps_its_lead_in():
    """A passage that holds its own "do not" list is against, line by line."""
    text = "In a newborn with jaundice, do not give:\n- ceftriaxone\n- sulfonamides"
    assert statement_polarity(text) == "against"
    assert speaks_against(text, (), "sulfonamides")


def test_stopping_abruptly_is_warned_against():
    """ "Should not be stopped" asks to go on; "should not be stopped abruptly" is a warning."""
    assert statement_polarity("Metformin should not be stopped.") == "for"
    assert statement_polarity("Baclofen should not be stopped abruptly.") == "against"


def test_both_sides_are_neutral_and_never_punished():
    """A passage that recommends one thing and forbids another fits both questions, neither badly."""
    text = "Give paracetamol. Avoid ibuprofen."
    assert statement_polarity(text) == "neutral"
    assert polarity_bonus("What should I avoid?", text) >= 0
    assert polarity_bonus("What should I take?", text) >= 0


def test_bonus_is_signed_by_the_question():
    """The same passage gains for the question that asks for its side and loses for the other."""
    text = "Quinine is not recommended for cramps."
    assert polarity_bonus("Which medicines are not recommended for cramps?", text) == 1
    assert polarity_bonus("Which medicines are recommended for cramps?", text) == -1
    assert polarity_bonus("What causes cramps?", text) == 0


def test_an_open_question_leans_little():
    """ "How is it treated?" is answered by "there is no treatment" too, so little is held against it."""
    text = "Surgery is not recommended."
    open_question = polarity_bonus("How is claudication treated?", text)
    assert polarity_bonus("Which treatments are recommended?", text) < open_question < 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Quinine is no longer recommended.", ["no longer"]),
        ("It works, but should not be used.", ["should not"]),
        ("It doesn’t help unless taken early.", ["doesn’t", "unless"]),
        ("Avoid quinine, which is contraindicated.", ["Avoid", "contraindicated"]),
        ("Not only tablets but also exercise helps.", []),
        ("Stretch the calf.", []),
    ],
)
def test_negation_spans(text, words):
    """The words that turn the meaning are found as they are written, and those that do not are left."""
    assert [text[start:end] for start, end in negation_spans(text)] == words


def test_no_target_nothing_against_it():
    """A word that stands nowhere is not spoken against, nor is one that looks like the one that is."""
    assert not speaks_against("Quinine is no longer recommended.", ("Leg cramps",), "magnesium")
    assert not speaks_against("Quinidine should not be used.", (), "quinine")


_WORDS = st.sampled_from(
    "not/no/do/never/avoid/unless/but/,/;/./:/İ/’/recommended/quinine/the/who/-/effective/should/be/used/if/\n/"
    "rather than/do not use".split("/")
)


@settings(deadline=None)
@given(st.lists(_WORDS, max_size=40).map(" ".join) | st.text(max_size=80))
def test_any_text_is_read(text):
    """Whatever the text, spans rise and lie in it, and all readings stay in their closed sets."""
    spans = negation_spans(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert statement_polarity(text, (text,)) in ("for", "against", "neutral")
    assert question_polarity(text) in ("for", "against", "neutral")
    assert -1 <= polarity_bonus(f"What should I avoid? {text}", text) <= 1
    assert speaks_against(text, (), "quinine") in (True, False)


@settings(deadline=None, max_examples=8)
@given(st.sampled_from(["not ", "avoid ", "a, ", "if it ", "rather than ", "who has ", "do not use ", "is not used, "]))
def test_long_repetitions_take_no_long_time(words):
    """No pattern runs away on a long text that repeats its cues."""
    started = time.perf_counter()
    statement_polarity(words * 1500)
    question_polarity(words * 1500)
    assert time.perf_counter() - started < 2


def test_reading_is_fast():
    """A unit takes well under a millisecond, so that hundreds of candidates can be read for one question."""
    texts = [text for _, text, *_ in _load("statements")["development"]]
    statement_polarity("warm")
    polarity_clauses.read_clauses.cache_clear()
    polarity._sides.cache_clear()
    started = time.process_time()
    for text in texts:
        statement_polarity(text)
    # Measured 0.1 ms; the limit leaves room for a busy machine.
    assert (time.process_time() - started) / len(texts) < 0.001


def test_every_cue_can_be_written_and_found():
    """Each phrase of the cue list, with its optional words left out, is found as a cue of some kind."""
    for kind, phrases in polarity_cues._phrases().items():
        if kind in ("abruptly", "neither"):
            continue
        for phrase in phrases:
            for variant in polarity_cues._first_words(phrase):
                plain = " ".join(
                    polarity_cues._alternatives(slot)[0].rstrip("*")
                    for slot in variant.split()
                    if slot != ".." and not slot.startswith("(")
                )
                assert polarity_cues.find_cues(plain, headings=True), f"{kind}: {phrase} -> {plain}"
