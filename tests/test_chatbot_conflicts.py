"""Conflicts: quotes of different documents that disagree are found, with both sides in their own words."""

from pathlib import Path

import pytest
import yaml
from conftest import count_safety

from chatbot.present.conflicts import conflict_notices, find_conflicts
from chatbot.replies import CitedPassage, Statement

CASES = yaml.safe_load((Path(__file__).parent / "safety" / "conflicts.yaml").read_text(encoding="utf-8"))


def passage(number: int, title: str, document: str = "", year: int = 2020, source: str = "") -> CitedPassage:
    return CitedPassage(
        number,
        f"p{number}",
        document or f"d{number}",
        title,
        "guideline",
        year,
        (),
        "",
        0,
        0,
        None,
        "",
        None,
        source=source,
    )


def differ(case: dict) -> str:
    statements = [Statement(case[key][1], (number,), polarity=case[key][2]) for number, key in ((1, "a"), (2, "b"))]
    found = find_conflicts(statements, [passage(1, case["a"][0]), passage(2, case["b"][0])])
    return found[0].kind if found else ""


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_disagreement_is_found_and_agreement_is_not(half: str) -> None:
    """Opposite advice and other numbers on the same thing conflict; another condition, purpose or group does not."""
    found = [(case, differ(case)) for case in CASES[half]]
    misses = [(case, kind) for case, kind in found if kind != case["differ"]]
    print(f"\nconflicts, {half}: {len(found) - len(misses)} of {len(found)} right")
    print(*misses, sep="\n")
    count_safety("conflicts", len(found) - len(misses), len(found))
    assert [case for case, _ in misses] == [case for case in CASES[half] if case.get("missed")]


@pytest.mark.parametrize("half", CASES)
def test_conflicts_do_not_depend_on_order(half: str) -> None:
    """Which quote comes first does not matter."""
    for case in CASES[half]:
        assert differ({"a": case["b"], "b": case["a"]}) == differ(case), case


def test_one_document_does_not_conflict_with_itself() -> None:
    """Steps of one document's plan are not held against each other."""
    statements = [Statement("Baclofen, at most 30 mg a day.", (1,)), Statement("Baclofen, at most 80 mg a day.", (2,))]
    assert find_conflicts(statements, [passage(1, "Cramps", "same"), passage(2, "Cramps", "same")]) == ()


def test_a_heading_does_not_make_a_list_of_signs_advice() -> None:
    """A warning sign under a medicine's heading is no advice against it, nor is the opening of a list."""
    advice = Statement("Quinine may be tried for cramps.", (1,), polarity="for")
    for text in ("Unexplained bruising.", "Quinine is stopped at once if there is bruising.", "Avoid quinine in:"):
        sign = Statement(text, (2,), polarity="against")
        assert (
            find_conflicts([advice, sign], [passage(1, "Quinine for cramps"), passage(2, "Quinine for cramps")]) == ()
        )


def test_two_documents_differ_on_one_thing_once() -> None:
    """Several quotes of the same two documents on one medicine give one conflict."""
    statements = [
        Statement("Quinine may be tried for cramps.", (1,), polarity="for"),
        Statement("Quinine should not be used for cramps.", (2,), polarity="against"),
        Statement("Quinine is not advised for cramps.", (2,), polarity="against"),
    ]
    assert len(find_conflicts(statements, [passage(1, "Cramps"), passage(2, "Leg cramps")])) == 1


def test_both_sides_are_shown_verbatim_with_body_and_year() -> None:
    """The notice holds both amounts byte for byte, their citation numbers, kinds, bodies and years."""
    statements = [
        Statement("Baclofen, at most 30 mg a day.", (1,)),
        Statement("Baclofen, to a maximum of 80 mg/day.", (2,)),
    ]
    passages = [passage(1, "Cramps", year=2012, source="AAFP"), passage(2, "Cramps", year=2024)]
    (notice,) = conflict_notices(find_conflicts(statements, passages), statements, passages)
    assert notice.code == "conflict_number"
    assert notice.text == (
        "The sources differ on baclofen. [1] (guideline, AAFP, 2012) says “30 mg”. "
        "[2] (guideline, 2024) says “80 mg/day”. Read both."
    )
