import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.evaluation.questions import EvaluationFault, Question
from chatbot.evaluation.run import BATCH_SIZE, evaluate, terminal_progress

FILES = ("replies.jsonl", "run.trec", "metrics.json", "report.html", "report.md", "ragas.jsonl", "deepeval.jsonl")


class Scripted:
    """An answerer whose replies follow from the question's number; it can be told to stop after so many calls.

    The scores of a search depend on the whole batch, as those of a real embedder do in their last bits.
    """

    def __init__(self, *, stop_after=None, index_version="i1", settings_fingerprint="s1"):
        self.index_version = index_version
        self.settings_fingerprint = settings_fingerprint
        self.stop_after = stop_after
        self.asked = []

    def search(self, batch):
        self._count([question for question, _ in batch])
        company = len(batch) + len(batch[0][0])
        return [self._found(question, history, company) for question, history in batch]

    def ask(self, question, history):
        self._count([question])
        found = self._found(question, history, 0)
        text = f"Stretch for {question}."
        cited = {"number": 1, "document_id": found["ranking"][0][0], "title": "Cramps", "section": [], "text": text}
        return {
            **{name: value for name, value in found.items() if name != "hits"},
            "outcome": "answer",
            "statements": [{"text": text, "citations": [1], "context": []}],
            "passages": [cited],
            "disclaimer": "Not a doctor.",
        }

    def _count(self, questions):
        if self.stop_after is not None and len(self.asked) >= self.stop_after:
            raise KeyboardInterrupt
        self.asked.append(questions)

    def _found(self, question, history, company):
        number = int(question.split()[-1])
        ranking = [(f"d{number}", 0.9), ("d x", 0.5 + company / 1e4)]
        if number % 3 == 0 and history:
            ranking.reverse()
        hits = [
            {
                "passage_id": f"{name}#1",
                "document_id": name,
                "score": score,
                "title": "T",
                "section": ["S"],
                "text": "…",
            }
            for name, score in ranking
        ]
        return {
            "question": question,
            "standalone_question": question,
            "hits": hits,
            "ranking": ranking,
            "confidence": 0.9 if number % 5 else 0.2,
            "timings_ms": {"total": 4.0},
        }


def questions(count, **fields):
    return tuple(
        Question(f"q{number}", f"Question {number}", history=(("user", "x"),), relevant=((f"d{number}", 1),), **fields)
        for number in range(count)
    )


def run(out, asked, answerer, **options):
    return evaluate(asked, answerer=answerer, out=out, clock=lambda: 0.0, **options)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def test_a_search_run_writes_its_files(tmp_path):
    """Replies carry their id and no ranking; the run file carries the ranking; numbers are by hand."""
    metrics = run(tmp_path, questions(4, answerable=True), Scripted(), search_only=True)
    replies = [json.loads(line) for line in (tmp_path / "replies.jsonl").read_text("utf-8").splitlines()]
    assert [reply["id"] for reply in replies] == ["q0", "q1", "q2", "q3"]
    assert "ranking" not in replies[0]
    assert (tmp_path / "run.trec").read_text("utf-8").splitlines()[2:4] == [
        "q1 Q0 d1 1 0.899999976 followup",
        "q1 Q0 d%20x 2 0.501399994 followup",
    ]
    # q0 and q3 have the right document second, q1 and q2 first.
    assert metrics["retrieval"]["RR@10"] == 0.75
    assert (metrics["questions"], metrics["mode"], metrics["index_version"]) == (4, "search", "i1")
    assert json.loads((tmp_path / "metrics.json").read_text("utf-8")) == metrics


def test_an_asking_run_measures_the_statements(tmp_path):
    """Whole replies are asked one by one and their statements are measured."""
    answerer = Scripted()
    metrics = run(tmp_path, questions(3, answerable=True, expect="answer"), answerer)
    assert answerer.asked == [["Question 0"], ["Question 1"], ["Question 2"]]
    assert metrics["outcomes"] == {"answer": 3}
    assert metrics["statements"]["verbatim"] == 1.0
    # q0's first document is the wrong one, and it is the one that is cited.
    assert metrics["statements"]["cited_relevant"] == pytest.approx(2 / 3, abs=1e-6)


def test_searches_are_batched(tmp_path):
    """So many questions at a time that the embedder's batches are full."""
    answerer = Scripted()
    run(tmp_path, questions(BATCH_SIZE + 5), answerer, search_only=True)
    assert [len(batch) for batch in answerer.asked] == [BATCH_SIZE, 5]


@pytest.mark.parametrize(("search_only", "stop_after"), [(True, 1), (True, 0), (False, 7)])
def test_a_resumed_run_is_one_run(tmp_path, search_only, stop_after):
    """Stopped anywhere and resumed, every file is the same as that of one run, byte for byte."""
    asked = questions(2 * BATCH_SIZE + 9, answerable=True)
    run(tmp_path / "whole", asked, Scripted(), search_only=search_only)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", asked, Scripted(stop_after=stop_after), search_only=search_only)
    second = Scripted()
    run(tmp_path / "parts", asked, second, search_only=search_only, resume=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert second.asked[0][0] == f"Question {stop_after * BATCH_SIZE if search_only else stop_after}"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), trec_beyond=st.floats(0, 1), search_only=st.booleans())
def test_a_run_cut_at_any_byte_is_resumed(tmp_path, share, trec_beyond, search_only):
    """A killed process leaves half a line; rankings are on disk before their reply, perhaps half of the next."""
    asked = questions(BATCH_SIZE + 6)
    whole, cut = tmp_path / f"whole{search_only}", tmp_path / "cut"
    if not whole.exists():
        run(whole, asked, Scripted(), search_only=search_only)
    shutil.rmtree(cut, ignore_errors=True)
    shutil.copytree(whole, cut)
    replies = (cut / "replies.jsonl").read_bytes()
    left = replies[: round(share * len(replies))]
    (cut / "replies.jsonl").write_bytes(left)
    ranked = (cut / "run.trec").read_bytes().splitlines(keepends=True)
    sure = b"".join(ranked[: 2 * left.count(b"\n")])
    rest = b"".join(ranked)[len(sure) :]
    (cut / "run.trec").write_bytes(sure + rest[: round(trec_beyond * len(rest))])
    run(cut, asked, Scripted(), search_only=search_only, resume=True)
    assert contents(cut) == contents(whole)


def test_a_finished_run_is_only_measured_again(tmp_path):
    """Resuming what is done asks nothing, not even when the last batch was no whole one."""
    asked = questions(BATCH_SIZE + 1)
    run(tmp_path, asked, Scripted(), search_only=True)
    again = Scripted()
    run(tmp_path, asked, again, search_only=True, resume=True)
    assert again.asked == []


def test_resuming_nothing_starts(tmp_path):
    """`--resume` may always be given."""
    assert run(tmp_path / "new" / "folder", questions(2), Scripted(), resume=True)["questions"] == 2


def test_without_resume_a_run_starts_afresh(tmp_path):
    """The old replies are gone, and files that are not ours stay."""
    run(tmp_path, questions(5), Scripted())
    (tmp_path / "notes.txt").write_text("mine")
    run(tmp_path, questions(2), Scripted())
    assert (tmp_path / "replies.jsonl").read_text("utf-8").count("\n") == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("asked", "answerer", "search_only", "message"),
    [
        (questions(3), Scripted(), False, "was run on other questions"),
        (questions(2), Scripted(index_version="i2"), False, "was run on another index"),
        (questions(2), Scripted(settings_fingerprint="s2"), False, "was run with other settings"),
        (questions(2), Scripted(), True, "was run in the other mode"),
    ],
)
def test_another_run_is_not_resumed(tmp_path, asked, answerer, search_only, message):
    """A run that would mix two things is refused in words, with what to do, and left as it is."""
    run(tmp_path, questions(2), Scripted())
    before = contents(tmp_path)
    with pytest.raises(EvaluationFault, match=message) as fault:
        run(tmp_path, asked, answerer, search_only=search_only, resume=True)
    assert "leave out --resume" in str(fault.value)
    assert contents(tmp_path) == before


def test_a_broken_manifest_is_not_resumed(tmp_path):
    """What cannot be checked is not mixed."""
    run(tmp_path, questions(2), Scripted())
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(EvaluationFault, match=r"manifest\.json cannot be read"):
        run(tmp_path, questions(2), Scripted(), resume=True)


def test_out_that_is_a_file_is_refused(tmp_path):
    """The message names the folder that cannot be made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationFault, match="cannot be made"):
        run(tmp_path / "file", questions(1), Scripted())


def test_compare_with_an_earlier_run(tmp_path):
    """The other folder's files are enough; its questions are rated by this run's judgements."""
    run(tmp_path / "a", questions(4), Scripted(), search_only=True)
    metrics = run(tmp_path / "b", questions(3), Scripted(), search_only=True, compare=tmp_path / "a")
    assert metrics["compare"]["questions"] == 3
    assert metrics["compare"]["measures"]["RR@10"]["difference"] == 0.0


def test_compare_is_checked_before_anything_is_asked(tmp_path):
    """A wrong folder is found out at once, not after an hour."""
    answerer = Scripted()
    with pytest.raises(EvaluationFault, match=r"holds no replies\.jsonl"):
        run(tmp_path / "b", questions(1), answerer, compare=tmp_path / "none")
    with pytest.raises(EvaluationFault, match="the same folder"):
        run(tmp_path / "b", questions(1), answerer, compare=tmp_path / "b")
    assert answerer.asked == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("replies.jsonl", "{\n", "cannot be read"),
        ("replies.jsonl", "{}\n", "cannot be read"),
        ("run.trec", "q0 d0\n", "cannot be read"),
        ("replies.jsonl", '{"id": "other"}\n', "has none of these questions"),
    ],
)
def test_a_broken_folder_cannot_be_compared(tmp_path, name, content, message):
    """What is wrong with the other run is one line of words, before anything is asked."""
    run(tmp_path / "a", questions(1), Scripted())
    (tmp_path / "a" / name).write_text(content)
    answerer = Scripted()
    with pytest.raises(EvaluationFault, match=message):
        run(tmp_path / "b", questions(1), answerer, compare=tmp_path / "a")
    assert answerer.asked == []


def test_written_out_questions_are_searched_for_reference(tmp_path):
    """They are asked without history, in a run file of their own, and the ratio says what follow-ups lose."""
    asked = tuple(
        Question(
            f"q{number}", f"Question {number}", (("user", "x"),), ((f"d{number}", 1),), standalone=f"Full {number}"
        )
        for number in range(3)
    )
    answerer = Scripted()
    metrics = run(tmp_path, asked, answerer, search_only=True)
    assert answerer.asked[-1] == ["Full 0", "Full 1", "Full 2"]
    assert (tmp_path / "standalone.trec").read_text("utf-8").splitlines()[0] == "q0 Q0 d0 1 0.899999976 standalone"
    # With history question 0 has the right document second: (1/2 + 1 + 1) / 3 against 1.
    assert metrics["standalone_reference"]["overall"]["RR@10"] == {
        "asked": pytest.approx(2.5 / 3, abs=1e-6),
        "written_out": 1.0,
        "ratio": pytest.approx(2.5 / 3, abs=1e-6),
    }


def test_progress_is_told(tmp_path):
    """From nothing done to all done, the reference searches counted."""
    told = []
    asked = (*questions(2), Question("s", "Question 7", standalone="Full 7"))
    run(tmp_path, asked, Scripted(), progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_seconds_add_up_over_sittings(tmp_path):
    """A resumed run knows how long its first part took: two calls of one second each, one in each sitting."""
    asked = questions(2)
    ticks = iter(range(100))
    with pytest.raises(KeyboardInterrupt):
        evaluate(asked, answerer=Scripted(stop_after=1), out=tmp_path, clock=lambda: float(next(ticks)))
    metrics = evaluate(asked, answerer=Scripted(), out=tmp_path, resume=True, clock=lambda: float(next(ticks)))
    assert (metrics["seconds"], metrics["questions_per_second"]) == (2.0, 1.0)


def test_an_answerer_that_loses_questions_is_found_out(tmp_path):
    """A reply too few would shift every reply after it."""

    class Short(Scripted):
        def search(self, batch):
            return super().search(batch)[1:]

    with pytest.raises(ValueError, match="shorter"):
        run(tmp_path, questions(3), Short(), search_only=True)


def test_no_bar_where_there_is_no_terminal():
    """Standard error of a test is no terminal."""
    with terminal_progress() as progress:
        assert progress is None
