"""Words for the same thing."""

from __future__ import annotations

import pytest

from chatbot.understand import synonyms
from chatbot.understand.synonyms import Synonym, expand, find_synonyms, reworded


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("Is a heart attack painful?", "myocardial infarction"),
        ("How is myocardial infarction treated?", "heart attack"),
        ("what helps poor circulation in my legs", "peripheral artery disease"),
        ("Can I use a wound vac on it?", "negative-pressure wound therapy"),
        ("oedema of the ankles", "swelling"),
    ],
)
def test_a_question_is_known_by_its_other_words(question: str, other: str) -> None:
    """Lay and clinical words lead to each other, whoever owns the legs."""
    assert other in [synonym.other for synonym in find_synonyms(question, {})]


def test_the_longest_phrase_wins() -> None:
    """ "High blood pressure in pregnancy with protein" is one thing, not high blood pressure."""
    found = find_synonyms("high blood pressure in pregnancy with protein", {})
    assert {synonym.other for synonym in found} == {"pre-eclampsia", "preeclampsia"}


@pytest.mark.parametrize(
    ("question", "known", "expected"),
    [
        ("How is DVT diagnosed?", True, "the corpus explains it as it is written"),
        ("how is dvt diagnosed", True, "typed all in small letters"),
        ("How is dvt diagnosed?", False, "a small word in a sentence with capitals is a word"),
        ("who is at risk", False, "a stop word is never an abbreviation"),
    ],
)
def test_abbreviations_come_from_the_corpus(question: str, known: bool, expected: str) -> None:
    """A short form means what the corpus says that it means."""
    found = find_synonyms(question, {"DVT": "deep vein thrombosis", "WHO": "world health organization"})
    assert bool(found) is known, expected


def test_other_words_weigh_less_than_those_of_the_question() -> None:
    """The question did not say them."""
    assert all(0 < weight < 1 for _, weight in expand("heart attack", {}))


def test_twins_put_one_phrase_in_other_words() -> None:
    """The question itself comes first."""
    twins = reworded("Is DVT painful?", [Synonym("DVT", "deep vein thrombosis")])
    assert twins == ("Is DVT painful?", "Is deep vein thrombosis painful?")


def test_no_phrase_stands_in_two_sets() -> None:
    """A phrase with two meanings would be searched by the wrong one."""
    import yaml

    rows = yaml.safe_load(synonyms._TABLE.read_text(encoding="utf-8"))
    phrases = [phrase for row in rows for phrase in row]
    assert len(phrases) == len(set(phrases)) and all(len(row) > 1 for row in rows)
    assert all(phrase == phrase.lower() and len(phrase.split()) <= synonyms._LONGEST_PHRASE for phrase in phrases)
