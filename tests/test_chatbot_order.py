"""The order of quoted passages: newer first among equals, those that disagree side by side, replaced ones after."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import write_articles

from chatbot.present.conflicts import find_conflicts
from chatbot.present.order import newest_first
from chatbot.replies import CitedPassage, Statement, Turn, to_dict
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from index.build import build

PASSAGE = CitedPassage(1, "p1", "d1", "Cramps", "guideline", 2024, (), "", 0, 0, None, "", None)


def ordered(rows, texts=(), **settings):
    """Return document ids as they are read; `rows` are (year, score, changes) in the search's order."""
    passages = [
        replace(PASSAGE, number=n, passage_id=f"p{n}", document_id=f"d{n}", year=year, **changes)
        for n, (year, _, changes) in enumerate(rows, 1)
    ]
    texts = texts or [(f"Advice {n} on rest.", "neutral") for n in range(len(rows))]
    statements = [Statement(text, (n,), polarity=side) for n, (text, side) in enumerate(texts, 1)]
    scores = {f"p{n}": score for n, (_, score, _) in enumerate(rows, 1)}
    conflicts = find_conflicts(statements, passages)
    said, shown = newest_first(statements, passages, conflicts, scores, **settings)
    assert [p.number for p in shown] == list(range(1, len(rows) + 1))
    # Each statement still names the passage that it was taken from.
    was = {s.text: p.document_id for s, p in zip(statements, passages, strict=True)}
    assert [was[s.text] for s in said] == [p.document_id for p in shown]
    return [p.document_id for p in shown]


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        # About equal: the newer first, undated ones last.
        ([(2010, 0.80, {}), (2024, 0.79, {}), (None, 0.80, {})], ["d2", "d1", "d3"]),
        # A clearly better passage stays first, whatever its year.
        ([(2010, 0.90, {}), (2024, 0.80, {})], ["d1", "d2"]),
        # A replaced one comes after its successor, named by id or by title, even if it scored better.
        ([(2020, 0.95, {"superseded_by": "d2"}), (2024, 0.70, {})], ["d2", "d1"]),
        ([(2020, 0.95, {"superseded_by": "new cramps"}), (2024, 0.70, {"title": "New cramps"})], ["d2", "d1"]),
        # Withdrawn ones come last.
        ([(2025, 0.95, {"flags": ("retracted",)}), (2001, 0.60, {})], ["d2", "d1"]),
        ([(2024, 0.8, {})], ["d1"]),
    ],
)
def test_comparable_passages_are_read_newest_first(rows, order):
    """Years count among equals and between sources that belong together, and nowhere else."""
    assert ordered(rows) == order


def test_ease_comes_before_years_for_patients():
    """Where years do not rank, equals stay as they were."""
    assert ordered([(2010, 0.80, {}), (2024, 0.79, {})], years_rank=False) == ["d1", "d2"]


def test_what_is_about_the_people_asked_for_comes_first():
    """The passages that are named come first, whatever their year and score; a withdrawn one does not."""
    rows = [(2024, 0.90, {}), (2010, 0.60, {}), (2012, 0.55, {"flags": ("retracted",)})]
    assert ordered(rows, foremost={"p2", "p3"}) == ["d2", "d1", "d3"]


def test_the_group_that_a_follow_up_asks_for_is_read_first(shipped_bot):
    """ "And in pregnancy?" is answered by what is said of pregnancy first, then by what holds for all."""
    question = "What is the treatment for a patient experiencing calf cramps?"
    reply = shipped_bot.reply("and in pregnancy?", (Turn("user", question), Turn("assistant", "Stretch the calf.")))
    assert "pregnan" in reply.statements[0].text.lower()


@pytest.mark.parametrize("years_rank", [True, False])
def test_sources_that_disagree_stand_side_by_side_the_newer_first(years_rank):
    """A newer source that says otherwise is put before the older one, next to it."""
    rows = [(2010, 0.95, {}), (2015, 0.85, {}), (2024, 0.70, {})]
    texts = [("Quinine is recommended.", "for"), ("Rest helps.", "for"), ("Quinine is not recommended.", "against")]
    assert ordered(rows, texts, years_rank=years_rank) == ["d3", "d1", "d2"]


def test_a_reply_reads_the_newer_first_and_dates_each_quote(tmp_path, minilm):
    """Through the whole pipeline: the newer guideline leads, and every quote has its year and state beside it."""
    old = "---\nid: old\ntitle: Night cramps\nyear: 2009\nsuperseded_by: new\n---\n\n## Treatment\n\n"
    new = "---\nid: new\ntitle: Night leg cramps\nyear: 2024\n---\n\n## Treatment\n\n"
    texts = {
        "old": old + "Quinine 300 mg at night is recommended for night leg cramps in adults.\n",
        "new": new + "Quinine should not be used for night leg cramps in adults.\n",
    }
    build([write_articles(tmp_path / "articles", texts)], tmp_path / "index", minilm, model="all-MiniLM-L6-v2")
    bot = Chatbot(Settings(index=tmp_path / "index", threshold=0.0), minilm)
    row = to_dict(bot.reply("Is quinine recommended for night leg cramps?"))
    assert [passage["document_id"] for passage in row["passages"]] == ["new", "old"]
    assert [statement["issued"] for statement in row["statements"]] == [
        "2024",
        "2009 · superseded · older than 10 years",
    ]
    assert {"superseded", "old", "conflict_polarity"} <= {notice["code"] for notice in row["notices"]}
