"""What the index learns from words alone: abbreviations, kinds of question and section, titles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.abbreviations import AbbreviationCounter, find_abbreviations
from index.intents import heading_intents, question_intents, section_intents
from index.records import DamagedIndex
from index.titles import Titles, write_titles


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("Suspect deep vein thrombosis (DVT) early.", [("DVT", "deep vein thrombosis")]),
        ("the ankle-brachial pressure index (ABPI)", [("ABPI", "ankle-brachial pressure index")]),
        ("Non-steroidal anti-inflammatory drugs (NSAIDs)", [("NSAID", "Non-steroidal anti-inflammatory drugs")]),
        ("restless legs syndrome (RLS; Willis-Ekbom disease)", [("RLS", "restless legs syndrome")]),
        (
            "magnetic resonance imaging (MRI) or computed tomography (CT)",
            [("MRI", "magnetic resonance imaging"), ("CT", "computed tomography")],
        ),
        ("It is common (Table 2).", []),
        ("a dose (5 mg) of it", []),
        ("stop it (DVT)", []),
        ("(DVT) first", []),
        ("((((", []),
    ],
)
def test_abbreviations_that_a_text_explains(text, pairs):
    """Short forms are paired with the words before their bracket, and nothing else is."""
    assert find_abbreviations(text) == pairs


def test_commonest_long_form_is_learnt():
    """Of two long forms the one that more documents use is kept; ties go to the shorter."""
    counter = AbbreviationCounter()
    for text in (
        "peripheral artery disease (PAD)",
        "peripheral arterial disease (PAD)",
        "peripheral artery disease (PAD)",
    ):
        counter.read(text)
    assert counter.learnt() == {"PAD": "peripheral artery disease"}


@given(st.text(alphabet="aDdVTt (),.", max_size=80))
def test_abbreviations_of_any_text(text):
    """Any text is read; a long form is words of the text, and longer than its short form."""
    for short, long in find_abbreviations(text):
        assert long in " ".join(text.split()) and len(long) > len(short)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How is it treated?", "treatment"),
        ("What are the symptoms of hypokalaemia?", "symptoms"),
        ("What is the maximum dose of baclofen?", "dose"),
        ("Is quinine safe?", "safety"),
        ("How can cramps be prevented?", "prevention"),
        ("what causes restless legs", "causes"),
        ("How is DVT diagnosed?", "diagnosis"),
        ("When should I go to hospital?", "urgent"),
        ("What is claudication?", "definition"),
    ],
)
def test_questions_say_what_they_ask_for(question, asked):
    """The kind of answer that a question asks for is read from its words."""
    assert asked in question_intents(question)


@pytest.mark.parametrize("question", ["", "?", "calf", "x" * 100_000])
def test_questions_that_do_not_say(question):
    """A bare noun asks for nothing in particular, and length is no trouble."""
    assert question_intents(question) == frozenset()


@pytest.mark.parametrize(
    ("heading", "offered"),
    [
        ("Exams and Tests", "diagnosis"),
        ("Critical pitfalls", "safety"),
        ("Dosing", "dose"),
        ("Outlook (Prognosis)", "outlook"),
    ],
)
def test_headings_say_what_they_offer(heading, offered):
    """The kind of a section is read from its heading."""
    assert offered in heading_intents(heading)


def test_section_without_a_telling_heading_takes_its_documents_question():
    """Where headings say nothing, the question that the document answers does."""
    assert "treatment" in section_intents(("Details",), "How is it treated?")
    assert section_intents(("Symptoms",), "How is it treated?") == heading_intents("Symptoms")
    assert section_intents((), "") == frozenset()


@pytest.fixture
def titles_of(tmp_path):
    """Return a function that writes titles and opens them."""

    def open_titles(*names):
        write_titles(tmp_path / "titles.sqlite", names)
        return Titles(tmp_path / "titles.sqlite")

    return open_titles


def test_longest_title_in_a_question(titles_of):
    """Of the titles within a question the longest counts, whatever case and plural."""
    titles = titles_of("Cramp", "Calf cramp", "Calf cramp in pregnancy", "", "The", "cramps")
    assert titles.within("How are CALF CRAMPS treated?") == "Calf cramp"
    assert titles.within("calf cramp in pregnancy?") == "Calf cramp in pregnancy"
    assert titles.within("the dose of gout") == "" and titles.within("") == ""


def test_topic_is_what_a_title_names_and_little_else(titles_of):
    """A phrase is a topic if it makes up half of what some title names."""
    titles = titles_of("Treatment of nocturnal leg cramps", "Baclofen")
    assert titles.is_topic("leg cramps") and titles.is_topic("baclofen")
    assert not titles.is_topic("leg") and not titles.is_topic("") and not titles.is_topic("the")


def test_title_in_a_long_question(titles_of):
    """A title is found wherever it stands in a long case history."""
    titles = titles_of("Calf cramp")
    assert titles.within("word " * 2_000 + "calf cramps " + "word " * 2_000) == "Calf cramp"


def test_titles_that_are_no_titles_are_damage(tmp_path):
    """A file that is none of ours, or that is not there, is named as damage."""
    (tmp_path / "titles.sqlite").write_bytes(b"rubbish" * 500)
    for name in ("titles.sqlite", "gone.sqlite"):
        with pytest.raises(DamagedIndex, match=name):
            Titles(tmp_path / name)
