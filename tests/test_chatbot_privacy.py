"""Personal data is found and masked; medicine is left alone."""

import time
from pathlib import Path

import pytest
import yaml
from conftest import count_safety
from hypothesis import given
from hypothesis import strategies as st

from chatbot.understand.privacy import find_personal_data, mask

CASES = yaml.safe_load((Path(__file__).parent / "safety" / "privacy.yaml").read_text(encoding="utf-8"))


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_every_canary_is_masked(half: str) -> None:
    """No piece of personal data is left in any masked message."""
    misses = [
        (text, left)
        for text, secrets in CASES[half]["masked"]
        if (left := [secret for secret in secrets if secret in mask(text)])
    ]
    print(f"\nprivacy, {half}: {len(CASES[half]['masked']) - len(misses)} of {len(CASES[half]['masked'])} masked")
    print(*misses, sep="\n")
    count_safety(
        "privacy: messages with personal data, masked",
        len(CASES[half]["masked"]) - len(misses),
        len(CASES[half]["masked"]),
    )
    assert misses == []


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_medical_sentences_are_left_alone(half: str) -> None:
    """No eponym, dose, laboratory value, year, age, trial number or link is masked."""
    changed = [(text, mask(text)) for text in CASES[half]["untouched"] if mask(text) != text]
    print(f"\nprivacy, {half}: {len(changed)} of {len(CASES[half]['untouched'])} masked without need")
    print(*changed, sep="\n")
    untouched = len(CASES[half]["untouched"])
    count_safety("privacy: ordinary messages, left alone", untouched - len(changed), untouched)
    assert changed == []


def test_the_case_file_is_as_large_as_promised() -> None:
    """There are 200 canary messages and 200 sentences to leave alone."""
    assert sum(len(half["masked"]) for half in CASES.values()) >= 200
    assert sum(len(half["untouched"]) for half in CASES.values()) >= 200


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Mrs Smith has cramps", "Mrs [name] has cramps"),
        ("DOB 04/12/1957", "DOB [date of birth]"),
        ("call 07700 900123", "call [phone]"),
        ("write to a.b@example.org", "write to [e-mail]"),
        ("MRN 00482913", "MRN [record number]"),
        ("I live at 14 Elm Grove", "I live at [address]"),
        ("card 4111 1111 1111 1111", "card [card number]"),
        ("GB82 WEST 1234 5698 7654 32", "[bank account]"),
        ("see https://example.org/r?token=abc", "see [web link]"),
        ("password: hunter22", "password: [password]"),
    ],
)
def test_each_kind_is_named_in_its_mask(text: str, masked: str) -> None:
    """The mask says what stood there, so that the message can still be read."""
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    ["card 4111 1111 1111 1112", "GB83 WEST 1234 5698 7654 32"],
)
def test_accounts_need_their_check_digits(text: str) -> None:
    """A long number without valid check digits is not taken for an account."""
    kinds = {found.kind for found in find_personal_data(text)}
    assert kinds.isdisjoint({"card number", "bank account"})


@given(st.text(max_size=300))
def test_spans_are_ordered_and_apart(text: str) -> None:
    """Spans lie in the text, rise and do not overlap, whatever the text."""
    last = 0
    for found in find_personal_data(text):
        assert last <= found.start < found.end <= len(text)
        last = found.end


@given(st.sampled_from([text for half in CASES.values() for text, _ in half["masked"]]))
def test_masking_twice_is_masking_once(text: str) -> None:
    """A masked message holds nothing more to mask."""
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "unit", ["Anna Maria ", "1-", "a.b.", "http://a/?", "my name is ", "12 Oak Oak ", "A", "nhs no "]
)
def test_long_hostile_messages_take_no_time(unit: str) -> None:
    """Four thousand characters of near-misses are read well within a second."""
    text = (unit * 4000)[:4000]
    started = time.perf_counter()
    mask(text)
    assert time.perf_counter() - started < 1.0
