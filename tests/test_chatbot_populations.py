"""Populations: who a text is about, and the sentence when no quote is about who was asked for."""

from pathlib import Path

import pytest
import yaml
from conftest import count_safety

from chatbot.present.audience import reading_grade
from chatbot.present.population_mentions import POPULATIONS, populations_in
from chatbot.present.population_words import PopulationWordsError, _choices, _keys
from chatbot.present.populations import population_notices, suits_population
from chatbot.replies import CitedPassage, Statement

CASES = yaml.safe_load((Path(__file__).parent / "safety" / "populations.yaml").read_text(encoding="utf-8"))


def passage(title: str = "", section: tuple[str, ...] = ()) -> CitedPassage:
    return CitedPassage(1, "p", "d", title, "guideline", 2024, section, "", 0, 0, None, "", None)


# The share that must be right where not all is; the rules were not changed for the ninth and tenth voices: what their first runs had.
_SHARES = {"eighth_voice": 315 / 320, "ninth_voice": 43 / 60, "tenth_voice": 67 / 80}


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_groups_are_read(half: str) -> None:
    """Groups are read in clinical and lay words; what a text denies is left out."""
    cases = CASES[half]["named"]
    found = [(case, sorted(populations_in(case["text"]))) for case in cases]
    misses = [(case, groups) for case, groups in found if groups != sorted(case["groups"])]
    print(f"\npopulations, {half}: {len(cases) - len(misses)} of {len(cases)} right")
    print(*misses, sep="\n")
    count_safety("populations named or denied", len(cases) - len(misses), len(cases))
    assert len(cases) - len(misses) >= _SHARES.get(half, 1) * len(cases)


@pytest.mark.parametrize(
    "text", ["a " * 5000, "1 " * 5000, "hives " * 2000, "baby, " * 2000, "made me " * 2000, "0.5 at " * 2000]
)
def test_long_texts_without_people_come_back(text: str) -> None:
    """No pattern goes back over a text again and again: thousands of beginnings are read as quickly as words."""
    assert populations_in(text) <= {"child", "allergy"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("{in labour,preg} now", ["in labour now", "preg now"]),
        ("{a(?:b,c),de}", ["a(?:b,c)", "de"]),
        ("(?<!cod[ -]){livers?}", ["(?<!cod[ -])livers?"]),
        ("plain words", ["plain words"]),
    ],
)
def test_choices_of_a_line(row: str, expected: list[str]) -> None:
    """Braces that begin a line give one line for each choice; commas inside brackets part nothing."""
    assert list(_choices(row)) == expected


@pytest.mark.parametrize("line", ["a?llergy", "h?epatitis", "{open", "(?:kidney|renal)"])
def test_a_line_needs_fixed_letters(line: str) -> None:
    """A line that could begin with anything would be tried nowhere: it is an error, never left out."""
    with pytest.raises(PopulationWordsError, match=r"population_words\.yaml"):
        [_keys(choice) for choice in _choices(line)]


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_doses_fit_who_is_asked_for(half: str) -> None:
    """An adult's dose is never shown for a child, nor a child's for an older or pregnant person."""
    cases = CASES[half]["doses"]
    misses = [
        case
        for case in cases
        if suits_population(populations_in(case["asks"]), case["quote"], tuple(case["under"])) != case["fits"]
    ]
    print(f"\npopulation doses, {half}: {len(cases) - len(misses)} of {len(cases)} right")
    print(*misses, sep="\n")
    count_safety("doses that may or may not be shown to a population", len(cases) - len(misses), len(cases))
    assert misses == []


def test_silence_is_told_as_silence() -> None:
    """A group that no quote is about gets its sentence."""
    (notice,) = population_notices({"pregnancy"}, [Statement("Stretch the calf.", (1,))], [passage("Leg cramps")])
    assert notice.code == "population_pregnancy"
    assert notice.text.startswith("None of the quotes is about pregnancy.")


@pytest.mark.parametrize(
    ("statement", "cited"),
    [
        (Statement("Avoid baclofen in pregnancy.", (1,)), passage()),
        (Statement("Avoid baclofen.", (1,), context=("In pregnant women:",)), passage()),
        (Statement("Avoid baclofen.", (1,)), passage(section=("Pregnancy",))),
        (Statement("Avoid baclofen.", (1,)), passage("Leg cramps in pregnancy")),
    ],
)
def test_a_quote_about_the_group_needs_no_notice(statement: Statement, cited: CitedPassage) -> None:
    """Words, lead-ins, section and title all make a quote about the group."""
    assert population_notices({"pregnancy"}, [statement], [cited]) == ()


def test_no_quotes_no_notice() -> None:
    """An abstention says already that nothing was found."""
    assert population_notices({"pregnancy"}, [], []) == ()


def test_notices_never_call_silence_safe() -> None:
    """Every notice is easy to read and says that silence is not safety."""
    notices = population_notices(frozenset(POPULATIONS), [Statement("Stretch.", (1,))], [passage()])
    assert len(notices) == len(POPULATIONS)
    for notice in notices:
        assert "does not mean that it is safe" in notice.text
        assert reading_grade(notice.text) <= 6
