"""`followup bench` from end to end: real processes, small corpora, the reports, and two runs compared."""

import importlib.util
import json
import re
import sys

import pytest
from conftest import ROOT

import chatbot.bench.run
from chatbot import cli
from chatbot.bench.command import bench, changes, read_metrics, shown, shown_changes
from chatbot.bench.figures import MEASURES, BenchFault
from chatbot.bench.sources import prepare, spread_over, write_sample
from chatbot.evaluation.questions import Question
from index.weights import find_model

# A side that ranks documents by the words that they share with the question; it speaks as side.py says.
WORD_COUNT = '''
"""Counts words."""
import argparse, json, pathlib
p = argparse.ArgumentParser()
p.add_argument("step", nargs="?")
p.add_argument("--version", action="store_true")
for name in ("--model", "--store", "--corpus", "--questions", "--question"):
    p.add_argument(name)
a = p.parse_args()
if a.version:
    print("counts shared words")
elif a.step == "index":
    rows = pathlib.Path(a.corpus).read_text("utf-8").splitlines()
    pathlib.Path(a.store).mkdir()
    pathlib.Path(a.store, "all").write_text("\\n".join(rows), "utf-8")
    print(json.dumps({"passages": len(rows), "documents": len(rows), "seconds": 0.5}))
else:
    rows = [json.loads(line) for line in pathlib.Path(a.store, "all").read_text("utf-8").splitlines()]
    def rank(text):
        words = set(text.lower().split())
        found = [[row["_id"], len(words & set((row["title"] + " " + row["text"]).lower().split()))] for row in rows]
        return sorted(found, key=lambda pair: -pair[1])[:10]
    if a.step == "ask":
        print(rank(a.question)[0])
    else:
        asked = [json.loads(line) for line in pathlib.Path(a.questions).read_text("utf-8").splitlines()]
        times = [1.0 + place for place, row in enumerate(asked) if row["timed"]]
        ranking = {row["id"]: rank(row["question"]) for row in asked if row["judged"]}
        print(json.dumps({"search_ms": times, "ask_ms": times, "ranking": ranking}))
'''


@pytest.fixture
def word_count(tmp_path):
    """Return a program that is a side."""
    path = tmp_path / "word_count.py"
    path.write_text(WORD_COUNT, "utf-8")
    return path


@pytest.fixture
def judged(tmp_path):
    """Return a file of three judged questions, one of them a follow-up."""
    rows = [
        {"id": "1", "question": "What is the maximum dose of baclofen?", "relevant": {"baclofen": 1}},
        {"id": "2", "question": "Is quinine recommended for cramps?", "relevant": {"quinine": 1}},
        {
            "id": "3",
            "question": "And its maximum dose?",
            "history": [{"role": "user", "content": "Tell me about baclofen"}],
            "relevant": {"baclofen": 1},
        },
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def set_up(model_cache, monkeypatch):
    """Let child processes find the exported model; one cold start is enough here."""
    monkeypatch.setenv("FOLLOWUP_CACHE", str(model_cache))
    monkeypatch.setattr(chatbot.bench.run, "_COLD_STARTS", 1)


def test_benchmark_measures_both_sides(articles, word_count, judged, set_up, tmp_path):
    """Every measure is taken of both sides, with ratios; the reports hold them; the stores are gone."""
    told = []
    out = tmp_path / "out"
    metrics = bench(
        [articles], out, questions=[judged], against=[word_count], model_folder=find_model().folder, runs=1,
        sample=None, tell=told.append,
    )  # fmt: skip
    names = [measure.name for measure in MEASURES]
    assert list(metrics["sides"]) == ["followup", "word_count"]
    assert all(list(figures) == names for figures in metrics["sides"].values())
    assert all(row["median"] > 0 for figures in metrics["sides"].values() for row in figures.values())
    assert metrics["sides"]["word_count"]["passages_per_second"]["median"] == 6.0
    assert metrics["sides"]["word_count"]["search_p50_ms"]["median"] == 2.0
    assert metrics["sides"]["followup"]["nDCG@10"]["median"] == 1.0
    assert list(metrics["ratios"]["word_count"]) == names
    assert metrics["questions"] == {"timed": 3, "judged": 3} and metrics["corpus"]["documents"] == 3
    assert told == ["reading the corpus", "run 1 of 1: followup", "run 1 of 1: word_count"]
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "report.html", "report.md"]
    page, short = (out / "report.html").read_text("utf-8"), (out / "report.md").read_text("utf-8")
    assert "<svg" in page and not re.search(r"https?://", page) and "counts shared words" in page
    assert all(measure.title in page and measure.title in short for measure in MEASURES)
    assert "times better than word_count" in shown(metrics)
    assert read_metrics(out) == json.loads(json.dumps(metrics))
    assert {row["times_better"] for row in changes(out, out)} == {1.0}
    assert not any(row["regression"] for row in changes(out, out))
    assert "nDCG@10" in shown_changes(changes(out, out))


@pytest.mark.skipif(importlib.util.find_spec("langchain_chroma") is None, reason="langchain-chroma is not installed")
def test_plain_pipeline_is_a_side(articles, judged, tmp_path):
    """The plain pipeline indexes, ranks the right document first, and answers with passages."""
    asked = prepare([articles], [Question("1", "maximum dose of baclofen", relevant=(("baclofen", 1),))], tmp_path)
    program = [sys.executable, str(ROOT / "tests/benchmarks/plain_pipeline.py")]
    common = ["--model", str(find_model().folder), "--store", str(tmp_path / "store")]
    indexed = json.loads(
        chatbot.bench.run._run([*program, "index", *common, "--corpus", str(asked.corpus)], "p").output
    )
    assert (indexed["documents"], indexed["passages"]) == (3, 3)
    searched = chatbot.bench.run._run([*program, "search", *common, "--questions", str(asked.questions)], "p")
    found = json.loads(searched.output)
    assert found["ranking"]["1"][0][0] == "baclofen" and len(found["search_ms"]) == len(found["ask_ms"]) == 1
    # sentence-transformers and torch alone take more than 300 MiB.
    assert searched.peak_mib > 300


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit('no such luck')", "ended with 1: no such luck"),
        ("print('not JSON')", "must print a JSON object with passages, documents, seconds; printed 'not JSON"),
    ],
)
def test_side_that_fails_is_named(program, words, articles, set_up, tmp_path):
    """A program that fails, or prints something else, ends the benchmark with its name and its last line."""
    path = tmp_path / "other.py"
    path.write_text("import sys\nif '--version' in sys.argv: sys.exit()\n" + program, "utf-8")
    with pytest.raises(BenchFault, match=r"^other: ") as fault:
        bench(
            [articles], tmp_path / "out", questions=[], against=[path], model_folder=tmp_path, runs=1, sample=None,
            tell=lambda line: None,
        )  # fmt: skip
    assert words in str(fault.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_sample_takes_documents_and_their_questions(articles, tmp_path):
    """A sample holds so many documents, evenly spread, and only questions about them."""
    lines = tmp_path / "corpus.jsonl"
    lines.write_text("".join(json.dumps({"_id": f"d{n}", "title": f"T{n}", "text": "A b."}) + "\n" for n in range(7)))
    work = tmp_path / "work"
    work.mkdir()
    questions = [Question(f"q{n}", "?", relevant=((f"d{n}", 1),)) for n in range(7)]
    asked = prepare([lines], questions, work, sample=3)
    assert (asked.documents, [q.id for q in asked.judged]) == (3, ["q0", "q3", "q6"])
    folder = write_sample([articles, lines], tmp_path / "both", 4)
    assert sorted(path.name for path in folder.iterdir()) == ["0000000-baclofen.md", "sample.jsonl"]
    assert len((folder / "sample.jsonl").read_text().splitlines()) == 3


def test_without_questions_the_documents_own_are_asked(articles, tmp_path):
    """Titles are asked where nothing else is given, and nothing is judged."""
    asked = prepare([articles], (), tmp_path)
    assert {question.question for question in asked.timed} == {"Calf cramp", "Baclofen", "Quinine"}
    assert asked.judged == () and asked.words > 30


def test_spread_is_even():
    """Rows are taken from all over, the first and the last among them."""
    assert spread_over("abcdefg", 3) == ("a", "d", "g")
    assert spread_over("ab", 3) == ("a", "b") and spread_over("abc", 1) == ("a",)


def call(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["followup", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    output, errors = capsys.readouterr()
    return ended.value.code or 0, output, errors.splitlines()


def write_run(folder, p50):
    folder.mkdir()
    row = {"median": p50, "low": p50 - 1, "high": p50 + 1}
    values = {"sides": {"followup": {"search_p50_ms": row}}, "ratios": {}}
    (folder / "metrics.json").write_text(json.dumps(values))
    return folder


def test_comparing_two_runs(monkeypatch, capsys, tmp_path):
    """`bench --compare OLD NEW` prints the table; with a regression it ends with 1 and a line for it."""
    old, new = write_run(tmp_path / "old", 10.0), write_run(tmp_path / "new", 20.0)
    code, output, errors = call(monkeypatch, capsys, "bench", "--compare", old, new)
    assert (code, errors) == (1, ["followup: followup: search_p50_ms is worse: 2.00 ×"])
    assert output.splitlines()[1].split()[:3] == ["search", "p50", "followup"] and "regression" in output
    code, output, errors = call(monkeypatch, capsys, "bench", "--compare", new, old, "--json")
    assert (code, errors) == (0, []) and json.loads(output)["changes"][0]["times_better"] == 2.0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["bench"], 2, "name a CORPUS and --out FOLDER"),
        (["bench", "corpus"], 2, "name a CORPUS and --out FOLDER"),
        (["bench", "--compare", "old"], 2, "--compare OLD needs NEW"),
        (["bench", "--compare", "old", "new"], 1, "old: holds no metrics.json of a benchmark"),
    ],
)
def test_wrong_usage_is_one_line(arguments, code, words, monkeypatch, capsys, tmp_path):
    """What cannot be run ends with its code and one line that says what is needed."""
    monkeypatch.chdir(tmp_path)
    found, output, errors = call(monkeypatch, capsys, *arguments)
    assert (found, output, len(errors)) == (code, "", 1) and words in errors[0]
