"""Strength: the source's own words and grades become short marks."""

import pytest

from chatbot.present.strength import strength_badges


@pytest.mark.parametrize(
    ("text", "badges"),
    [
        ("Patients must be told of the risk.", ("must",)),
        ("Quinine must not be used.", ("must not",)),
        ("Clinicians should check potassium.", ("should",)),
        ("Stretching should not be advised for prevention.", ("should not",)),
        ("Baclofen should be considered.", ("consider",)),
        ("Consider magnesium in pregnancy.", ("consider",)),
        ("Magnesium may be tried.", ("may",)),
        ("Statins may cause muscle pain.", ()),
        ("Should symptoms return, call a doctor.", ()),
        ("Quinine is no longer recommended.", ("not recommended",)),
        ("Baclofen is recommended.", ("recommended",)),
        ("We recommend against quinine.", ("not recommended",)),
        ("We suggest heat.", ("suggested",)),
        ("There is insufficient evidence for vitamin E.", ("insufficient evidence",)),
        ("The evidence is insufficient to assess benefit.", ("insufficient evidence",)),
        ("Aspirin should be given (Class IIa, Level B).", ("should", "class IIa", "level B")),
        ("Revascularise (class I, level of evidence A).", ("class I", "level A")),
        ("COR 2a, LOE B-NR", ("class 2a", "level B-NR")),
        ("Use compression (1A).", ("GRADE 1A",)),
        ("Use compression (Grade 2C).", ("GRADE 2C",)),
        (
            "Anticoagulate (strong recommendation, moderate-certainty evidence).",
            ("strong recommendation", "moderate certainty evidence"),
        ),
        ("A conditional recommendation against routine imaging.", ("conditional recommendation against",)),
        ("Low-quality evidence supports ice.", ("low certainty evidence",)),
        ("NYHA class II heart failure is mild.", ()),
        ("Class I antiarrhythmics are avoided.", ()),
        ("Child-Pugh class B (moderate).", ()),
        ("Transfer to a level 1 trauma centre.", ()),
        ("Baclofen relaxes muscle.", ()),
    ],
)
def test_strength_is_read_as_the_source_says_it(text: str, badges: tuple[str, ...]) -> None:
    """Wording, grades, class and level are kept; look-alikes such as NYHA classes are not taken for them."""
    assert strength_badges(text) == badges


def test_a_lead_in_gives_its_items_their_strength() -> None:
    """An item under "Consider:" is a "consider"."""
    assert strength_badges("magnesium", ("Consider:",)) == ("consider",)


def test_each_badge_is_shown_once() -> None:
    """Saying "should" twice is one badge."""
    assert strength_badges("Patients should rest and they should stretch.") == ("should",)
