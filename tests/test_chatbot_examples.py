"""The weighed examples: they add a card or a refusal, take no rule's card away, and fall silent where they cannot be trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chatbot.understand import examples
from chatbot.understand.examples import KINDS, TASKS, Examples, WeighedExamples, word_terms
from chatbot.understand.redflags import find_red_flag
from chatbot.understand.unfit import earlier_crisis, find_unfit_request

_AXES = np.eye(4, dtype=np.float32)
_FAR = np.array([-2, -2], np.float32)


class _Axis:
    """An embedder whose every vector is one axis."""

    dimension = 4

    def __init__(self, axis: int, identity: str = "axes") -> None:
        self.axis, self.identity, self.asked = axis, identity, 0

    def embed(self, texts):
        self.asked += 1
        return np.repeat(_AXES[self.axis : self.axis + 1], len(texts), axis=0)


class _Broken(_Axis):
    def embed(self, texts):
        raise RuntimeError("no model")


def _made(terms: dict[str, int] | None = None, counts: list[tuple[float, float]] | None = None) -> Examples:
    """Return four examples on four axes: each speaks for its own task, the ordinary one against all.

    `counts` holds for each term its inverse document frequency and what it counts for an emergency.
    """
    machines = len(TASKS) + len(KINDS)
    weights = np.zeros((4, machines), np.float32)
    weights[0], weights[1, 0], weights[2, 1], weights[3, 2] = -3, 3, 3, 3
    # The fourth is a request to falsify; where nothing speaks for a kind, each of them takes 1 off.
    weights[3, len(TASKS) + KINDS.index("falsify")] = 2
    rows = np.zeros((len(terms or "x"), 1 + machines), np.float32)
    rows[:, :2] = counts or [(1.0, 0.0)]
    return Examples("axes", _AXES, weights, terms or {"nothing": 0}, rows, np.full(machines, -1, np.float32), _FAR)


@pytest.fixture
def stored(tmp_path: Path) -> Examples:
    path = tmp_path / "examples.npz"
    examples.write_examples(path, _made())
    return examples.read_examples(path)


def test_score_by_hand(stored) -> None:
    """Likeness times weight, added up: exp(-2) for what stands at a right angle."""
    found = WeighedExamples(_Axis(1), lambda: stored).scores("x")
    assert found.emergency == pytest.approx(3 - 3 * np.exp(-2) - 1, abs=1e-3)
    assert found.self_harm == pytest.approx(3 * np.exp(-2) - 3 * np.exp(-2) - 1, abs=1e-3)
    assert [task for task in TASKS if getattr(found, task) >= 0] == ["emergency"]


def test_words_count_beside_the_meaning(tmp_path: Path) -> None:
    """Words and pairs of words add what they count, as shares of a line of length 1, whatever else stands there."""
    made = _made({"calf": 0, "swollen calf": 1}, [(1.0, 2.0), (2.0, 4.0)])
    alone = made.scores("the", _AXES[0]).emergency
    assert made.scores("A Calf", _AXES[0]).emergency == pytest.approx(alone + 2.0, abs=1e-3)
    # idf 1 and 2 on a line of length 1: (1 * 2 + 2 * 4) / sqrt(5).
    assert made.scores("swollen calf", _AXES[0]).emergency == pytest.approx(alone + 10 / 5**0.5, abs=1e-3)


def test_terms_of_a_text() -> None:
    """Words and neighbouring pairs, in lower case, counted; an apostrophe is part of its word."""
    assert word_terms("I can’t. I can't") == {"i": 2, "can't": 2, "i can't": 2, "can't i": 1}


@pytest.mark.parametrize(("axis", "card"), [(0, None), (1, "urgent_signs"), (2, "self_harm"), (3, None)])
def test_examples_add_a_card(stored, axis: int, card: str | None) -> None:
    """What no rule names takes the card of what it is most like; what is like an ordinary message takes none."""
    message = "My uncle is not himself at the window"
    assert find_red_flag(message) is None
    found = find_red_flag(message, examples=WeighedExamples(_Axis(axis), lambda: stored))
    assert (found.presentation if found else None) == card


def test_examples_add_a_refusal(stored) -> None:
    """A request like those that are refused is refused as theirs is; its crisis card, where it has one, stays."""
    message = "Write that the hourly rounds of last night took place"
    like = WeighedExamples(_Axis(3), lambda: stored)
    assert find_unfit_request(message) is None
    assert find_unfit_request(message, examples=like).kind == "falsify"
    assert find_unfit_request(message, examples=WeighedExamples(_Axis(0), lambda: stored)) is None
    assert earlier_crisis((), examples=like) is None


@pytest.mark.parametrize("message", ["I have crushing chest pain and sweat", "I want to kill myself"])
def test_examples_take_no_card_of_a_rule_away(stored, message: str) -> None:
    """The card of a rule stays, however like an ordinary example it is, and where the embedder fails."""
    for embedder in (_Axis(0), _Broken(0)):
        assert find_red_flag(message, examples=WeighedExamples(embedder, lambda: stored)) == find_red_flag(message)


def test_a_message_too_long_to_be_read_whole_is_never_ordinary(stored) -> None:
    """The encoder does not see the end of a long message: what points raise there stays."""
    like = WeighedExamples(_Axis(0), lambda: stored)
    assert like.scores("a cramp").is_ordinary
    assert not like.scores("a cramp " * 200).is_ordinary


def test_examples_tell_what_a_general_card_is_of(stored) -> None:
    """The general card becomes that of self-harm, stays, or goes, as the examples say; where they fail it stays."""
    message = "I grabbed the wrong bottle at work, my lips are peeling"
    assert find_red_flag(message).presentation == "urgent_signs"
    for axis, card in ((0, None), (1, "urgent_signs"), (2, "self_harm")):
        found = find_red_flag(message, examples=WeighedExamples(_Axis(axis), lambda: stored))
        assert (found.presentation if found else None) == card
    assert find_red_flag(message, examples=WeighedExamples(_Broken(0), lambda: stored)).presentation == "urgent_signs"


def test_without_their_embedder_there_are_no_examples(stored) -> None:
    """Another model, or a failing one, leaves the word to the rules."""
    assert WeighedExamples(_Axis(1, identity="another"), lambda: stored).scores("x") is None
    assert WeighedExamples(_Axis(1), lambda: None).scores("x") is None
    assert WeighedExamples(_Broken(1), lambda: stored).scores("x") is None


def test_a_question_about_an_illness_is_no_emergency(stored) -> None:
    """What reports nothing raises no emergency card, however like one it is; a question of self-harm may be meant."""
    emergency, harm = (WeighedExamples(_Axis(axis), lambda: stored) for axis in (1, 2))
    assert find_red_flag("What are the signs of sepsis?", examples=emergency) is None
    assert find_red_flag("What height is high enough?", examples=harm).presentation == "self_harm"


def test_a_message_is_embedded_once(stored) -> None:
    """Earlier turns of a conversation are not embedded again with every question, and no message is kept."""
    embedder = _Axis(1)
    like = WeighedExamples(embedder, lambda: stored)
    assert like.scores("my name is Eve") == like.scores("my name is Eve")
    assert embedder.asked == 1
    assert "Eve" not in repr(vars(like))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A file whose parts do not fit, or that is cut, is an error for its reader."""
    path = tmp_path / "examples.npz"
    made = _made()
    examples.write_examples(path, replace(made, terms={"one": 0, "two": 1}))
    with pytest.raises(ValueError, match="do not fit"):
        examples.read_examples(path)
    examples.write_examples(path, made)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(examples.DAMAGED):
        examples.read_examples(path)


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_a_changed_byte_silences_the_examples(tmp_path: Path, monkeypatch, at: float) -> None:
    """A file that was changed is not read, whatever its reading raises, and the rules go on alone."""
    path = tmp_path / "warning_examples.npz"
    raw = bytearray((Path(examples.__file__).parent / "warning_examples.npz").read_bytes())
    raw[int(at * len(raw))] ^= 0xFF
    path.write_bytes(bytes(raw))
    monkeypatch.setattr(examples.resources, "files", lambda _: tmp_path)
    examples.load_examples.cache_clear()
    try:
        assert examples.load_examples() is None
    finally:
        examples.load_examples.cache_clear()


@pytest.mark.safety
def test_shipped_examples_fit_the_shipped_model(minilm) -> None:
    """They can be read, belong to the default model, and know what a rule does not."""
    shipped = examples.load_examples()
    assert shipped is not None and shipped.identity == minilm.identity
    like = WeighedExamples(minilm)
    message = "I have written the letters and the cat is at my sister's, so on Friday it can happen"
    assert like.scores(message).self_harm >= 0
    ordinary = like.scores("What is the maximum dose of baclofen?")
    assert not any(getattr(ordinary, task) >= 0 for task in TASKS)
