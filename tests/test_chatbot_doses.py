"""Doses: what a quote leaves unsaid, what in it is easily misread, and what is never worked out."""

from pathlib import Path

import pytest
import yaml
from conftest import count_safety

from chatbot.present.amounts import find_amounts
from chatbot.present.audience import reading_grade
from chatbot.present.doses import (
    asks_personal_calculation,
    calculation_notice,
    dose_fields,
    dose_notices,
    find_notations,
    is_dose_statement,
    notation_notes,
    statement_cautions,
)
from chatbot.replies import CitedPassage, Statement

CASES = yaml.safe_load((Path(__file__).parent / "safety" / "doses.yaml").read_text(encoding="utf-8"))
COMPLETE = "Adults: baclofen 5 mg by mouth three times a day, to at most 80 mg a day."


def passage(text: str, title: str = "", section: tuple[str, ...] = ()) -> CitedPassage:
    return CitedPassage(1, "p", "d", title, "guideline", 2024, section, text, 0, len(text), None, "", None)


def report(name: str, half: str, total: int, misses: list) -> None:
    print(f"\n{name}, {half}: {total - len(misses)} of {total} right")
    print(*misses, sep="\n")
    count_safety(f"doses: {name}", total - len(misses), total)


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_dose_statements_are_told_from_other_numbers(half: str) -> None:
    """A dose is a dose; laboratory values, diets and durations are not."""
    cases = CASES[half]["statements"]
    misses = [case for case in cases if is_dose_statement(case["text"], tuple(case["under"])) != case["dose"]]
    report("dose or not", half, len(cases), misses)
    assert misses == []


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_missing_fields_are_named(half: str) -> None:
    """What a dose and its headings leave out is named, and nothing else is."""
    cases = [case for case in CASES[half]["statements"] if case["dose"]]
    found = [(case, list(dose_fields(case["text"], tuple(case["under"])).missing)) for case in cases]
    misses = [(case, missing) for case, missing in found if missing != case["missing"]]
    report("dose fields", half, len(cases), misses)
    assert misses == []


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_error_prone_notations_are_found(half: str) -> None:
    """Each notation that is easily misread is found; look-alikes of notations are not."""
    cases = CASES[half]["notations"]
    found = [(case, [notation.id for notation in find_notations(case["text"])]) for case in cases]
    misses = [(case, ids) for case, ids in found if sorted(ids) != sorted(case["ids"])]
    report("notations", half, len(cases), misses)
    assert misses == []


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_personal_calculations_are_recognised(half: str) -> None:
    """A dose for one person, or a conversion, is recognised; a question about a dose is not one."""
    cases = CASES[half]["personal"]
    misses = [case for case in cases if asks_personal_calculation(case["text"]) != case["calculation"]]
    report("personal calculation", half, len(cases), misses)
    assert misses == []


def test_the_fields_hold_the_quotes_own_words() -> None:
    """Every field of a complete dose is a piece of the quote, byte for byte."""
    fields = dose_fields(COMPLETE)
    assert fields.missing == ()
    assert fields.drug == "baclofen"
    for piece in (fields.amount, fields.unit, fields.route, fields.interval, fields.maximum, fields.population):
        assert piece in COMPLETE


def test_a_complete_dose_has_no_notice() -> None:
    """Nothing is said beside a dose that says everything."""
    assert dose_notices(Statement(COMPLETE, (1,)), passage(COMPLETE)) == ()


def test_missing_fields_are_said_in_one_sentence() -> None:
    """The reader is told which fields the quote does not say."""
    statement = Statement("Baclofen is started at 10 mg/day.", (1,))
    assert dose_notices(statement) == ("The quote does not say: route, maximum, population.",)


def test_what_the_section_says_elsewhere_is_quoted_with_it() -> None:
    """A field that another sentence of the passage gives is carried in that sentence's words, once."""
    quote, limit = "Adults: baclofen 5 mg three times a day.", "The maximum is 80 mg a day."
    statement = Statement(quote, (1,))
    notices = dose_notices(statement, passage(f"{quote} {limit}"))
    assert notices == (f"The same section says: “{limit}”", "The quote does not say: route.")
    # Shown beside it already, it is not repeated.
    assert dose_notices(statement, passage(f"{quote} {limit}"), beside=[limit]) == ("The quote does not say: route.",)


@pytest.mark.parametrize(
    "other",
    [
        # Another medicine's, another group's, and what belongs to one of two groups.
        "The maximum of tizanidine is 36 mg a day.",
        "In children the maximum is 40 mg a day.",
        "In children it is 2 mg by mouth. In pregnancy the maximum is 30 mg a day.",
    ],
)
def test_another_dose_s_maximum_is_not_carried(other: str) -> None:
    """A maximum of another medicine or group is never put beside a dose."""
    quote = "Adults: baclofen 5 mg by mouth three times a day."
    notices = dose_notices(Statement(quote, (1,)), passage(f"{quote} {other}"))
    assert notices == ("The quote does not say: maximum.",)


def test_patients_read_plain_field_names() -> None:
    """A patient reads "how to take it", not "route"."""
    statement = Statement("Adults: baclofen 5 mg three times a day.", (1,))
    assert dose_notices(statement, audience="patient") == ("The quote does not say: how to take it, the most to take.",)


def test_dose_notices_are_plain() -> None:
    """Even the longest notice reads at grade 6 for a patient and at grade 10 for others."""
    statement = Statement("Give 100 mg.", (1,))
    (patient,) = dose_notices(statement, audience="patient")
    (physician,) = dose_notices(statement)
    assert physician == "The quote does not say: drug, route, interval, maximum, population."
    assert reading_grade(patient) <= 6
    assert reading_grade(physician) <= 10


def test_a_title_gives_drug_and_population() -> None:
    """The passage's title and section count as what the quote stands under."""
    statement = Statement("10 mg by mouth once daily, at most 20 mg.", (1,))
    assert dose_notices(statement, passage(statement.text, "Amlodipine in adults")) == ()


def test_no_notice_beside_what_is_no_dose() -> None:
    """A laboratory value gets no dose notice."""
    assert dose_notices(Statement("Potassium below 3.5 mmol/L is low.", (1,))) == ()


def test_a_dose_that_is_warned_against_needs_no_fields() -> None:
    """Nothing is missing from a dose that nobody should take."""
    statement = Statement("Start simvastatin 80 mg in a new patient.", (1,), context=("Do not:",), polarity="against")
    assert dose_notices(statement) == ()


def test_a_kidneys_clearance_is_no_dose() -> None:
    """A clearance in mL/minute beside a medicine's name is not an amount of it."""
    assert not is_dose_statement("Cilostazol is avoided at a creatinine clearance of 25 mL/minute or less.")


def test_a_patients_dose_is_as_prescribed() -> None:
    """A dose that a patient reads is followed by the sentence on prescriptions; a clinician's is not."""
    statement = Statement(COMPLETE, (1,))
    assert statement_cautions(statement, audience="patient") == ("Take medicines only as prescribed for you.",)
    assert statement_cautions(statement, audience="physician") == ()


def test_notes_are_plain_and_hold_no_amount() -> None:
    """Each note is easy to read and brings no number with a unit of its own."""
    for half in CASES.values():
        for case in half["notations"]:
            for notation in find_notations(case["text"]):
                own = notation.note.split("” ", 1)[1]
                assert find_amounts(own) == ()
                assert reading_grade("This " + own) <= 6, notation


def test_a_note_quotes_the_notation_as_written() -> None:
    """The notation is shown as the source wrote it."""
    assert notation_notes("Warfarin 1.0 mg.") == (
        "“1.0” ends in a zero after the decimal point. If the point is missed, it reads as ten times as much.",
    )


def test_a_calculation_is_refused_in_plain_words() -> None:
    """The notice for a personal dose is easy to read and computes nothing."""
    notice = calculation_notice("My child weighs 14 kg, how much ibuprofen?")
    assert notice is not None
    assert reading_grade(notice.text) <= 6
    assert find_amounts(notice.text) == ()
    assert calculation_notice("What is the dose of ibuprofen in children?") is None


@pytest.mark.parametrize(
    ("text", "low", "high", "scale", "per"),
    [
        ("20–40 g/week", 20000, 40000, "mg", ("week",)),
        ("300 mg to 600 mg", 300, 600, "mg", ()),
        ("1,000 mg", 1000, 1000, "mg", ()),
        ("500 micrograms", 0.5, 0.5, "mg", ()),
        ("0.1 units/kg/hour", 0.1, 0.1, "unit", ("kg", "hour")),
        ("1.2 million units", 1.2e6, 1.2e6, "unit", ()),
        ("two puffs", 2, 2, "puff", ()),
    ],
)
def test_amounts_are_read_on_one_scale(text: str, low: float, high: float, scale: str, per: tuple) -> None:
    """Ranges, thousands and units of weight are read alike, so that they can be compared."""
    (amount,) = find_amounts(text)
    assert (amount.low, amount.high) == pytest.approx((low, high))
    assert (amount.scale, amount.per, text[amount.start : amount.end]) == (scale, per, text)


@pytest.mark.parametrize("text", ["3.5 mmol/L", "70 mg/dL", "30 mL/min/1.73 m2", "5000 U/L", "25 ng/mL"])
def test_laboratory_values_are_no_amounts(text: str) -> None:
    """A concentration is not an amount of medicine."""
    assert find_amounts(text) == ()
