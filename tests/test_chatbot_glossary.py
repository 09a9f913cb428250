"""Glossary: clinical terms are explained in place, in easy words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.present.audience import reading_grade
from chatbot.present.glossary import explain_terms, load_glossary


def test_the_glossary_is_large_and_easy() -> None:
    """There are at least 400 explanations, each of grade 8 or less."""
    explanations = set(load_glossary().explanations.values())
    assert len(explanations) >= 400
    hard = {text: grade for text in explanations if (grade := reading_grade(f"This means {text}.")) > 8}
    assert hard == {}


def test_no_explanation_needs_the_term_itself() -> None:
    """An explanation does not lean on the term that it explains."""
    leaning = [term for term, text in load_glossary().explanations.items() if term in text.lower().split()]
    assert leaning == []


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Claudication is common.", ["Claudication"]),
        ("Deep vein thrombosis of the calf", ["Deep vein thrombosis"]),
        ("peripheral neuropathies and arteries", ["peripheral neuropathies", "arteries"]),
        ("deep vein thromboses", ["deep vein thromboses"]),
        ("NSAIDs and MRI", ["NSAIDs", "MRI"]),
        ("the mri is a river", []),
        ("hypertension (high blood pressure)", []),
        ("edema, oedema and edema", ["edema"]),
        ("Rest the leg and drink water.", []),
        ("It’s an ankle-brachial index of 0.9", ["ankle-brachial index"]),
    ],
)
def test_terms_are_found_where_they_stand(text: str, terms: list[str]) -> None:
    """Longest term first, plurals too, each meaning once, nothing that the text explains itself."""
    assert [found.term for found in explain_terms(text)] == terms


def test_the_limit_holds() -> None:
    """No more than `limit` terms are explained."""
    text = "angina, arrhythmia, ascites, asthma, ataxia, cirrhosis, delirium"
    assert len(explain_terms(text, 2)) == 2
    assert explain_terms(text, 0) == ()


@given(st.lists(st.sampled_from([*load_glossary().explanations, "the", ",", "–", "\n", "quinine"]), max_size=12))
def test_spans_hold_their_terms(words: list[str]) -> None:
    """Each explained term is the text at its own offsets, in order."""
    text = " ".join(words)
    last = 0
    for found in explain_terms(text, 20):
        assert text[found.start : found.end] == found.term
        assert last <= found.start
        last = found.end
