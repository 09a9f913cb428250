"""Audience: reading grade, order among equals, the sentence after a patient's dose."""

import pytest

from chatbot.present.audience import count_syllables, prefer_for, prescribed_sentence, reading_grade, suits_audience

HARD = "Pharmacological intervention is warranted in individuals with significantly impaired functionality."
EASY = "You may need a drug if the pain is bad."


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("leg", 1),
        ("cramp", 1),
        ("stretched", 1),
        ("doctor", 2),
        ("people", 2),
        ("likely", 2),
        ("movement", 2),
        ("muscle", 2),
        ("disease", 2),
        ("diet", 2),
        ("medicine", 3),
        ("area", 3),
        ("condition", 3),
        ("infection", 3),
        ("patient", 2),
        ("society", 4),
        ("medication", 4),
        ("pregnancy", 3),
        ("physician", 3),
        ("needed", 2),
    ],
)
def test_syllables_are_counted_as_spoken(word: str, syllables: int) -> None:
    """Source: the CMU Pronouncing Dictionary, first pronunciation."""
    assert count_syllables(word) == syllables


def test_the_grade_is_flesch_and_kincaids() -> None:
    """Ten words of eleven syllables in one sentence: 0.39 × 10 + 11.8 × 1.1 − 15.59."""
    assert reading_grade("The cat sat on the mat and had a nap.") == pytest.approx(0.39 * 10 + 11.8 * 1.0 - 15.59)
    assert reading_grade(EASY) < 6 < 12 < reading_grade(HARD)
    assert reading_grade("") == 0.0


def test_patients_read_the_easier_of_equals() -> None:
    """Among about equal answers the easier comes first for a patient, the better for others."""
    items = [(0.81, HARD), (0.80, EASY), (0.40, EASY)]

    def order(audience: str) -> list[float]:
        found = prefer_for(audience, items, text=lambda item: item[1], rank=lambda item: item[0])
        return [rank for rank, _ in found]

    assert order("patient") == [0.80, 0.81, 0.40]
    assert order("physician") == [0.81, 0.80, 0.40]


def test_ease_never_beats_a_better_answer() -> None:
    """A clearly better answer stays first, however hard it reads."""
    items = [(0.50, EASY), (0.90, HARD)]
    best = prefer_for("patient", items, text=lambda item: item[1], rank=lambda item: item[0])[0]
    assert best == (0.90, HARD)


def test_a_patients_passage_suits_a_patient() -> None:
    """A passage for professionals is told from one for patients; an unmarked one suits everybody."""
    assert suits_audience("patient", "", "patient-information")
    assert suits_audience("patient", "patients", "guideline")
    assert not suits_audience("patient", "professional", "guideline")
    assert suits_audience("patient", "", "guideline")
    assert suits_audience("physician", "patients", "guideline")


def test_the_prescribed_sentence_is_plain() -> None:
    """The sentence after a dose says that the prescription counts."""
    assert "as prescribed for you" in prescribed_sentence()
    assert reading_grade(prescribed_sentence()) <= 6
