"""Lists flattened into one line come apart into items under their lead-in."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.flat_lists import split_flat_lists


def parts(text: str) -> list[tuple[str, list[str]]]:
    """Return each part with its lead-ins; prose is marked by a leading "¶"."""
    return [
        (("" if p.is_item else "¶") + text[p.start : p.end], [text[a:b] for a, b in p.lead_ins])
        for p in split_flat_lists(text, 0, len(text))
    ]


def test_capitalised_items_stand_under_the_clause_before_them() -> None:
    """The clause before the first bullet is every item's lead-in."""
    lead = "Go to a clinic at once if"
    assert parts("Rest helps. Go to a clinic at once if - You cannot walk - You feel faint") == [
        ("¶Rest helps. Go to a clinic at once if", []),
        ("You cannot walk", [lead]),
        ("You feel faint", [lead]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Give 5 - 10 mg at night.",
        "A dose of 5 mg - 10 mg at night - not more - is enough.",
        "The mean was 3 +/- 2 and 7 - 4 is 3.",
        "Nits are small - about the size of a pinhead.",
        "The skin - the largest organ - protects the body.",
        "A well-known follow-up of long-term users.",
        "The drug is - in most cases - harmless.",
    ],
)
def test_hyphens_in_prose_split_nothing(text: str) -> None:
    """Ranges, deviations, compounds and parentheses are no bullets."""
    assert parts(text) == [("¶" + text, [])]


def test_text_after_items_without_sentences_of_their_own_leaves_the_list() -> None:
    """Advice after a list of warnings is not read under their lead-in."""
    found = parts("Do not take these: - Aspirin - Ibuprofen - Naproxen. Paracetamol is safe. Drink water.")
    assert found[1:4] == [(name, ["Do not take these:"]) for name in ("Aspirin", "Ibuprofen", "Naproxen.")]
    assert found[4] == ("¶Paracetamol is safe. Drink water.", [])


def test_a_sentence_start_without_a_full_stop_before_it_ends_the_last_item() -> None:
    """Where no item has a full stop, a capitalised function word begins the text after the list."""
    found = parts("Causes include - sitting for long - too little fibre Another cause is age. It is common.")
    assert found[2] == ("too little fibre", ["Causes include"])
    assert found[3] == ("¶Another cause is age. It is common.", [])


def test_a_letter_that_names_a_type_does_not_end_an_item() -> None:
    """'hepatitis A is' holds no sentence start."""
    found = parts("Ask about - vaccines for travel - insurance - whether hepatitis A is common there")
    assert found[-1][0] == "whether hepatitis A is common there"


def test_items_of_several_sentences_keep_them() -> None:
    """The last item may have as many sentences as the longest before it."""
    found = parts("Tests include: - Urine. A sample is taken. - Scan. Sound waves are used. Results come soon.")
    assert [text for text, _ in found] == [
        "¶Tests include:",
        "Urine. A sample is taken.",
        "Scan. Sound waves are used.",
        "¶Results come soon.",
    ]


def test_a_second_list_has_its_own_lead_in() -> None:
    """A sentence left unfinished after an item opens the next list."""
    found = parts("Take with food: - Iron - Zinc. Never take with food: - Thyroxine - Alendronate")
    assert found[-1] == ("Alendronate", ["Never take with food:"])
    assert found[2] == ("Zinc.", ["Take with food:"])


def test_an_item_that_opens_a_list_is_the_parent_of_those_after_it() -> None:
    """A nested list keeps both lead-ins."""
    found = parts("Triggers include - cold weather - some drugs such as - lithium - quinidine.")
    assert found[-1] == ("quinidine.", ["Triggers include", "some drugs such as"])


def test_a_list_that_is_printed_twice_keeps_its_lead_in_both_times() -> None:
    """Without its bullets the second copy would read as plain advice."""
    found = parts("Do not - drive for a day - drink any alcohol. drive for a day drink any alcohol. Rest well.")
    assert found[-2] == ("drive for a day drink any alcohol.", ["Do not"])
    assert found[-1] == ("¶Rest well.", [])


def test_round_bullets_need_no_capitals() -> None:
    """A round bullet means nothing else."""
    assert [text for text, _ in parts("Avoid: • salt • sugar")] == ["¶Avoid:", "salt", "sugar"]


_WORDS = st.sampled_from(
    ["Rest", "rest", "-", "•", "if", "include", "5", "10", "mg", ".", ":", "The", "a fever.", "Ask"]
)


@given(st.lists(_WORDS, max_size=40).map(" ".join))
def test_no_word_is_lost(text: str) -> None:
    """Every word lies in exactly one part, in order."""
    pieces = split_flat_lists(text, 0, len(text))
    assert all(a.end <= b.start for a, b in pairwise(pieces))
    kept = " ".join(text[piece.start : piece.end] for piece in pieces)
    assert re.findall(r"\w+", kept) == re.findall(r"\w+", text)


def test_capitals_after_an_inner_list_in_small_letters_leave_it() -> None:
    """The outer list goes on without the inner lead-in."""
    found = parts("- Scans show stones. - Signs include the following: - fever - pain - Stones may pass.")
    assert found == [
        ("Scans show stones.", []),
        ("Signs include the following:", []),
        ("fever", ["Signs include the following:"]),
        ("pain", ["Signs include the following:"]),
        ("Stones may pass.", []),
    ]


def test_a_plural_with_its_verb_ends_a_list_without_full_stops() -> None:
    """What travellers can do is not among the things to avoid."""
    found = parts("In such places avoid - drinking tap water - eating raw fish Travellers can drink hot tea.")
    assert found[-2:] == [("eating raw fish", ["In such places avoid"]), ("¶Travellers can drink hot tea.", [])]
