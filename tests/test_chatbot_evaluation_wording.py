"""Two modes side by side: length, reading grade, what the gate did, tokens, cost, time to the first statement."""

import json

import pytest
from scripted import ScriptedModel, answer_json, generator, quotes_of, sources_of

from chatbot.evaluation.questions import Question
from chatbot.evaluation.run import evaluate
from chatbot.evaluation.wording import first_statement_ms, summarise_wording

SOURCES = sources_of("In adults, baclofen is started at 5 mg three times a day. It may cause drowsiness.")
QUOTES = quotes_of(SOURCES)
SAID = answer_json(
    ("Baclofen may cause drowsiness.", [1]),
    ("In adults, baclofen is started at 50 mg three times a day.", [1]),
    ("Zanzibarine heals cramps.", [1]),
    ("Baclofen may cause drowsiness.", [9]),
)


class Answerer:
    """Answers every question from one passage; with a scripted model or without."""

    index_version = "i1"

    def __init__(self, model: ScriptedModel | None) -> None:
        self.settings_fingerprint = "worded" if model else "quoted"
        self._writes = generator(model) if model else None

    def search(self, batch):
        raise AssertionError("nothing is only searched here")

    def ask(self, question, history):
        statements, passages, mode, verification = *QUOTES, "extractive", {}
        timings = {"understand": 1.0, "search": 2.0, "compose": 3.0, "total": 10.0}
        if self._writes:
            made = self._writes.compose(question, (), SOURCES, QUOTES, max_statements=4)
            statements, passages, mode, verification = made.statements, made.passages, made.mode, made.verification
            timings |= {"wording": 50.0, "first_statement": 40.0, "total": 60.0}
        return {
            "question": question,
            "standalone_question": question,
            "outcome": "answer",
            "statements": [{"text": s.text, "citations": list(s.citations), "context": []} for s in statements],
            "passages": [passage.to_dict() for passage in passages],
            "mode": mode,
            "verification": dict(verification),
            "confidence": 0.9,
            "disclaimer": "Not a doctor.",
            "timings_ms": timings,
            "ranking": [("document-1", 1.0)],
        }


@pytest.fixture
def runs(tmp_path):
    """Evaluate two questions in quotes, then worded by a scripted model and compared with the quotes."""
    questions = [Question("q1", "What is baclofen started at?"), Question("q2", "What may it cause?")]
    evaluate(questions, answerer=Answerer(None), out=tmp_path / "quoted")
    model = ScriptedModel(SAID, "I cannot help with that.")
    metrics = evaluate(questions, answerer=Answerer(model), out=tmp_path / "worded", compare=tmp_path / "quoted")
    assert model.queue == []
    return metrics, tmp_path / "worded"


def test_the_gate_is_counted_with_its_reasons(runs):
    """One statement kept, one replaced for its number, two dropped; the second reply fell back for a refusal."""
    metrics, _ = runs
    gate = metrics["wording"]["gate"]
    assert (gate["kept"], gate["replaced"], gate["dropped"]) == (1, 1, 2)
    assert sum(row["replaced"] for row in gate["reasons"].values()) == 1
    assert gate["reasons"]["no_citation"] == {"replaced": 0, "dropped": 1}
    assert gate["reasons"]["quantity"] == {"replaced": 1, "dropped": 0}
    assert gate["faults"] == {"refusal": 1}
    assert metrics["wording"]["modes"] == {"extractive": 1, "llm": 1}


def test_both_modes_stand_side_by_side(runs):
    """The page, its short form and metrics.json hold both runs' length, grade, tokens and times."""
    _, out = runs
    both = json.loads((out / "metrics.json").read_text())["compare"]["wording"]
    assert both["theirs"]["modes"] == {"extractive": 2}
    assert both["theirs"]["words_per_answer"]["mean"] == len(QUOTES[0][0].text.split())
    assert both["theirs"]["first_statement_ms"]["p50"] == 6.0
    assert both["ours"]["first_statement_ms"]["p95"] == 46.0
    short, page = (out / "report.md").read_text(), (out / "report.html").read_text()
    assert "| measure | this run | other run |" in short
    assert "| statements replaced | 1 | 0 |" in short
    assert "| quotes stood in for the model | refusal 1 | 0 |" in short
    assert "| quantity | 1 | 0 | 0 | 0 |" in short
    for words in ("How answers were worded", "reading grade", "tokens written", "first statement, ms"):
        assert words in page


def test_tokens_and_cost_are_summed():
    """What providers report is added up over the replies that have statements."""
    reply = {
        "id": "a",
        "statements": [{"text": "Rest."}],
        "verification": {"tokens": {"read": 7, "written": 2}, "cost": 0.5},
    }
    assert summarise_wording([reply, reply])["tokens"] == {"read": 14, "written": 4}
    assert summarise_wording([reply, reply])["cost"] == 1.0
    assert summarise_wording([{"id": "a", "statements": []}]) == {}


@pytest.mark.parametrize(
    ("timings", "expected"),
    [
        ({"understand": 1.0, "search": 2.0, "compose": 3.0, "total": 9.0}, 6.0),
        ({"understand": 1.0, "search": 2.0, "compose": 3.0, "wording": 50.0, "first_statement": 40.0, "total": 60.0}, 46.0),
        ({"understand": 1.0, "search": 2.0, "compose": 3.0, "wording": 50.0, "first_statement": 0.0, "total": 60.0}, 60.0),
        ({"total": 4.0}, 4.0),
    ],
)  # fmt: skip
def test_the_first_statement_is_timed_from_the_question(timings, expected):
    """Quotes when they are chosen; a model's after its check; after a fault the whole time."""
    assert first_statement_ms(timings) == expected
