from math import log2

import pytest

from chatbot.evaluation.measures import DEFINITIONS, GROUPS, rate, rate_rankings
from chatbot.evaluation.questions import Question


def values(question, reply, run=None):
    (rating,) = rate([question], [{"id": question.id, "standalone_question": question.question, **reply}], run or {})
    return rating.values


def answer(*statements, **passages):
    """Return a reply: statements as (text, citations), passages as number -> (document id, text)."""
    return {
        "outcome": "answer",
        "disclaimer": "Not a doctor.",
        "statements": [{"text": text, "citations": list(numbers), "context": []} for text, numbers in statements],
        "passages": [
            {"number": int(name[1:]), "document_id": document_id, "text": text}
            for name, (document_id, text) in passages.items()
        ],
    }


def test_retrieval_by_hand():
    """Grades a=2, b=1 and the order b, x, a: DCG = 1/log2(2) + 2/log2(4), ideal = 2/log2(2) + 1/log2(3)."""
    question = Question("q", "?", relevant=(("a", 2), ("b", 1)))
    found = rate_rankings([question], {"q": {"b": 3.0, "x": 2.0, "a": 1.0}})["q"]
    assert found == pytest.approx(
        {
            "nDCG@10": (1 + 2 / 2) / (2 + 1 / log2(3)),
            "nDCG@5": (1 + 2 / 2) / (2 + 1 / log2(3)),
            "RR@10": 1.0,
            "P@1": 1.0,
            "R@5": 1.0,
            "R@10": 1.0,
            "R@100": 1.0,
        }
    )


def test_cutoffs():
    """The only relevant document on rank 11: nothing at 10, all at 100."""
    question = Question("q", "?", relevant=(("right", 1),))
    run = {f"d{rank}": 100.0 - rank for rank in range(10)} | {"right": 1.0}
    found = rate_rankings([question], {"q": run})["q"]
    assert (found["nDCG@10"], found["RR@10"], found["R@10"], found["R@100"]) == (0.0, 0.0, 0.0, 1.0)


def test_a_question_without_a_ranking_scores_nothing():
    """It counts as 0, it is not left out."""
    questions = [Question("q1", "?", relevant=(("a", 1),)), Question("q2", "?", relevant=(("a", 1),))]
    found = rate_rankings(questions, {"q1": {"a": 1.0}})
    assert (found["q1"]["nDCG@10"], found["q2"]["nDCG@10"]) == (1.0, 0.0)


def test_no_relevant_document_no_retrieval_measure():
    """Without a document of grade 1 or more there is nothing to find."""
    assert rate_rankings([Question("q", "?"), Question("r", "?", relevant=(("a", 0),))], {"q": {"a": 1.0}}) == {}


def test_verbatim_statements():
    """Each statement stands in a passage that it cites, and not merely in any passage."""
    right = answer(("Stretch.", [1]), p1=("a", "Do this: Stretch. Then rest."), p2=("b", "Other."))
    paraphrase = answer(("Do stretch.", [1]), p1=("a", "Do this: Stretch."))
    elsewhere = answer(("Stretch.", [2]), p1=("a", "Stretch."), p2=("b", "Other."))
    question = Question("q", "?")
    assert [values(question, reply)["verbatim"] for reply in (right, paraphrase, elsewhere)] == [1.0, 0.0, 0.0]
    assert "verbatim" not in values(question, {**paraphrase, "mode": "llm"})


def test_citations_that_lead_nowhere():
    """A number without a passage, or a statement without a number, does not resolve."""
    question = Question("q", "?")
    replies = [
        answer(("x", [1]), p1=("a", "x")),
        answer(("x", [1, 2]), p1=("a", "x")),
        answer(("x", []), p1=("a", "x")),
    ]
    assert [values(question, reply)["citations_resolve"] for reply in replies] == [1.0, 0.0, 0.0]
    assert [values(question, reply)["passages_cited"] for reply in replies] == [1.0, 1.0, 0.0]


def test_cited_documents_against_the_relevant_ones():
    """Two documents cited, one relevant: precision one half."""
    question = Question("q", "?", relevant=(("a", 1), ("c", 1)))
    found = values(question, answer(("x", [1]), ("y", [2]), p1=("a", "x"), p2=("b", "y")))
    assert (found["cited_precision"], found["cited_relevant"]) == (0.5, 1.0)
    assert (found["statements"], found["passages"]) == (2.0, 2.0)


def test_an_abstention_has_no_statement_measures():
    """It has a disclaimer, and covers nothing of what the answer must have."""
    question = Question("q", "?", must_have=("x",), reference_answers=("x",), answerable=True)
    found = values(question, {"outcome": "abstention", "statements": [], "passages": [], "disclaimer": " "})
    assert found == {"answered_answerable": 0.0, "disclaimer": 0.0, "must_have": 0.0, "rewritten": 0.0}


@pytest.mark.parametrize(
    ("answerable", "outcome", "n_statements", "expected"),
    [
        (True, "answer", 1, {"answered_answerable": 1.0}),
        (False, "answer", 1, {"answered_unanswerable": 1.0}),
        (False, "abstention", 0, {"answered_unanswerable": 0.0}),
        (False, "emergency", 1, {"answered_unanswerable": 1.0}),
        (True, "clarification", 0, {"answered_answerable": 0.0}),
        (None, "answer", 1, {}),
    ],
)
def test_answered_means_statements(answerable, outcome, n_statements, expected):
    """A reply with statements answered, whatever its outcome; unknown answerability counts nowhere."""
    reply = answer(*[("x", [1])] * n_statements, p1=("a", "x")) | {"outcome": outcome}
    found = values(Question("q", "?", answerable=answerable), reply)
    assert {name: value for name, value in found.items() if name.startswith("answered")} == expected


def test_expected_outcome():
    """The outcome is compared with what the question expects."""
    reply = {"outcome": "emergency", "statements": [], "passages": []}
    assert values(Question("q", "?", expect="emergency"), reply)["outcome_as_expected"] == 1.0
    assert values(Question("q", "?", expect="answer"), reply)["outcome_as_expected"] == 0.0


def test_a_search_reply_is_rated_by_its_outcome_alone():
    """Without statements in the reply only retrieval and decisions apply."""
    question = Question("q", "?", answerable=False, must_have=("x",), reference_answers=("x",))
    assert values(question, {"hits": [], "outcome": "answer"}) == {"answered_unanswerable": 1.0, "rewritten": 0.0}
    assert values(question, {"hits": []}) == {"rewritten": 0.0}


@pytest.mark.parametrize(
    ("said", "wanted", "found"),
    [
        ("Take 5 mg daily.", "5 MG", 1.0),
        ("Take 5\u00a0mg\n daily.", "5 mg  daily", 1.0),
        ("Take 15 mg daily.", "5 mg", 0.0),
        ("Take 1.5 mg daily.", "5 mg", 0.0),
        ("At most 1,500 units.", "1", 0.0),
        ("For 2.5 hours.", "for 2", 0.0),
        ("Give it at 10.", "at 10", 1.0),
        ("Muscle cramps.", "cramp", 1.0),
        ("Rest.", "stretch", 0.0),
    ],
)
def test_must_have_texts(said, wanted, found):
    """Case and white space do not matter; a number is not found inside a longer one."""
    assert values(Question("q", "?", must_have=(wanted,)), answer((said, [1]), p1=("a", said)))["must_have"] == found


def test_must_have_share_counts_the_context():
    """One of two texts stands in the statement, one in the heading over it, one nowhere: two of three."""
    reply = answer(("Quinine.", [1]), p1=("a", "Quinine."))
    reply["statements"][0]["context"] = ["Do not prescribe:"]
    question = Question("q", "?", must_have=("quinine", "do not prescribe", "magnesium"))
    assert values(question, reply)["must_have"] == pytest.approx(2 / 3)


def test_rouge_l_takes_the_best_reference():
    """LCS of "stretch calf often" and "stretch the calf" is 2: P = 2/3, R = 2/3 (Lin 2004)."""
    question = Question("q", "?", reference_answers=("quinine", "stretch the calf"))
    found = values(question, answer(("Stretch calf often.", [1]), p1=("a", "Stretch calf often.")))
    assert (found["rougeL_precision"], found["rougeL_recall"], found["rougeL_f1"]) == pytest.approx((2 / 3,) * 3)


def test_rewritten():
    """A standalone question that differs by more than case and white space was rewritten."""
    question = Question("q", "What dose?")
    assert values(question, {"standalone_question": "what  dose?"})["rewritten"] == 0.0
    assert values(question, {"standalone_question": "What dose of quinine?"})["rewritten"] == 1.0


def test_every_measure_is_defined():
    """The report can say of each number what it is."""
    assert {name for names in GROUPS.values() for name in names} <= DEFINITIONS.keys()
