"""The whole pipeline on the shipped articles: what every reply holds, and what each kind of message gets."""

import json
import threading

import pytest
from conftest import TinyEmbedder, article, write_articles

from chatbot.replies import Turn, to_dict
from chatbot.reply import MAX_QUESTION_CHARS, Chatbot, QuestionFault
from chatbot.settings import Settings
from index.build import build

QUESTIONS = (
    "What is the maximum dose of baclofen?",
    "How do I treat an acute calf cramp?",
    "Should quinine be prescribed for leg cramps?",
    "what must not be missed in calf pain",
    "Which drugs cause restless legs to get worse?",
    "How is suspected DVT investigated?",
    "How is a venous leg ulcer treated?",
    "statin muscle pain and creatine kinase",
    "treatment of hypokalaemia",
    "How is exertional heat stroke cooled?",
    "Can emergency contraception be used twice?",
    "leg cramps in pregnancy magnesium",
)


def said(*pairs):
    return tuple(Turn(role, content) for role, content in pairs)


def assert_sound(reply, opened):
    """Assert what the contract promises of any reply, and that each quote is verbatim in its source."""
    row = json.loads(json.dumps(to_dict(reply)))
    assert row["disclaimer"].strip()
    assert row["index_version"] == opened.version
    numbers = {passage["number"] for passage in row["passages"]}
    assert numbers == set(range(1, len(numbers) + 1)) == {n for s in row["statements"] for n in s["citations"]}
    assert bool(row["statements"]) <= (row["outcome"] in ("answer", "emergency"))
    assert len(row["statements"]) <= 8
    for passage in row["passages"]:
        document = opened.records.document(passage["document_id"])
        assert document.text[passage["start"] : passage["end"]] == passage["text"]
        marks = document.cited_numbers(passage["start"], passage["end"])
        assert {entry["number"] for entry in passage["references"]} <= set(marks)
    for statement in row["statements"]:
        passages = [p for p in row["passages"] if p["number"] in statement["citations"]]
        assert passages and all(statement["text"] in passage["text"] for passage in passages)
        document = opened.records.document(passages[0]["document_id"])
        assert document.text[statement["start"] : statement["end"]] == statement["text"]
        assert list(passages[0]["section"]) == statement["context"][: len(passages[0]["section"])]
        block = next(b for b in document.blocks if b.start <= statement["start"] < b.end)
        above = " ".join(statement["context"])
        assert all(document.text[a:b].split("[")[0].strip() in above for a, b in block.lead_ins)
    match row["outcome"]:
        case "abstention":
            assert row["reason"].strip() and not row["statements"]
        case "clarification":
            assert row["clarifying_question"].strip() and len(row["choices"]) > 1
        case "emergency":
            assert row["emergency"]["text"].strip()
    return row


@pytest.mark.parametrize("question", QUESTIONS)
def test_replies_are_sound(shipped_bot, question):
    """Quotes are verbatim, citations resolve, lead-ins travel along, the disclaimer stands."""
    row = assert_sound(shipped_bot.reply(question), shipped_bot.opened)
    assert row["outcome"] in ("answer", "emergency") and row["statements"]


def test_same_question_same_reply(shipped_bot, shipped_index, minilm):
    """A second run, on a chatbot of its own, gives byte for byte the same replies, timings aside."""
    other = Chatbot(Settings(index=shipped_index), minilm)
    for question in QUESTIONS:
        replies = [to_dict(bot.reply(question)) for bot in (shipped_bot, other, shipped_bot)]
        for reply in replies:
            assert reply.pop("timings_ms")["total"] > 0
        assert replies[0] == replies[1] == replies[2]


def test_follow_up_on_the_dose_finds_the_drug(shipped_bot):
    """ "What is the maximum dose?" after a question on baclofen is about baclofen."""
    turns = said(("user", "What is baclofen used for?"), ("assistant", "For spasticity."))
    row = assert_sound(shipped_bot.reply("what is the maximum dose?", turns), shipped_bot.opened)
    assert "baclofen" in row["standalone_question"].lower()
    assert {passage["document_id"] for passage in row["passages"]} == {"baclofen-safety-and-withdrawal"}
    assert any("mg" in statement["text"] for statement in row["statements"])


@pytest.mark.parametrize("question", ["What is the dose of zorblaxin?", "Who won the football world cup in 1998?"])
def test_what_the_index_does_not_hold_is_not_answered(shipped_bot, question):
    """A thing that no article speaks of gets a plain no, and questions that can be answered."""
    row = assert_sound(shipped_bot.reply(question), shipped_bot.opened)
    assert row["outcome"] == "abstention" and row["statements"] == []


@pytest.mark.parametrize("question", ["thanks!", "hello", "who are you?"])
def test_small_talk_is_not_searched(shipped_bot, question):
    """A greeting gets no quotes."""
    assert assert_sound(shipped_bot.reply(question), shipped_bot.opened)["outcome"] == "abstention"


def test_followup_makes_a_cramp_an_emergency_for_six_turns(shipped_bot):
    """A cramp that a follow-up makes one-sided and warm gets the card, which stays for just five follow-ups."""
    turns, shown = [], []
    for question in (
        "What is the treatment for nocturnal leg cramps?",
        "and if it is one-sided, swollen and warm?",
        "what about magnesium?",
        "and in pregnancy?",
        "thanks",
        "why not quinine?",
        "zorvaxitol?",
        "how are leg cramps prevented?",
    ):
        row = to_dict(shipped_bot.reply(question, tuple(turns)))
        shown.append((row["outcome"] == "emergency" and row["emergency"]["sticky"], row["outcome"] == "emergency"))
        turns += said(("user", question), ("assistant", "…"))
    fresh, sticky, none = (False, True), (True, True), (False, False)
    assert shown == [none, fresh, sticky, sticky, sticky, sticky, sticky, none]


def test_no_statement_goes_against_the_card(shipped_bot):
    """Under a card that says not to rub the calf no quote tells to rub or stretch it; the same question alone has some."""
    asked = "How is an acute calf cramp treated?"
    alone = to_dict(shipped_bot.reply(asked))
    row = to_dict(shipped_bot.reply(f"My left calf is swollen and warm. {asked}"))
    assert row["outcome"] == "emergency"
    told = [any(word in s["text"].lower() for word in ("stretch", "massage", "rubbing")) for s in alone["statements"]]
    assert any(told)
    for statement in row["statements"]:
        assert not any(word in statement["text"].lower() for word in ("stretch", "massage", "rubbing"))


def test_refused_request_about_self_harm_keeps_its_card(shipped_bot):
    """After a request for a way to die the crisis card stands before the next answer, too."""
    before = said(("user", "How many paracetamol do I need to take to die?"), ("assistant", "…"))
    row = to_dict(shipped_bot.reply("What is the treatment for nocturnal leg cramps?", before))
    assert row["outcome"] == "emergency" and row["emergency"]["sticky"] and row["statements"]


def test_emergency_comes_first(shipped_bot):
    """A message that sounds like an emergency gets the card, whatever else can be said."""
    row = assert_sound(
        shipped_bot.reply("My leg went cold, pale and numb an hour ago and I have crushing chest pain"),
        shipped_bot.opened,
    )
    assert row["outcome"] == "emergency"


def test_related_questions_are_answered(shipped_bot):
    """What is offered to go on with is answered, when it is asked."""
    offered = {q for question in QUESTIONS[:6] for q in shipped_bot.reply(question).related_questions}
    assert offered
    outcomes = [to_dict(shipped_bot.reply(question))["outcome"] for question in sorted(offered)]
    assert sum(outcome == "abstention" for outcome in outcomes) <= len(outcomes) // 10


def test_only_approved_articles_when_so_set(shipped_index, minilm):
    """No shipped article is approved by a clinician: with that setting there is nothing to quote."""
    bot = Chatbot(Settings(index=shipped_index, require_approved=True), minilm)
    row = assert_sound(bot.reply("What is the maximum dose of baclofen?"), bot.opened)
    assert row["outcome"] == "abstention" and row["also_retrieved"] == []


def test_limit_of_statements_is_kept(shipped_index, minilm):
    """No reply has more statements than is set."""
    bot = Chatbot(Settings(index=shipped_index, max_statements=2), minilm)
    assert all(len(to_dict(bot.reply(question))["statements"]) <= 2 for question in QUESTIONS[:5])


def test_open_article_says_what_a_bare_question_is_about(shipped_bot):
    """On an article's page "what is the maximum dose?" is about that article."""
    row = to_dict(shipped_bot.reply("what is the maximum dose?", article="baclofen-safety-and-withdrawal"))
    assert row["passages"] and row["passages"][0]["document_id"] == "baclofen-safety-and-withdrawal"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("x" * (MAX_QUESTION_CHARS + 1), "shorten it"),
        ("a\ud800", "type it again"),
    ],
)
def test_questions_that_cannot_be_taken(shipped_bot, question, words):
    """What is no question is refused with what to do."""
    with pytest.raises(QuestionFault, match=words):
        shipped_bot.reply(question)


@pytest.mark.parametrize(
    "question",
    ["?", "🦵💊", "ａ" * 50, "1", "\u202enot", "<script>alert(1)</script>", "a " * 1990, "x" * 4000, "'; DROP TABLE"],
)
def test_odd_questions_are_answered_soundly(shipped_bot, question):
    """Any text that is a question in form gets a sound reply."""
    assert_sound(shipped_bot.reply(question), shipped_bot.opened)


def test_unknown_article_is_refused(shipped_bot):
    """An article that is not in the index is named."""
    with pytest.raises(QuestionFault, match="no article 'nope'"):
        shipped_bot.reply("what dose?", article="nope")


def test_new_index_is_seen_after_a_refresh(tmp_path):
    """A rebuilt index answers after `refresh`; until then the old one does, whole."""
    folder = write_articles(tmp_path / "a", {"baclofen": article("baclofen", words="Give at most 80 mg of baclofen.")})
    build([folder], tmp_path / "ix", TinyEmbedder(), model="tiny")
    bot = Chatbot(Settings(index=tmp_path / "ix", threshold=0.0), TinyEmbedder())
    first = bot.opened.version
    write_articles(folder, {"baclofen": article("baclofen", words="Give at most 60 mg of baclofen.")})
    build([folder], tmp_path / "ix", TinyEmbedder(), model="tiny")
    assert bot.reply("baclofen dose").index_version == first
    bot.refresh()
    assert bot.reply("baclofen dose").index_version != first


def test_replies_during_rebuilds_never_mix_editions(tmp_path):
    """While the index is replaced and the chatbot refreshed, each reply comes from one edition, version and all."""
    folder = tmp_path / "a"

    def write(edition):
        words = f"In edition{edition} give at most 80 mg of baclofen a day."
        # The number of articles changes with the edition, so that masks of one do not fit another.
        names = [f"n{number}" for number in range(3 + edition)]
        write_articles(folder, {name: article(name, words=words, title=f"Baclofen {name}") for name in names})
        return build([folder], tmp_path / "ix", TinyEmbedder(), model="tiny").index_version

    editions = {write(0): "edition0"}
    settings = Settings(index=tmp_path / "ix", threshold=0.0, require_approved=False)
    bot, stop, faults = Chatbot(settings, TinyEmbedder()), threading.Event(), []

    def ask():
        while not stop.is_set():
            try:
                reply = to_dict(bot.reply("What is the maximum dose of baclofen a day?"))
            except Exception as error:
                faults.append(repr(error))
                return
            said_of = {word for s in reply["statements"] for word in s["text"].split() if word.startswith("edition")}
            seen.append((reply["index_version"], said_of))

    seen = []
    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for edition in range(1, 6):
        editions[write(edition)] = f"edition{edition}"
        bot.refresh()
    stop.set()
    for asker in askers:
        asker.join()
    assert faults == [] and seen
    assert all(said_of <= {editions[version]} for version, said_of in seen)


@pytest.mark.parametrize("moment", range(1, 16))
def test_refresh_in_the_middle_of_a_reply_changes_nothing_in_it(tmp_path, moment):
    """A reply that has begun on one edition ends on it, whenever another thread refreshes the chatbot."""
    words = "Give at most 80 mg of baclofen a day."
    for edition, ids in enumerate((("a", "b", "c"), ("x",))):
        texts = {f"{name}{edition}": article(f"{name}{edition}", words=words, title=f"Baclofen {name}") for name in ids}
        build(
            [write_articles(tmp_path / f"s{edition}", texts)], tmp_path / f"ix{edition}", TinyEmbedder(), model="tiny"
        )
    calls = 0

    def clock():
        nonlocal calls
        calls += 1
        if calls == moment:
            # What a refresh does after a build, at the worst moment.
            bot.settings = Settings(index=tmp_path / "ix1", threshold=0.0)
            bot._open()
        return float(calls)

    bot = Chatbot(Settings(index=tmp_path / "ix0", threshold=0.0), TinyEmbedder(), clock=lambda: 0.0)
    before = bot.opened
    bot._clock = clock
    reply = bot.reply("What is the maximum dose of baclofen a day?")
    opened = before if reply.index_version == before.version else bot.opened
    assert_sound(reply, opened)
    assert {passage.document_id for passage in reply.also_retrieved} <= set(opened.records.document_ids)


def test_steps_of_the_list_that_answers_stay_together(shipped_bot):
    """Asked how a drug is stopped after its dose was asked for, the taper stands beside its exception."""
    turns = (Turn("user", "What is the maximum dose of baclofen?"), Turn("assistant", "At most 80 mg a day."))
    said = [statement.text for statement in shipped_bot.reply("and how is it stopped?", turns).statements]
    assert any(text.startswith("Taper:") for text in said) and any(text.startswith("Exception:") for text in said)
