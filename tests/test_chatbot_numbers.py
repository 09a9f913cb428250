"""Amounts in replies, through the whole pipeline: only in quotes, byte for byte, complete, and nobody's own."""

from __future__ import annotations

import re

import pytest
from conftest import write_articles

from chatbot.present.amounts import find_amounts
from chatbot.replies import Turn, to_dict
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from index.build import build

ARTICLES = {
    "ibuprofen": """---
id: ibuprofen
title: Ibuprofen for pain and fever
source: A body
year: 2023
---

## Dosing in adults

Ibuprofen 400 mg by mouth is taken three times a day with food by adults. The maximum is 2,400 mg in 24 hours.

## Dosing in children

Children over 3 months are given ibuprofen 5 to 10 mg/kg by mouth every 6 to 8 hours. At most 30 mg/kg is given in a day.
""",
    "baclofen": """---
id: baclofen
title: Baclofen for spasticity
year: 2022
---

## Dose

Baclofen is started at 5 mg by mouth three times a day in adults and raised every 3 days.

The drowsiness that it causes passes in most people, who are told so.

The dose of baclofen must not exceed 100 mg a day.

## Study doses

Baclofen 1.0 mg QD or .5 mg HS or 10–20 mg or ½ tablet was used in a study.
""",
    "other": """---
id: other
title: Baclofen in cramps
year: 2012
---

## Dose

Baclofen in adults is given at 30 mg a day, maximum.
""",
    "heparin": """---
id: heparin
title: Heparin for clots
year: 2024
---

## Dose

Heparin 5000 U SC is given every 8 h. Adrenaline 1:1,000 0.5 mL IM is given for anaphylaxis.
""",
}
QUESTIONS = (
    "My child weighs 14 kg, how much ibuprofen?",
    "What is the maximum dose of baclofen?",
    "How was baclofen used in the study?",
    "What is the dose of heparin?",
    "Convert 400 mg of ibuprofen to grams",
    "My mum is 81 and weighs 48 kg, what dose of baclofen?",
    "I take 3 tablets of 200 mg ibuprofen, how many mg is that?",
    "Is it true that baclofen 100 mg is safe?",
)


@pytest.fixture(scope="module")
def bot(tmp_path_factory, minilm):
    """Return a chatbot on four small articles that hold doses."""
    folder = tmp_path_factory.mktemp("doses")
    build([write_articles(folder / "articles", ARTICLES)], folder / "index", minilm, model="all-MiniLM-L6-v2")
    return Chatbot(Settings(index=folder / "index", threshold=0.0), minilm)


def said(*texts):
    """Return what a person said before, each with an answer."""
    return tuple(turn for text in texts for turn in (Turn("user", text), Turn("assistant", "Noted.")))


def quotes(reply):
    """Return the quotes of a reply."""
    return [statement["text"] for statement in reply["statements"]]


@pytest.mark.parametrize("audience", ["patient", "student", "nurse", "physician"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_an_amount_stands_only_in_a_quote(bot, question, audience):
    """Our own sentences hold no amount but in quotation marks, and those are bytes of a source; so are the quotes."""
    row = to_dict(bot.reply(question, audience=audience))
    sources = [bot.opened.records.document(name).text for name in ARTICLES]
    assert all(any(text in source for source in sources) for text in quotes(row))
    ours = [row["disclaimer"], row.get("reason", ""), *(notice["text"] for notice in row["notices"])]
    ours += [caution for statement in row["statements"] for caution in statement["cautions"]]
    for text in ours:
        for quoted in re.findall(r"“(.*?)”", text):
            assert any(quoted in source for source in sources) or quoted in question, quoted
        assert find_amounts(re.sub(r"“.*?”", "", text)) == (), text


def test_a_weight_brings_the_line_per_kilogram_and_a_notice(bot):
    """Nothing is worked out for a child of 14 kg: no 70, 140 or 420 mg anywhere."""
    row = to_dict(bot.reply("My child weighs 14 kg, how much ibuprofen?"))
    assert any("5 to 10 mg/kg" in text for text in quotes(row)) and not any("400 mg" in text for text in quotes(row))
    assert "no_calculation" in {notice["code"] for notice in row["notices"]}
    assert not re.search(r"\b(?:70|140|420) ?mg", str(row))


def test_a_dose_carries_what_its_section_says(bot):
    """The maximum that another sentence of the section gives stands beside the dose, as a quote or with it."""
    row = to_dict(bot.reply("How is baclofen started?"))
    start = next(statement for statement in row["statements"] if "started at 5 mg" in statement["text"])
    limit = "The dose of baclofen must not exceed 100 mg a day."
    assert limit in quotes(row) or f"The same section says: “{limit}”" in start["cautions"]
    assert not any("maximum" in caution for caution in start["cautions"])


def test_another_medicine_in_the_same_passage_does_not_answer(bot):
    """The dose of adrenaline under "Heparin for clots" is not quoted for heparin."""
    row = to_dict(bot.reply("What is the dose of heparin?"))
    assert quotes(row) == ["Heparin 5000 U SC is given every 8 h."]
    assert [caution[:4] for caution in row["statements"][0]["cautions"][1:]] == ["“U” ", "“SC”"]


@pytest.mark.parametrize(
    ("before", "question", "holds"),
    [
        ("My son is 4 years old and has a fever.", "What is the dose of ibuprofen?", "mg/kg"),
        ("My daughter (3) has a fever.", "How much ibuprofen is used?", "mg/kg"),
        ("My son is 4 years old and has a fever.", "What is the dose of ibuprofen in adults?", "400 mg"),
        ("My son is 4.|My father is 70, what about him?", "What is the dose of ibuprofen?", "400 mg"),
    ],
)
def test_an_earlier_turn_says_who_it_is_for(bot, before, question, holds):
    """A child that was spoken of gets no adult's dose, until somebody else is named."""
    row = to_dict(bot.reply(question, said(*before.split("|"))))
    doses = [text for text in quotes(row) if find_amounts(text)]
    assert any(holds in text for text in doses)
    if holds == "mg/kg":
        assert all("mg/kg" in text for text in doses)


def test_a_pregnancy_that_was_told_is_not_forgotten(bot):
    """A later question that stands alone still gets the sentence that no quote is about pregnancy."""
    row = to_dict(bot.reply("What is the dose of baclofen?", said("I am pregnant and have cramps.", "Thanks.")))
    assert "population_pregnancy" in {notice["code"] for notice in row["notices"]}
