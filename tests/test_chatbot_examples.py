"""The nearest reviewed examples: they add a card, never take one away, and fall silent where they cannot be trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chatbot.understand import examples
from chatbot.understand.examples import EMERGENCY, ORDINARY, SELF_HARM, NearestExamples
from chatbot.understand.redflags import find_red_flag

_AXES = np.eye(3, dtype=np.float32)


class _Axis:
    """An embedder whose every vector is one axis."""

    dimension = 3

    def __init__(self, axis: int, identity: str = "axes") -> None:
        self.axis, self.identity = axis, identity

    def embed(self, texts):
        return np.repeat(_AXES[self.axis : self.axis + 1], len(texts), axis=0)


class _Broken(_Axis):
    def embed(self, texts):
        raise RuntimeError("no model")


@pytest.fixture
def stored(tmp_path: Path) -> examples.Examples:
    path = tmp_path / "examples.npz"
    examples.write_examples(
        path, "axes", _AXES, [ORDINARY, EMERGENCY, SELF_HARM], ["cramp", "a calf\nswells", "an end"]
    )
    return examples.read_examples(path)


def test_nearest_example_of_each_kind_is_named(stored) -> None:
    """Vectors, kinds and words come back as they were written, and the one that decided has a name."""
    near = NearestExamples(_Axis(1), lambda: stored).nearness("x")
    assert near == (0.0, 1.0, 0.0, "cramp", "a calf swells")


@pytest.mark.parametrize(("axis", "card"), [(0, None), (1, "urgent_signs"), (2, "self_harm")])
def test_nearest_example_decides_the_card_that_is_added(stored, axis: int, card: str | None) -> None:
    """What no rule names takes the card of the example it is nearest to; near an ordinary one it takes none."""
    message = "My uncle is not himself at the window"
    assert find_red_flag(message) is None
    found = find_red_flag(message, examples=NearestExamples(_Axis(axis), lambda: stored))
    assert (found.presentation if found else None) == card


def test_examples_take_no_card_away(stored) -> None:
    """A rule's card stays, however near an ordinary example is, and where the embedder fails."""
    message = "I have crushing chest pain and sweat"
    for embedder in (_Axis(0), _Broken(0)):
        assert find_red_flag(message, examples=NearestExamples(embedder, lambda: stored)) == find_red_flag(message)


def test_without_their_embedder_there_are_no_examples(stored) -> None:
    """Another model, or a failing one, leaves the word to the rules."""
    assert NearestExamples(_Axis(1, identity="another"), lambda: stored).nearness("x") is None
    assert NearestExamples(_Axis(1), lambda: None).nearness("x") is None
    assert NearestExamples(_Broken(1), lambda: stored).nearness("x") is None


def test_a_question_about_an_illness_is_not_compared(stored) -> None:
    """What reports nothing raises no card, however near it is."""
    assert find_red_flag("What are the signs of sepsis?", examples=NearestExamples(_Axis(1), lambda: stored)) is None


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A file whose parts do not fit is an error for its reader."""
    path = tmp_path / "examples.npz"
    examples.write_examples(path, "axes", _AXES, [ORDINARY, EMERGENCY, SELF_HARM], ["one", "two"])
    with pytest.raises(ValueError, match="do not fit"):
        examples.read_examples(path)
