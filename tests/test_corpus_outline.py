"""Plain text gets sections and blocks, and stays as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.documents import Document, check_document
from corpus.outline import outline


def shown(text: str) -> list[tuple[tuple[str, ...], str, str, list[str]]]:
    """Return (section path, kind, words, lead-ins) of every block."""
    sections, blocks = outline(text)
    return [
        (sections[b.section].path, b.kind, text[b.start : b.end], [text[s:e] for s, e in b.lead_ins]) for b in blocks
    ]


def test_labels_of_an_abstract_become_sections() -> None:
    """The label names the section and is not part of the quote."""
    text = "BACKGROUND: Cramp is common.\n\nMETHODS AND RESULTS: We asked 20 people.\n\nIt was rare."
    assert shown(text) == [
        (("BACKGROUND",), "paragraph", "Cramp is common.", []),
        (("METHODS AND RESULTS",), "paragraph", "We asked 20 people.", []),
        (("METHODS AND RESULTS",), "paragraph", "It was rare.", []),
    ]


def test_labels_within_one_line_are_found() -> None:
    """An abstract in one line is taken apart at its labels."""
    text = "OBJECTIVE: To count. METHODS: Counting by hand. RESULTS: There were 3."
    assert [path for path, *_ in shown(text)] == [("OBJECTIVE",), ("METHODS",), ("RESULTS",)]


@pytest.mark.parametrize("text", ["DO NOT TAKE: aspirin.", "NEVER MIX WITH: alcohol.", "ECG: a normal trace."])
def test_capitals_that_are_half_of_the_sentence_stay_in_it(text: str) -> None:
    """A negative label or an abbreviation is never cut off."""
    assert shown(text) == [((), "paragraph", text, [])]


def test_short_lines_of_their_own_are_headings() -> None:
    """Headings in capitals stand above others."""
    text = "TREATMENT\n\nDrugs for adults\n\nBaclofen may help.\n\nPREVENTION\n\nStretching is not advised."
    assert [(path, words) for path, _, words, _ in shown(text)] == [
        (("TREATMENT", "Drugs for adults"), "Baclofen may help."),
        (("PREVENTION",), "Stretching is not advised."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Quinine is no longer recommended",
        "Baclofen 10 mg at night",
        "Stop the drug at once.",
        "Ask your doctor about:",
        "muscle relaxants and alcohol",
    ],
)
def test_sentences_without_a_full_stop_are_no_headings(line: str) -> None:
    """A line with a verb, a dose, a full stop or a small first letter can be quoted."""
    assert shown(f"{line}\n\nMore text follows here.")[0][2] == line


def test_a_heading_right_above_its_text() -> None:
    """No blank line is needed below a short heading."""
    assert shown("Treatment\nRest and ice are enough.") == [
        (("Treatment",), "paragraph", "Rest and ice are enough.", [])
    ]


def test_bullets_stand_under_the_sentence_before_them() -> None:
    """Only the last sentence of the paragraph opens the list."""
    text = "Cramps pass. Do not prescribe:\n\n  • quinine\n  • muscle relaxants,\n    e.g. orphenadrine\n\nRest."
    assert [(words, lead_ins) for _, _, words, lead_ins in shown(text)] == [
        ("Cramps pass. Do not prescribe:", []),
        ("quinine", ["Do not prescribe:"]),
        ("muscle relaxants,\n    e.g. orphenadrine", ["Do not prescribe:"]),
        ("Rest.", []),
    ]


def test_nested_items_keep_their_parents() -> None:
    """Indentation, or another bullet after a colon, nests."""
    text = "Give:\n1. For pain:\n- ibuprofen\n- paracetamol\n2. For cramp:\n   a) stretching"
    assert [(words, lead_ins) for _, kind, words, lead_ins in shown(text) if kind == "item"] == [
        ("For pain:", ["Give:"]),
        ("ibuprofen", ["Give:", "For pain:"]),
        ("paracetamol", ["Give:", "For pain:"]),
        ("For cramp:", ["Give:"]),
        ("stretching", ["Give:", "For cramp:"]),
    ]


def test_a_range_broken_across_lines_is_no_bullet() -> None:
    """A hyphen and a number at the start of a line go on with the number before."""
    text = "The usual dose of the drug is 10\n- 20 mg at night for adults."
    assert [words for _, _, words, _ in shown(text)] == [text]


def test_a_wrapped_line_that_begins_with_a_number_is_no_item() -> None:
    """'2. ' opens an item only within a list."""
    text = "People with hypertension of grade\n2. They should be seen soon."
    assert [words for _, _, words, _ in shown(text)] == [text]


def test_a_paragraph_after_a_list_leaves_it() -> None:
    """Advice in a new, unindented line after a full stop is not under the list's lead-in."""
    text = "Avoid:\n- alcohol.\n- coffee.\nWalking is fine."
    assert shown(text)[-1] == ((), "paragraph", "Walking is fine.", [])


def test_sections_stand_under_a_given_path() -> None:
    """A record's own section is the outermost heading."""
    sections, _ = outline("METHODS: We asked.", under=("treatment",))
    assert [section.path for section in sections] == [("treatment", "METHODS")]


_LINES = st.sampled_from(
    [
        "Treatment",
        "TREATMENT",
        "Avoid:",
        "- salt",
        "  - more salt",
        "1. rest",
        "2. ice",
        "a) heat",
        "",
        "",
        "RESULTS: It was rare.",
        "Rest is enough. Take care to",
        "and go on",
        "# Top",
        "----",
        "If - A b - C d. The end.",
    ]
)


@given(st.lists(_LINES, max_size=14).map("\n".join))
def test_every_word_is_in_a_block_or_a_heading(text: str) -> None:
    """Offsets are sound, sections tile the text, and only headings, labels and list numbers stand outside blocks."""
    sections, blocks = outline(text)
    document = check_document(Document("x", "x", text, sections=sections, blocks=blocks))
    outside, last = [], 0
    for block in document.blocks:
        section = document.sections[block.section]
        assert section.start <= block.start and block.end <= section.end
        outside.append(text[last : block.start])
        last = block.end
    headings = {word for section in sections for title in section.path for word in re.findall(r"\w+", title)}
    left = set(re.findall(r"\w+", " ".join([*outside, text[last:]]))) - headings
    assert left <= {"1", "2", "a"}
