import gzip
import json
from pathlib import Path

import pytest

from chatbot.evaluation.questions import EvaluationFault, Question, fingerprint, read_questions

SHARED = Path(__file__).parents[2] / "shared"


def read(tmp_path, *lines):
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_questions([path])


def test_only_id_and_question_are_required(tmp_path):
    """A bare question has empty defaults for everything else."""
    assert read(tmp_path, '{"id": "q1", "question": "What is it?"}') == (Question("q1", "What is it?"),)


def test_every_field_is_read(tmp_path):
    """All fields of the format reach the record, unknown ones are ignored."""
    row = {
        "id": 12,
        "question": "And in pregnancy?",
        "history": [{"role": "user", "content": "What helps?"}, {"role": "assistant", "content": "Stretching."}],
        "relevant": {"cramps": 2, "gout": 0, "spam": -2},
        "answerable": True,
        "reference_answer": "Magnesium may help.",
        "must_have": ["magnesium", ""],
        "expect": "answer",
        "tags": ["follow-up"],
        "standalone": " What helps against cramps in pregnancy? ",
        "exact_answer": "yes",
    }
    assert read(tmp_path, json.dumps(row)) == (
        Question(
            id="12",
            question="And in pregnancy?",
            history=(("user", "What helps?"), ("assistant", "Stretching.")),
            relevant=(("cramps", 2), ("gout", 0), ("spam", 0)),
            answerable=True,
            reference_answers=("Magnesium may help.",),
            must_have=("magnesium",),
            expect="answer",
            tags=("follow-up",),
            standalone="What helps against cramps in pregnancy?",
        ),
    )


def test_derived_numbers():
    """Depth counts the user's turns; relevant ids are those with a grade of at least 1."""
    question = Question(
        "q", "x", history=(("user", "a"), ("assistant", "b"), ("user", "c")), relevant=(("d", 1), ("e", 0))
    )
    assert (question.depth, question.relevant_ids) == (2, frozenset({"d"}))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "a JSON object is needed, not list"),
        ('{"question": "x"}', "`id` must be a text that is not empty"),
        ('{"id": "  ", "question": "x"}', "`id` must be a text that is not empty"),
        ('{"id": true, "question": "x"}', "`id` must be a text that is not empty"),
        ('{"id": "a", "question": 5}', "`question` must be a text that is not empty"),
        ('{"id": "a", "question": "x", "history": "y"}', "`history` must be a list"),
        ('{"id": "a", "question": "x", "history": [{"role": "bot", "content": "y"}]}', "the role 'bot'"),
        ('{"id": "a", "question": "x", "history": [{"role": "user"}]}', "both texts"),
        ('{"id": "a", "question": "x", "relevant": ["d"]}', "`relevant` must be an object"),
        ('{"id": "a", "question": "x", "relevant": {"d": "1"}}', "the grade '1'"),
        ('{"id": "a", "question": "x", "relevant": {"d": 0.5}}', "the grade 0.5"),
        ('{"id": "a", "question": "x", "relevant": {"d": NaN}}', "the grade nan"),
        ('{"id": "a", "question": "x", "answerable": "yes"}', "`answerable` must be true or false"),
        ('{"id": "a", "question": "x", "expect": "anser"}', "`expect` is 'anser'"),
        ('{"id": "a", "question": "x", "expect": ["answer"]}', "`expect` is"),
        ('{"id": "a", "question": "x", "tags": [1]}', "`tags` must be a list of texts"),
        ('{"id": "a", "question": "x", "standalone": 1}', "`standalone` must be a text"),
        ('{"id": "a", "question": "\\ud800"}', "surrogate"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    """A bad line is one line of words with the file and the line's number, blank lines counted."""
    with pytest.raises(EvaluationFault, match=r"q\.jsonl:2: ") as fault:
        read(tmp_path, "", line)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_many_bad_lines_are_counted(tmp_path):
    """Three faults are listed, the rest is counted."""
    with pytest.raises(EvaluationFault, match="and 2 more") as fault:
        read(tmp_path, *["{}"] * 5)
    assert str(fault.value).count("q.jsonl:") == 3


def test_an_id_twice_is_a_fault_across_files(tmp_path):
    """The message names both places."""
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text('{"id": "q1", "question": "x"}\n')
    with pytest.raises(EvaluationFault, match=r"b\.jsonl:1: id 'q1' stands already at .*a\.jsonl:1"):
        read_questions([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])


def test_not_utf8_is_named(tmp_path):
    """Bytes of another encoding are a fault of their line."""
    (tmp_path / "q.jsonl").write_bytes(b'{"id": "a", "question": "fi\xe8vre"}')
    with pytest.raises(EvaluationFault, match=r"q\.jsonl:1: not UTF-8"):
        read_questions([tmp_path / "q.jsonl"])


def test_missing_file_folder_and_empty_file(tmp_path):
    """What cannot be read at all is said in one line, too."""
    with pytest.raises(EvaluationFault, match="no such file"):
        read_questions([tmp_path / "none.jsonl"])
    with pytest.raises(EvaluationFault, match="cannot be read"):
        read_questions([tmp_path])
    with pytest.raises(EvaluationFault, match="no question in"):
        read(tmp_path, "")
    (tmp_path / "bad.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(EvaluationFault, match="cannot be read"):
        read_questions([tmp_path / "bad.jsonl.gz"])


def test_gzip_byte_order_mark_and_line_separators(tmp_path):
    """A BOM is no part of the first line, and U+2028 within a text ends no line."""
    path = tmp_path / "q.jsonl.gz"
    path.write_bytes(gzip.compress('\ufeff{"id": "a", "question": "x\u2028y"}\r\n'.encode()))
    assert read_questions([path]) == (Question("a", "x\u2028y"),)


def test_fingerprint_tells_questions_apart(tmp_path):
    """A changed grade is another set of questions; unknown fields and white space between fields are not."""
    plain = read(tmp_path, '{"id": "a", "question": "x", "relevant": {"d": 1}}')
    spaced = read(tmp_path, '{"id":  "a", "note": 1, "question": "x", "relevant": {"d": 1}}')
    regraded = read(tmp_path, '{"id": "a", "question": "x", "relevant": {"d": 2}}')
    assert fingerprint(plain) == fingerprint(spaced) != fingerprint(regraded)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the evaluation data is not beside the project")
def test_the_evaluation_data_is_read_whole():
    """Counts as the data's description states them: 3,219 turns, 250 unanswerable, 1,000 of PubMedQA."""
    data = SHARED / "data"
    names = ("medquad/conversations", "medquad/unanswerable", "pubmedqa/questions")
    assert [len(read_questions([data / f"{name}.jsonl"])) for name in names] == [3219, 250, 1000]
