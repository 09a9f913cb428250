"""How hits are looked at again before they are quoted from."""

from __future__ import annotations

from chatbot.answer.evidence import LOOKED_AT, look_again
from index.passages import Passage
from index.search import Hit


def hit(row: int, text: str, score: float, section: tuple[str, ...] = ()) -> Hit:
    passage = Passage(
        id=str(row), document_id="d", title="", section=section, text=text, start=0, end=len(text), units=()
    )
    return Hit(row, passage, score, score, score, False)


USE = hit(0, "Baclofen is recommended for spasticity.", 0.80)
AVOID = hit(1, "quinine for night cramps", 0.78, ("What not to do", "Do not prescribe:"))


def test_a_question_about_what_to_avoid_prefers_warnings() -> None:
    """Meaning alone cannot tell a sentence from its opposite."""
    assert [h.row for h in look_again("What should not be prescribed?", [USE, AVOID])] == [1, 0]


def test_an_open_question_keeps_the_order_of_the_search() -> None:
    """A question that takes no side leaves scores alone."""
    assert look_again("How is spasticity treated?", [USE, AVOID]) == [USE, AVOID]


def test_scores_fall_also_beyond_what_was_looked_at() -> None:
    """The rest stays behind the first, whatever their sides did to these."""
    many = [hit(row, "quinine is recommended", 1 - row / 100) for row in range(LOOKED_AT + 4)]
    scores = [h.score for h in look_again("What should be avoided?", many)]
    assert scores == sorted(scores, reverse=True)
