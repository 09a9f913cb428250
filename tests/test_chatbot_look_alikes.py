"""Medicines by their exact names: a quote answers only for the one that was asked about."""

from pathlib import Path

import pytest
import yaml
from conftest import count_safety

from chatbot.present.drugs import (
    answers_for_named_drug,
    asked_drugs,
    find_drugs,
    load_lexicon,
    load_look_alikes,
    look_alikes,
    named_drugs,
)

FOLDER = Path(__file__).parent
CASES = yaml.safe_load((FOLDER / "safety" / "look_alikes.yaml").read_text(encoding="utf-8"))
PAIRS = sorted({tuple(sorted((one, other))) for one, others in load_look_alikes().items() for other in others})


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_only_the_exact_medicine_answers(half: str) -> None:
    """A quote answers for a named medicine only if that medicine stands in it or above it."""
    cases = CASES[half]
    misses = [c for c in cases if answers_for_named_drug(c["asks"], c["quote"], c["under"]) != c["answers"]]
    print(f"\nlook-alikes, {half}: {len(cases) - len(misses)} of {len(cases)} right")
    count_safety("look-alike names", len(cases) - len(misses), len(cases))
    print(*misses, sep="\n")
    assert misses == []


@pytest.mark.safety
def test_no_look_alike_answers_for_the_other() -> None:
    """In every listed pair, neither answers for the other, even under the other's heading."""
    wrong = [
        (one, other)
        for pair in PAIRS
        for one, other in (pair, pair[::-1])
        if answers_for_named_drug(f"What is the dose of {one}?", f"{other.capitalize()} is given daily.", [one])
        or not answers_for_named_drug(f"What is the dose of {one}?", f"{one.capitalize()} is given daily.")
    ]
    print(f"\nlook-alike pairs, both ways: {2 * len(PAIRS) - len(wrong)} of {2 * len(PAIRS)} right")
    print(*wrong, sep="\n")
    count_safety("look-alike pairs, both ways", 2 * len(PAIRS) - len(wrong), 2 * len(PAIRS))
    assert len(PAIRS) >= 40
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Quinine and quinidine differ.", {"quinine", "quinidine"}),
        ("Tylenol", {"paracetamol"}),
        ("epinephrine", {"adrenaline"}),
        ("glyceryl trinitrate spray", {"glyceryl trinitrate"}),
        ("an unknown zortipril or vexotinib", {"zortipril", "vexotinib"}),
        ("insulin resistance and serum magnesium", set()),
        ("insulin and magnesium tablets", {"insulin", "magnesium"}),
        ("cholesterol, April, vaccine, urine, concept", set()),
        ("baclofen-treated patients", {"baclofen"}),
        ("St John’s wort", {"st john's wort"}),
        ("Baker cyst and Crohn disease", set()),
    ],
)
def test_medicines_are_read_from_exact_words(text: str, drugs: set[str]) -> None:
    """Names, brands and unknown names with an INN ending are read; ordinary words are not."""
    assert named_drugs(text) == drugs


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How do I treat cramps in a patient on warfarin?", set()),
        ("Can I take ibuprofen while on warfarin?", {"ibuprofen"}),
        ("What is the maximum dose in a patient taking baclofen?", {"baclofen"}),
        ("What can I use instead of quinine?", set()),
        ("Is quinine safe?", {"quinine"}),
    ],
)
def test_circumstances_are_not_asked_about(question: str, asked: set[str]) -> None:
    """A medicine that the person takes already is not what a treatment question is about."""
    assert asked_drugs(question) == asked


def test_spans_are_of_the_words_found() -> None:
    """Offsets point at the name as written."""
    text = "Give Tylenol, not quinine's cousin."
    assert [text[start:end] for _, start, end in find_drugs(text)] == ["Tylenol", "quinine"]


def test_the_lexicon_is_sound() -> None:
    """The lexicon is large, in lower case, and no look-alike is its own other."""
    assert len(load_lexicon().canonical) >= 600
    assert all(name == name.lower() for name in load_lexicon().canonical)
    assert all(name not in others for name, others in load_look_alikes().items())
    assert "quinidine" in look_alikes("quinine")
