"""The disclaimer: never empty, honest, and as easy as its reader needs."""

from typing import get_args

import pytest

from chatbot.present.audience import reading_grade
from chatbot.present.disclaimer import disclaimer
from chatbot.replies import Audience

AUDIENCES = get_args(Audience)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_it_is_never_empty_and_easy_enough(audience: Audience) -> None:
    """Grade 6 or less for patients, 10 or less for others."""
    assert 0 < reading_grade(disclaimer(audience)) <= (6 if audience == "patient" else 10)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_it_says_that_it_is_software(audience: Audience) -> None:
    """No reader can take it for a clinician."""
    text = disclaimer(audience)
    assert ("software" in text or "computer program" in text) and "not a" in text


@pytest.mark.parametrize("audience", ["nurse", "physician"])
def test_professionals_are_told_to_verify(audience: Audience) -> None:
    """It is supplementary to judgement and guidelines, and is to be checked before use."""
    text = disclaimer(audience)
    assert "supplementary to your clinical judgement and to the guidelines it cites" in text
    assert "Check each quote and dose in its source before you use it." in text
    assert "no clinician has reviewed it" in text


def test_patients_are_sent_to_a_professional() -> None:
    """It is something to talk about with a professional, not to act on alone."""
    assert "talk with your doctor, nurse or pharmacist" in disclaimer("patient")


@pytest.mark.parametrize("audience", AUDIENCES)
def test_it_says_you_have_nothing(audience: Audience) -> None:
    """No diagnosis stands in a disclaimer."""
    assert "you have" not in disclaimer(audience).lower()
