"""Citation marks are told from values that stand in brackets."""

from __future__ import annotations

import pytest

from corpus.citations import find_markers, read_numbers, strip_markers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Rest. [1]", [(1,)]),
        ("Rest. [1, 3–5]", [(1, 3, 4, 5)]),
        ("Rest[2]; ice [3;4].", [(2,), (3, 4)]),
        ("Seen in [4, 5] and fell by 20% [6, 7].", [(4, 5), (6, 7)]),
        ("OR 2.1 (95% CI [2, 5])", []),
        ("median 3, IQR: [1–4]", []),
        ("x = [1, 2]", []),
        ("between [0, 1]", []),
        ("[18]F-FDG and L-[2]H", []),
        ("[sic] [1H] [IQR 2, 5] [1](link)", []),
        ("[9-7] [1-250]", []),
        ("[1][2]", [(1,), (2,)]),
    ],
)
def test_marks_and_values(text: str, numbers: list[tuple[int, ...]]) -> None:
    """Intervals, isotopes, links and letters are no marks."""
    marks = find_markers(text)
    assert [mark.numbers for mark in marks] == numbers
    assert all(text[mark.start] == "[" and text[mark.end - 1] == "]" for mark in marks)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1", (1,)), ("1, 3–6", (1, 3, 4, 5, 6)), ("2;2", (2,)), ("0", ()), ("5-5", ()), ("1-60", ()), ("1-2-3", ())],
)
def test_numbers_of_a_mark(text: str, numbers: tuple[int, ...]) -> None:
    """Ranges are filled, each number stands once; what is no list has none."""
    assert read_numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Stretch. [1, 2]", "Stretch."),
        ("Rest [1] or ice [2].", "Rest or ice."),
        ("None.", "None."),
        ("[1] Rest", "Rest"),
    ],
)
def test_marks_are_taken_out_with_the_blank_before(text: str, bare: str) -> None:
    """What is left reads as a sentence."""
    assert strip_markers(text) == bare
