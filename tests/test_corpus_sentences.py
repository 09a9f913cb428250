"""Sentences end where a reader of medicine would end them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sentences import split_sentences


@pytest.mark.parametrize(
    "marked",
    [
        "Give 5 mg/day. | Stop after a week.",
        "Give drugs, e.g. quinine, b.d. for 3 days. | Then stop.",
        "Rest until pain stops. [1, 2] | Apply ice.",
        "Rest until pain stops.[1] | Apply ice.",
        "Give 5 mg. daily. | Give 5 mg. | The dose is low.",
        "The pH fell to 7.1. | pH rose later.",
        "Take vitamin D. | Calcium helps.",
        "K. Ito and P. Lund wrote it. | It is old.",
        "See Fig. 2 and Smith et al. 2012. | It shows cramp.",
        "It was common in the U.S. in 2012. | It fell later.",
        "Is it safe? | yes, it is.",
        'She said "stop." | He did.',
        "Patients (n = 5 vs. 6) fell. | Others did not.",
        "After 24 h. | The dose is doubled.",
        "The mass was 0.5 g in 1.5 L. | Nothing else grew.",
        "Wait ... and see. | Then act.",
        "It is due to ischaemia (see Fig. 3). | Act at once.",
    ],
)
def test_boundaries(marked: str) -> None:
    """Abbreviations, units, initials, decimals and citation marks do not end a sentence; the bars do."""
    sentences = marked.split(" | ")
    text = " ".join(sentences)
    assert [text[start:end] for start, end in split_sentences(text)] == sentences


@given(st.text(st.sampled_from('ab A1.?!)] [("\n'), max_size=60))
def test_every_visible_character_lies_in_one_sentence(text: str) -> None:
    """Spans rise, do not overlap, and leave only white space out."""
    covered = 0
    for start, end in split_sentences(text):
        assert text[covered:start].strip() == ""
        assert text[start:end] == text[start:end].strip() != ""
        covered = end
    assert text[covered:].strip() == ""


def test_nothing_heavy_is_imported() -> None:
    """Answering starts cold; a language toolkit would take seconds."""
    code = "import sys, corpus.sentences as s; s.split_sentences('A b. C d.'); print(len(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(shown.stdout) < 200
