import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.evaluation.trec import DEPTH, decode_id, encode_id, read_run, run_lines


def test_a_line_has_six_fields():
    """The form is `qid Q0 docid rank score tag`."""
    assert run_lines("q1", [("d1", 0.5), ("d2", 0.25)], "followup") == [
        "q1 Q0 d1 1 0.5 followup\n",
        "q1 Q0 d2 2 0.25 followup\n",
    ]


def test_ids_with_spaces_stay_one_field():
    """White space in an id is percent-encoded, ordinary ids are left alone."""
    assert run_lines("leg cramps", [("a\tb", 1.0)], "t") == ["leg%20cramps Q0 a%09b 1 1 t\n"]
    assert encode_id("NHLBI_0000098-1/x.md?50%") == "NHLBI_0000098-1/x.md?50%"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_ids_come_back(name):
    """Every id survives the file, and no encoded id holds white space."""
    assert decode_id(encode_id(name)) == name
    assert not any(letter.isspace() for letter in encode_id(name))


@given(st.lists(st.floats(-1e30, 1e30), max_size=DEPTH))
def test_scores_fall_strictly_in_32_bits(scores):
    """Whatever the scores, the run's order is the order given, for a reader with 32-bit floats as well."""
    ranking = [(f"d{number}", score) for number, score in enumerate(scores)]
    run = read_run(run_lines("q", ranking, "t")).get("q", {})
    written = np.array(list(run.values()), dtype=np.float32)
    assert list(run) == [document_id for document_id, _ in ranking]
    assert (np.diff(written) < 0).all()


def test_ties_keep_our_order():
    """Equal scores fall by the smallest step: trec_eval would sort them by id."""
    assert [line.split()[2:5] for line in run_lines("q", [("a", 1.0), ("z", 1.0)], "t")] == [
        ["a", "1", "1"],
        ["z", "2", "0.99999994"],
    ]


def test_at_most_a_hundred_and_each_document_once():
    """A document that comes again is dropped and takes no rank; the 101st document is not written."""
    ranking = [("a", 9.0), ("a", 8.0), *((f"d{number}", 5.0 - number) for number in range(150))]
    lines = run_lines("q", ranking, "t")
    assert len(lines) == 100
    assert lines[1] == "q Q0 d0 2 5 t\n"


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 1e39])
def test_a_score_that_is_no_number_is_refused(score):
    """The message names the question, the document and the score."""
    with pytest.raises(ValueError, match="question q: document d has the score"):
        run_lines("q", [("d", score)], "t")
