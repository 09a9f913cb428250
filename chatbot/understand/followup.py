"""Turns a follow-up and the turns before it into a question that stands alone, and says how.

Is: rules over the words of the conversation, the same for every corpus; deterministic, no language model.
Is not: a search; what it must know of the corpus it asks through `Lookup`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from chatbot.present.population_mentions import populations_in
from chatbot.replies import Turn
from chatbot.understand.followup_cues import (
    ASIDE,
    ASKS_WHAT_IS,
    BACK,
    COMPARES,
    COMPLETE,
    CORRECTION,
    DETAIL,
    DETERMINED,
    DOUBT,
    EMPTY_IT,
    FAILS,
    INSTEAD,
    MODIFIER,
    NAME_ENDS,
    NEEDS_OBJECT,
    ORDINAL,
    ORDINALS,
    OTHER,
    OWN_STORY,
    PEOPLE_WORDS,
    POINTING,
    PURPOSE,
    SIDE_BY_SIDE,
    SMALL_TALK,
    WHEN_TRUE,
    WHICH_OF,
    WHY,
    WHY_OR_WHICH,
    generic_terms,
)
from chatbot.understand.topic import MAX_TOPIC_WORDS, topic_of
from index.intents import Intent, question_intents
from index.lexical import content_terms

# Turns further back than this never said what "it" is; and turn 15 must cost what turn 2 costs.
MAX_USER_TURNS = 8
# How much the last question weighs in the search, against 1 for the resolved one, and the topic where the resolved
# question does not name it. On the development conversations the resolved question carries nearly everything:
# .1 and .2 for the last question differ by .002 nDCG@10.
LAST_WEIGHT = 0.1
TOPIC_WEIGHT = 0.3
# A topic of more words is a story rather than a name.
_NAME_WORDS = 6
# A message of so few words that asks with none of them ("oral dose?") is a fragment.
_FRAGMENT_WORDS = 4
# A longer message tells its own story and needs no history.
_MAX_FOLLOWUP_WORDS = 40

How = Literal[
    "standalone", "pronoun", "ellipsis", "modifier", "instead", "named", "repeat", "choice", "back", "small_talk"
]


class Lookup(Protocol):
    """What the rules ask of the corpus."""

    def title_within(self, question: str) -> str:
        """Return the longest document title that stands word for word in a question, "" if none does."""
        ...

    def is_topic(self, phrase: str) -> bool:
        """Say whether a document is about this phrase: its title names it and little else."""
        ...

    def together(self, phrase: str, topic: str) -> bool:
        """Say whether some passage on `topic` speaks of `phrase`."""
        ...


@dataclass(frozen=True, slots=True)
class Focus:
    """What the conversation is about after a turn.

    `question` is the last question, written out; `topic` what it is about ("magnesium for leg cramps"); `base` the
    topic less what was added to it ("leg cramps"); `asked` the kinds of section that were asked for. `topics` holds
    every topic so far, the latest first, and `names` those set side by side in the last
    question ("quinine or baclofen").
    """

    question: str = ""
    topic: str = ""
    base: str = ""
    asked: frozenset[Intent] = frozenset()
    topics: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A question as it was understood. `choices` are standalone questions to choose from when it has two readings.

    `asked` are the kinds of section that are asked for. `context` holds texts that the search leans on, with
    weights.
    """

    question: str
    standalone_question: str
    how: How
    focus: Focus
    asked: frozenset[Intent]
    context: tuple[tuple[str, float], ...] = ()
    choices: tuple[str, ...] = field(default=())

    @property
    def is_followup(self) -> bool:
        """Say whether the turns before were needed."""
        return self.how not in ("standalone", "small_talk")


def resolve(question: str, turns: Sequence[Turn], lookup: Lookup, *, article: str = "") -> Resolution:
    """Return the question as it is to be understood after `turns`; `article` is the title of the open article.

    Never fails: a question that no rule fits is returned as it stands.
    """
    focus = Focus()
    if article:
        focus = _standalone(article, article, Focus(), lookup).focus
    users = [position for position, turn in enumerate(turns) if turn.role == "user"][-MAX_USER_TURNS:]
    for position in users:
        turn = turns[position]
        answer = next((t.content for t in turns[position + 1 : position + 2] if t.role == "assistant"), "")
        step = _step(turn.content, focus, lookup)
        if turn.standalone_question and turn.standalone_question != step.standalone_question:
            # The user corrected what was understood, and that is what was answered.
            step = _step(turn.standalone_question, Focus(topics=focus.topics), lookup)
        focus = replace(step.focus, answer=answer)
    return _step(question, focus, lookup)


def _step(question: str, focus: Focus, lookup: Lookup) -> Resolution:
    text = " ".join(question.split())
    if SMALL_TALK.fullmatch(text):
        return Resolution(question, text, "small_talk", focus, frozenset())
    if not focus.question or len(text.split()) > _MAX_FOLLOWUP_WORDS:
        return _standalone(question, text, focus, lookup)
    bare = ASIDE.sub("", text).strip() or text
    for rule in _RULES:
        if found := rule(bare, focus, lookup):
            return replace(found, question=question)
    return _standalone(question, text, focus, lookup)


def _standalone(question: str, text: str, focus: Focus, lookup: Lookup) -> Resolution:
    topic = _topic(text, lookup)
    asked = question_intents(_less(text, topic)) or question_intents(text)
    names = _side_by_side(text, topic, lookup)
    after = Focus(text, topic, topic, asked, _with(focus.topics, topic), names)
    return Resolution(question, text, "standalone", after, asked)


def _repeat(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "why?", "are you sure? my doctor said …": the last question again, with what was added to it."""
    if WHY.fullmatch(bare):
        found = _followed(f"Why: {focus.question}", "repeat", focus, asked=focus.asked | {"causes"})
        return replace(found, focus=focus)
    if not bare.strip(" ?.!,"):
        return replace(_followed(focus.question, "repeat", focus, asked=focus.asked), focus=focus)
    if match := DOUBT.match(bare):
        added = bare[match.end() :].strip(" ?.!,;:-–")
        if added and topic_of(added) and lookup.is_topic(topic_of(added)):
            return None
        text = f"{_open(focus.question)} ({added})?" if added else focus.question
        return replace(_followed(text, "repeat", focus, asked=focus.asked), focus=focus)
    return None


def _back(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "go back to the first": an earlier topic, and what is asked about it now."""
    match = BACK.search(bare)
    if not match or not focus.topics:
        return None
    first = re.search(r"first|original", match.group(), re.IGNORECASE)
    topic = focus.topics[-1] if first else focus.topics[min(1, len(focus.topics) - 1)]
    rest = (bare[: match.start()] + bare[match.end() :]).strip(" ,.;:?!-–")
    asked = question_intents(rest) - {"definition"} or focus.asked
    text = _about(rest, topic) if rest and question_intents(rest) else f"What about {topic}?"
    return _followed(text, "back", replace(focus, topic=topic), asked=asked)


def _choice(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "the second one", "the other drug": one of the things that were set side by side or listed."""
    if match := OTHER.search(bare):
        others = _others(bare, focus)
        if not others:
            return None
        if len(others) > 1:
            return _asking_back(bare, [_put(bare, match, name, focus) for name in others], others, focus)
        return _chosen(bare, match, others[0], focus, lookup)
    if match := ORDINAL.search(bare):
        listed = focus.names or _listed(focus.answer)
        place = ORDINALS[(match["which"] or match["bare"]).lower()]
        if listed and place < len(listed):
            return _chosen(bare, match, listed[place], focus, lookup)
    return None


def _chosen(bare: str, match: re.Match[str], name: str, focus: Focus, lookup: Lookup) -> Resolution:
    """Ask about one of several things; what they were compared for stays, where the corpus joins the two."""
    if not focus.names:
        return _followed(
            _put(bare, match, name, focus), "choice", replace(focus, topic=name), asked=_asked(bare, focus)
        )
    joined = not _names_one_of(focus.names, focus.base) and lookup.together(name, focus.base)
    base = focus.base if joined else name
    topic = f"{name} for {base}" if joined else name
    text = _put(bare, match, topic, focus)
    return _followed(text, "choice", replace(focus, topic=topic, base=base), asked=_asked(bare, focus))


def _names_one_of(names: Sequence[str], base: str) -> bool:
    terms = set(content_terms(base))
    return any(set(content_terms(name)) <= terms for name in names)


def _compare(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "Which is more dangerous?": the things that were set side by side, or the last two topics."""
    names = focus.names or focus.topics[:2]
    if len(names) < 2 or not WHICH_OF.match(bare) or _own_topic(bare):
        return None
    text = f"{_open(bare)}: {names[0]} or {names[1]}?"
    found = _followed(text, "choice", focus, asked=_asked(bare, focus))
    return replace(found, focus=replace(found.focus, names=names))


def _pronoun(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "How is it treated?": the topic in the pronoun's place."""
    # "Its" within a title that the question names points at nothing: blank the title out, place by place.
    title = lookup.title_within(bare)
    seen = re.sub(re.escape(title), lambda m: "x" * len(m.group()), bare, flags=re.IGNORECASE) if title else bare
    match = DETERMINED.search(seen) or (None if EMPTY_IT.search(seen) else POINTING.search(seen))
    if not match or not focus.topic:
        return None
    if match.group().lower() in ("it", "its") and len(focus.names) > 1:
        return _asking_back(bare, [_put(bare, match, n, focus) for n in focus.names], focus.names, focus)
    own = _own_topic(_without(bare, match))
    if match.group().lower() in ("they", "them", "their") and own and lookup.is_topic(own):
        return None
    asked = question_intents(bare) if _asks_itself(bare, match) else _asked(bare, focus)
    told = OWN_STORY.search(focus.topic) and not lookup.title_within(focus.topic)
    if WHEN_TRUE.match(bare) and not COMPLETE.search(bare):
        # "and if it gets infected?": a condition alone asks what then.
        put = bare[: match.start()] + focus.topic + bare[match.end() :]
        text = f"What {_open(put)}?"
    else:
        text = _about(bare, focus.topic) if told else _put(bare, match, focus.topic, focus)
    return _followed(text, "pronoun", focus, asked=asked)


def _asks_itself(bare: str, match: re.Match[str]) -> bool:
    """Say whether a question with a pronoun asks in words of its own: "how is it stopped?", but not "and for that?"."""
    rest = _without(bare, match)
    return bool(COMPLETE.search(rest) and content_terms(rest))


def _failure(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "and if that fails?", "what if stretching does not help?": what else there is for the topic."""
    match = FAILS.fullmatch(bare)
    if not match or not focus.base:
        return None
    what = match["what"] or "treatment"
    return _followed(_about(f"What if {what} {match['fails']}", focus.base), "modifier", focus, asked=_TREATED)


_TREATED: frozenset[Intent] = frozenset({"treatment"})


def _correction(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "no, I meant baclofen": the last question with its topic changed."""
    match = CORRECTION.match(bare)
    if not match:
        return None
    new = topic_of(match["rest"]) or match["rest"].strip(" ?.!")
    return _swap(new, focus)


def _modifier(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "and in pregnancy?", "same question for children": the last question with a condition added."""
    match = MODIFIER.fullmatch(bare)
    if not match or len(bare.split()) > 12:
        return None
    rest = match["rest"].strip(" ?.!")
    topic = topic_of(rest)
    if rest.lower().startswith("for ") and lookup.is_topic(topic) and not lookup.together(topic, focus.base):
        return _swap(topic, focus)
    if WHEN_TRUE.match(rest) and WHY_OR_WHICH.match(focus.question):
        # "Why not quinine?" has its answer; a condition after it asks of the topic.
        return _followed(_about(f"What {rest}", focus.base), "modifier", focus, asked=frozenset())
    return _followed(f"{_less_stage(focus.question, rest)} {rest}?", "modifier", focus, asked=focus.asked)


def _instead(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "what about baclofen?", "why not quinine?", "quinine?": something new, measured by the last question."""
    match = INSTEAD.fullmatch(bare)
    rest = (match["rest"] if match else bare).strip(" ?.!")
    if not match and COMPLETE.search(bare):
        return None
    new = _own_topic(rest)
    if not new and match and _names_people(rest):
        return _of_people(rest, focus)
    if not new or len(rest.split()) > MAX_TOPIC_WORDS:
        return None
    if match and COMPLETE.match(rest):
        return None
    if not match and _side_by_side(bare, new, lookup):
        # "naftidrofuryl or cilostazol?" compares the two; see `_named`.
        return None
    if bare.lower().startswith("why not"):
        return _beside(_for(f"Why not {rest}", focus.base), "instead", new, focus, asked=_asked(bare, focus))
    if question_intents(_less(rest, new)) - {"definition"}:
        # "and preventing anaemia?" asks for itself; the turns before add nothing.
        return None
    if _names_people(new) and not lookup.is_topic(new):
        return _of_people(rest, focus)
    if not lookup.is_topic(new) and lookup.together(new, focus.base):
        return _beside(_for(f"What about {new}", focus.base), "instead", new, focus, asked=focus.asked)
    return _swap(new, focus)


def _of_people(people: str, focus: Focus) -> Resolution:
    """Ask the last question for other people: "what about breastfeeding?"."""
    return _followed(f"{_less_stage(focus.question, people)} – {people}?", "modifier", focus, asked=focus.asked)


def _ellipsis(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "Who is at risk?", "what dose?": asks, but names nothing; the topic is added."""
    if _own_topic(bare) or not focus.topic:
        return None
    return _followed(_about(bare, focus.topic), "ellipsis", focus, asked=_asked(bare, focus))


def _named(bare: str, focus: Focus, lookup: Lookup) -> Resolution | None:
    """ "does magnesium help?": names something that the topic's passages speak of, and not what for."""
    new = _own_topic(bare)
    if not new or not focus.base:
        return None
    names = _side_by_side(bare, new, lookup)
    joined = not _names_one_of(names, focus.base) and all(lookup.together(name, focus.base) for name in names)
    if names and joined:
        found = _beside(_for(_open(bare), focus.base), "named", new, focus, asked=_own(bare))
        return replace(found, focus=replace(found.focus, topic=focus.base, names=names))
    asks_of_it = NEEDS_OBJECT.search(bare) or DETAIL.match(bare) or _is_fragment(bare)
    purpose = PURPOSE.search(bare)
    # "What strength of compression?" names no purpose.
    if not asks_of_it or (purpose and not (DETAIL.match(bare) and purpose.group().lower().startswith("of"))):
        return None
    terms, known = set(content_terms(new)), set(content_terms(focus.base))
    if terms < known and DETAIL.match(bare) and not ASKS_WHAT_IS.match(bare):
        # "What pressure?" after "negative pressure wound therapy"; "what is hypertension?" asks anew.
        return _followed(_about(bare, focus.topic), "ellipsis", focus, asked=_own(bare))
    if terms & known or lookup.is_topic(new):
        return None
    if not lookup.together(new, focus.base):
        # The corpus does not join the two: asked alone, but the topic stays for what comes next.
        after = Focus(bare, new, focus.base, _asked(bare, focus), _with(focus.topics, new), ())
        return Resolution("", bare, "standalone", after, question_intents(bare))
    return _beside(_for(_open(bare), focus.base), "named", new, focus, asked=_own(bare))


def _own(bare: str) -> frozenset[Intent]:
    """Return what a question about a detail asks for; "which bandage?" asks for no definition."""
    return question_intents(bare) - {"definition"}


def _is_fragment(bare: str) -> bool:
    return len(bare.split()) <= _FRAGMENT_WORDS and not COMPLETE.search(bare)


# In the order in which they are tried; the first that fits decides.
_RULES = (
    _repeat,
    _back,
    _choice,
    _compare,
    _failure,
    _pronoun,
    _correction,
    _modifier,
    _instead,
    _ellipsis,
    _named,
)


def _swap(new: str, focus: Focus) -> Resolution:
    """Ask the last question about something new, in the topic's place."""
    # What was asked before is asked of the new topic, or what it is: both readings are common.
    swapped = _replace_topic(focus, new)
    after = Focus(swapped, new, new, focus.asked, _with(focus.topics, new), ())
    return Resolution("", swapped, "instead", after, focus.asked | {"definition"})


def _beside(text: str, how: How, new: str, focus: Focus, *, asked: frozenset[Intent]) -> Resolution:
    """Ask about something that belongs to the topic; "it" then means that something."""
    found = _followed(text, how, focus, asked=asked)
    return replace(found, focus=replace(found.focus, topic=f"{new} for {focus.base}", base=focus.base, names=()))


def _followed(text: str, how: How, focus: Focus, *, asked: frozenset[Intent]) -> Resolution:
    text = text[:1].upper() + text[1:]
    after = Focus(text, focus.topic, focus.base, asked, _with(focus.topics, focus.base), focus.names)
    context = [(focus.question, LAST_WEIGHT)]
    if focus.topic.lower() not in text.lower():
        context.append((focus.topic, TOPIC_WEIGHT))
    return Resolution("", text, how, after, asked, tuple(context))


def _asking_back(bare: str, texts: Sequence[str], names: Sequence[str], focus: Focus) -> Resolution:
    """Leave the choice to the user; "the second one" then picks from the same names."""
    choices = tuple(text[:1].upper() + text[1:] for text in texts)
    asked = _asked(bare, focus)
    after = replace(focus, question=choices[0], topic=names[0], base=names[0], asked=asked, names=tuple(names))
    return Resolution("", bare, "choice", after, asked, choices=choices)


def _topic(text: str, lookup: Lookup) -> str:
    topic = topic_of(text)
    title = lookup.title_within(text)
    # A title that asks is no name of a topic.
    if title and not title.rstrip().endswith("?") and set(content_terms(topic)) <= set(content_terms(title)):
        return title
    return " ".join(topic.split()[:MAX_TOPIC_WORDS])


def _own_topic(text: str) -> str:
    """Return the topic that a message names itself; "" if its words only ask."""
    topic = topic_of(text)
    return topic if set(content_terms(topic)) - generic_terms() else ""


# Stages of life: a question about one of them is not about the one before.
_STAGES = frozenset({"pregnancy", "breast-feeding", "child", "older"})


def _less_stage(question: str, rest: str) -> str:
    """Return an open question without the stage of life that it ends in, if `rest` names another."""
    tail = re.search(r"\s+(?:in|for|during)\s+(?P<who>[^?()]{3,40})$", _open(question))
    stages = tail and _names_people(tail["who"]) and populations_in(tail["who"]) <= _STAGES
    if tail and stages and populations_in(rest) and populations_in(rest) <= _STAGES:
        return question[: tail.start()]
    return _open(question)


def _names_people(phrase: str) -> bool:
    """Say whether a phrase only says whom it is about: "older women", but not "lupus nephritis"."""
    words = phrase.split()
    return bool(populations_in(phrase)) and all(populations_in(word) or word.lower() in PEOPLE_WORDS for word in words)


def _side_by_side(question: str, topic: str, lookup: Lookup) -> tuple[str, ...]:
    """Return the two things that a question sets against each other; "high blood pressure and stroke" is one."""
    match = SIDE_BY_SIDE.search(topic)
    if not match or lookup.is_topic(topic) or ("and" in match.group().lower() and not COMPARES.search(question)):
        return ()
    names = (topic[: match.start()].strip(" ,"), NAME_ENDS.split(topic[match.end() :])[0].strip(" ,"))
    return names if all(0 < len(name.split()) <= 3 for name in names) else ()


def _others(bare: str, focus: Focus) -> tuple[str, ...]:
    if focus.names:
        last = focus.topic.lower()
        left = tuple(
            name for name in focus.names if last != name.lower() and not last.startswith(f"{name.lower()} for ")
        )
        return left or focus.names
    return focus.topics[1:3]


_ITEM = re.compile(r"(?:^|\n)\s*(?:[-•*–]|\d+[.)])\s+(.+)")


def _listed(answer: str) -> tuple[str, ...]:
    """Return what an answer listed, by the first words of each item: its lines, else its sentences."""
    items = _ITEM.findall(answer) or [line for line in answer.splitlines() if line.strip()]
    if len(items) < 2:
        items = re.split(r"(?<=[.;])\s+", answer)
    names = (topic_of(re.split(r"[:,.(–—]| \d", item.strip("* "))[0]) for item in items)
    # A whole sentence without a name in front lists nothing.
    return tuple(name for name in names if 0 < len(name.split()) <= _NAME_WORDS and not COMPLETE.search(name))


def _put(bare: str, match: re.Match[str], name: str, focus: Focus) -> str:
    """Put a name in a pronoun's place; a fragment that only points becomes the last question about it."""
    rest = _without(bare, match).strip(" ?.!,")
    if not rest or (not question_intents(rest) and len(rest.split()) <= 3 and not COMPLETE.search(rest)):
        return _replace_topic(focus, name)
    word = f"{name}'s" if match.group().lower() in ("its", "their") else name
    text = bare[: match.start()] + word + bare[match.end() :]
    return f"{_open(text)}?"


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + text[match.end() :]


def _replace_topic(focus: Focus, new: str) -> str:
    """Return the last question with something new in its topic's place; whom it was about stays."""
    old = focus.topic
    people = re.fullmatch(r"(?P<what>\S.*?)\s+(?:in|for|during|with)\s+(?P<who>.+)", old)
    if people and _names_people(people["who"]) and not populations_in(new):
        old = people["what"]
    at = focus.question.lower().find(old.lower()) if old else -1
    # A question that was all topic ("quinine or quinidine?") leaves nothing to ask when the topic is replaced.
    compared = bool(focus.names) and all(name in old for name in focus.names)
    if at < 0 or compared or len(focus.question.split()) - len(old.split()) < 2:
        return f"What about {new}?"
    return focus.question[:at] + new + focus.question[at + len(old) :]


def _asked(bare: str, focus: Focus) -> frozenset[Intent]:
    return question_intents(bare) or focus.asked


def _less(text: str, topic: str) -> str:
    """Return a question without the words of its topic, so that these say nothing of what is asked."""
    at = text.lower().find(topic.lower()) if topic else -1
    return text if at < 0 else f"{text[:at]}it{text[at + len(topic) :]}"


def _about(bare: str, topic: str) -> str:
    return f"{_open(bare)} ({topic})?"


def _for(text: str, base: str) -> str:
    """Join what is asked with the topic; a told story stands in brackets."""
    is_name = len(base.split()) <= _NAME_WORDS and not OWN_STORY.search(base)
    return f"{text} for {base}?" if is_name else f"{text} ({base})?"


def _open(question: str) -> str:
    return question.rstrip(" ?.!")


def _with(topics: tuple[str, ...], topic: str) -> tuple[str, ...]:
    """Return the topics with `topic` in front, each once."""
    if not topic:
        return topics
    return (topic, *(known for known in topics if known.lower() != topic.lower()))
