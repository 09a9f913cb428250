"""Every sentence of ours is easy enough for its reader: grade 6 for patients, grade 10 for all others."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from typing import get_args

import pytest
from conftest import count_safety

from chatbot.answer.generate_faults import FAULT_NOTICES
from chatbot.answer.llm import banner
from chatbot.present.audience import prescribed_sentence, reading_grade
from chatbot.present.conflicts import Conflict, conflict_notices
from chatbot.present.currency import currency_notices
from chatbot.present.disclaimer import disclaimer
from chatbot.present.doses import _load_notations, dose_notices
from chatbot.present.notices import ABSTENTIONS, answer_notices, question_notices
from chatbot.present.population_mentions import POPULATIONS
from chatbot.present.populations import population_notices
from chatbot.replies import AbstentionReason, Audience, CitedPassage, Statement
from chatbot.understand.redflags import crisis_card, load_rules
from chatbot.understand.unfit import load_unfit_rules
from chatbot.web.page import frame
from corpus.documents import Document

PASSAGE = CitedPassage(1, "p", "d", "Cramps", "guideline", 2025, (), "", 0, 0, None, "", None)
TODAY = datetime.date(2026, 11, 23)


def cards() -> dict[str, str]:
    """Return the words of every emergency and crisis card, each whole.

    The formula was made for passages: a line of six words with "emergency number" in it has no grade of its own.
    """
    rules = load_rules()
    found = {f"card {rule.id}": rule.card for rule in (*rules.rules, rules.score.rule)}
    found |= {f"crisis card {locale}": crisis_card(locale) for locale in (None, "gb", "us")}
    return {name: " ".join((f"{card.title}.", card.text, *card.actions)) for name, card in found.items()}


def notices() -> dict[str, str]:
    """Return every notice that can stand beside a question or an answer."""
    old = [
        replace(PASSAGE, flags=("retracted", "erratum", "expression of concern"), superseded_by="x", year=None),
        replace(PASSAGE, number=2, year=1990, review_status="submitted", flags=("check_numbers",)),
    ]
    statements = [Statement("Rest.", (1,), polarity="for"), Statement("Do not run.", (2,), polarity="against")]
    found = [
        *question_notices("Is it true that my son John Smith, DOB 1/2/2020, 14 kg, needs 5 mg?"),
        *currency_notices(old, TODAY),
        *population_notices(frozenset(POPULATIONS), [Statement("Rest.", (1,))], [PASSAGE]),
        *answer_notices(
            statements,
            old,
            [Document("d", "T", ""), Document("d", "T", "")],
            frozenset(),
            today=TODAY,
            max_age_years=10,
        ),
        *conflict_notices([Conflict("polarity", 0, 1, "rest", ("Rest.", "Do not run."))], statements, old),
    ]
    # Our words alone: what stands in quotation marks is the source's.
    return {f"notice {notice.code}": re.sub(r"“[^”]*”", "this", notice.text) for notice in found}


def cautions(audience: Audience) -> dict[str, str]:
    """Return what can stand beside a quote."""
    found = dict(enumerate(dose_notices(Statement("Give 100 mg.", (1,)), audience=audience)))
    shown = {f"caution {place}": text for place, text in found.items()}
    shown |= {f"notation {row[0]}": f"This {row[-1]}" for row in _load_notations()}
    return shown | {"prescribed": prescribed_sentence()}


def own_words(audience: Audience) -> dict[str, str]:
    """Return every sentence of ours that this reader may see, by what it is."""
    return {
        "disclaimer": disclaimer(audience),
        "clarifying question": "Which one do you mean?",
        "banner": banner("openai:gpt", "http://127.0.0.1:1"),
        **{f"abstention {code}": text.format(terms="“x”") for code, text in ABSTENTIONS.items() if " " in text},
        **{f"unfit {kind.kind}": kind.text for kind in load_unfit_rules().kinds},
        **{f"model {fault}": text for fault, text in FAULT_NOTICES.items()},
        **cards(),
        **notices(),
        **cautions(audience),
    }


@pytest.mark.safety
@pytest.mark.parametrize("audience", get_args(Audience))
def test_our_sentences_are_easy_enough(audience: Audience) -> None:
    """Cards, notices, cautions, abstentions, refusals, disclaimer and banner keep to the reader's grade."""
    limit = 6.0 if audience == "patient" else 10.0
    words = own_words(audience)
    hard = {name: (round(reading_grade(text), 1), text) for name, text in words.items() if reading_grade(text) > limit}
    print(f"\nour own sentences, {audience}: {len(words) - len(hard)} of {len(words)} at grade {limit:g} or less")
    print(*hard.items(), sep="\n")
    count_safety("our own sentences within their reader's grade", len(words) - len(hard), len(words))
    assert hard == {}


@pytest.mark.parametrize("audience", get_args(Audience))
def test_nobody_is_told_what_they_have(audience: Audience) -> None:
    """No sentence of ours says "you have" an illness, or that the program is a clinician."""
    for name, text in own_words(audience).items():
        assert not re.search(
            r"(?<!if )(?<!think )(?<!until )\byou (?:probably |likely )?have (?:an?|the|had)\b", text, re.I
        ), (name, text)
        assert not re.search(
            r"\b(?:i am|we are|this is) (?:a |your )?(?:doctor|nurse|clinician|physician)\b", text, re.I
        )


def test_every_reason_to_abstain_has_words() -> None:
    """No abstention is without a sentence."""
    assert set(ABSTENTIONS) == set(get_args(AbstentionReason))


def test_the_first_screen_says_that_it_is_software() -> None:
    """Before anything is asked, the page says what it is, and that it is no clinician."""
    assert "This is software, not a clinician." in str(frame())
