"""Turns a reply object into escaped HTML: what is shown of one question and its answer.

Is: markup for the JSON form of a reply, the same for a fresh reply and for one that was kept. Is not: a judge;
it shows every statement, caution and notice that the reply holds. `Markup.format` escapes whatever is put in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from chatbot.present.glossary import explain_terms
from chatbot.web.sources import emphasised, facts, feedback_form, join, negations, passages

# Notices that stand above the quotes, because a reader who stops early must have read them.
_FIRST = (
    "retracted",
    "superseded",
    "expression_of_concern",
    "conflict",
    "population",
    "personal",
    "no_calc",
    "premise",
)
# Words for a probability. Source: Mastrandrea et al. 2010, IPCC guidance note on uncertainties, table 1.
_LIKELIHOODS = ((0.9, "Very likely"), (0.66, "Likely"), (0.33, "About as likely as not"), (0.0, "Unlikely"))

# Readers to whom clinical terms are explained beside the quotes.
_EXPLAINED_TO = frozenset({"patient", "student"})


def likelihood(probability: float) -> str:
    """Return words for a probability, e.g. 0.93 -> "Very likely"."""
    return next(words for floor, words in _LIKELIHOODS if probability >= floor)


def turn(
    reply: Mapping[str, Any], question: str, position: int, audience: str, *, current_version: str, copied: str = ""
) -> Markup:
    """Return a whole turn; what `turn_shell`, `statement` and `turn_end` return in pieces.

    `current_version` is the version of the index that is open now; `copied` the text that its copy button copies.
    """
    statements = join(statement(reply, place, audience) for place in range(len(reply["statements"])))
    end = turn_end(reply, position, current_version=current_version, copied=copied)
    return _turn(reply, question, position, statements, end)


def turn_shell(reply: Mapping[str, Any], question: str, position: int) -> Markup:
    """Return a turn without its quotes and without what stands below them."""
    return _turn(reply, question, position, Markup(""), Markup(""))


def _turn(reply: Mapping[str, Any], question: str, position: int, statements: Markup, end: Markup) -> Markup:
    return Markup(
        '<article class="turn" data-position="{}" data-outcome="{}" aria-label="Question and answer">{}'
        '<ol class="statements">{}</ol>{}</article>'
    ).format(position, reply["outcome"], _start(reply, question), statements, end)


def _start(reply: Mapping[str, Any], question: str) -> Markup:
    """Return what stands above the quotes: the question, how it was understood, the card, the first notices."""
    return join(
        [
            Markup('<p class="asked"><span class="visually-hidden">You asked: </span>{}</p>').format(question),
            _understood(reply, question),
            _emergency(reply.get("emergency")),
            _reason(reply),
            _notices(notice for notice in reply["notices"] if notice["code"].startswith(_FIRST)),
        ]
    )


def statement(reply: Mapping[str, Any], place: int, audience: str) -> Markup:
    """Return one quote with its context, its citations and its cautions; `place` counts from 0."""
    row = reply["statements"][place]
    before = reply["statements"][place - 1]["context"] if place else None
    shown_above = " visually-hidden" if row["context"] == before else ""
    by_number = {passage["number"]: passage for passage in reply["passages"]}
    cited = frozenset(entry["number"] for number in row["citations"] for entry in by_number[number]["references"])
    context = (
        Markup('<p class="context{}">{}</p>').format(
            shown_above, Markup(' <span class="then">›</span> ').join(negations(part) for part in row["context"])
        )
        if row["context"]
        else ""
    )
    citations = join(
        Markup(
            '<button type="button" class="citation" data-passage="{}" data-number="{}" data-statement="{}" '
            'aria-label="Source {}: {}">{}</button>'
        ).format(by_number[n]["passage_id"], n, place, n, by_number[n]["title"], n)
        for n in row["citations"]
    )
    return Markup(
        '<li class="statement" data-polarity="{}" style="--place:{}">{}<p class="words"><span class="statement-text">{}'
        "</span> {}{}{}</p>{}{}</li>"
    ).format(
        row.get("polarity", "neutral"),
        place,
        context,
        emphasised(row["text"], references=cited),
        citations,
        Markup(' <span class="issued" title="Year of the source">{}</span>').format(row["issued"])
        if row.get("issued")
        else "",
        join(_strength(badge) for badge in row.get("badges", ())),
        join(Markup('<p class="caution">{}</p>').format(caution) for caution in row.get("cautions", ())),
        _explained(reply["statements"], place) if audience in _EXPLAINED_TO else "",
    )


def checked(row: Mapping[str, Any], titles: Sequence[str]) -> Markup:
    """Return a statement that has passed the gate while the reply is still being made; `titles` are its sources'.

    Its sources cannot be opened yet: the whole turn replaces it.
    """
    return Markup(
        '<li class="statement checked" data-polarity="{}"><p class="words"><span class="statement-text">{}</span>{}</p>{}'
        '<p class="context">{}</p></li>'
    ).format(
        row["polarity"],
        emphasised(row["text"], references=frozenset()),
        join(_strength(badge) for badge in row["badges"]),
        join(Markup('<p class="caution">{}</p>').format(caution) for caution in row["cautions"]),
        "; ".join(titles),
    )


def _strength(badge: str) -> Markup:
    return Markup(' <span class="badge strength" title="How strongly the source words it">{}</span>').format(badge)


def turn_end(reply: Mapping[str, Any], position: int, *, current_version: str, copied: str = "") -> Markup:
    """Return what stands below the quotes: notices, confidence, sources, actions and where to go on."""
    return join(
        [
            _notices(notice for notice in reply["notices"] if not notice["code"].startswith(_FIRST)),
            _confidence(reply),
            _sources(reply["passages"]),
            _also_retrieved(reply.get("also_retrieved", ())),
            _index_of(reply, current_version),
            _actions(reply, position, copied),
            _related(reply["related_questions"], bool(reply["statements"])),
            Markup('<template class="turn-passages">{}</template>').format(passages(reply, position)),
        ]
    )


def _understood(reply: Mapping[str, Any], question: str) -> Markup:
    standalone = reply["standalone_question"]
    if " ".join(standalone.split()) == " ".join(question.split()):
        return Markup("")
    return Markup(
        '<p class="understood">Understood as: <span class="standalone">{0}</span> ·\N{NO-BREAK SPACE}'
        '<button type="button" class="link edit" data-question="{0}" aria-label="Edit the understood question">edit'
        "</button></p>"
    ).format(standalone)


def _emergency(card: Mapping[str, Any] | None) -> Markup:
    if not card:
        return Markup("")
    earlier = Markup('<p class="sticky-note">Because of what you wrote before.</p>') if card.get("sticky") else ""
    return Markup(
        '<section class="emergency" role="alert" aria-label="Emergency">'
        '<h3>{}</h3>{}<p class="card-text">{}</p><ul>{}</ul></section>'
    ).format(
        card["title"],
        earlier,
        card["text"],
        join(Markup("<li>{}</li>").format(action) for action in card.get("actions", ())),
    )


def _reason(reply: Mapping[str, Any]) -> Markup:
    match reply["outcome"]:
        case "abstention":
            return Markup('<p class="abstention">{}</p>').format(reply["reason"])
        case "clarification":
            choices = join(
                Markup('<button type="button" class="choice" data-question="{0}">{0}</button>').format(choice)
                for choice in reply.get("choices", ())
            )
            return Markup(
                '<div class="clarification"><p>{}</p><div class="choices" role="group" aria-label="Choices">{}</div>'
                "</div>"
            ).format(reply["clarifying_question"], choices)
    return Markup("")


def _notices(notices: Iterable[Mapping[str, str]]) -> Markup:
    rows = join(
        Markup('<li class="notice" data-code="{}">{}</li>').format(notice["code"], notice["text"]) for notice in notices
    )
    return Markup('<ul class="notices" aria-label="Please note">{}</ul>').format(rows) if rows else rows


def _explained(statements: Sequence[Mapping[str, Any]], place: int) -> Markup:
    """Return the clinical terms of a quote in everyday words, but for those explained above it."""
    above = {term.explanation for row in statements[:place] for term in explain_terms(row["text"])}
    terms = join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(term.term, term.explanation)
        for term in explain_terms(statements[place]["text"])
        if term.explanation not in above
    )
    return Markup('<dl class="explained" aria-label="Words explained">{}</dl>').format(terms) if terms else terms


def _confidence(reply: Mapping[str, Any]) -> Markup:
    if not reply["statements"]:
        return Markup("")
    made = "Quoted word for word" if reply["mode"] == "extractive" else "Worded by a language model, then checked"
    return Markup(
        '<p class="confidence" title="Estimated probability that these passages are about the question. It does not '
        'say that the sources are right.">{}. <strong>{}</strong> to be about your question ({:.2f}).</p>'
    ).format(made, likelihood(reply["confidence"]), reply["confidence"])


def _sources(rows: Sequence[Mapping[str, Any]]) -> Markup:
    if not rows:
        return Markup("")
    items = join(
        Markup(
            '<li><button type="button" class="source" data-passage="{}" data-number="{}"><span class="number" '
            'aria-hidden="true">{}</span><span class="source-title"><span class="visually-hidden">Source {}: </span>{}'
            '</span>{}<span class="facts">{}</span></button></li>'
        ).format(
            row["passage_id"],
            row["number"],
            row["number"],
            row["number"],
            row["title"],
            Markup('<span class="path">{}</span>').format(" › ".join(row["section"])) if row["section"] else "",
            facts(row),
        )
        for row in rows
    )
    return Markup('<ol class="sources" aria-label="Sources of this answer">{}</ol>').format(items)


def _also_retrieved(rows: Sequence[Mapping[str, Any]]) -> Markup:
    if not rows:
        return Markup("")
    items = join(
        Markup(
            '<li><button type="button" class="link open-article" data-document="{}" data-start="{}" data-end="{}">{}'
            "</button></li>"
        ).format(row["document_id"], row["start"], row["end"], " › ".join((row["title"], *row["section"])))
        for row in rows
    )
    return Markup('<details class="also"><summary>{} more found, not quoted</summary><ul>{}</ul></details>').format(
        len(rows), items
    )


def _index_of(reply: Mapping[str, Any], current_version: str) -> Markup:
    if reply["index_version"] == current_version:
        return Markup("")
    return Markup(
        '<p class="other-index">Answered with index of <code>{}</code>; the articles have changed since. '
        '<button type="button" class="link again" data-question="{}">Ask again</button></p>'
    ).format(reply["index_version"], reply["standalone_question"])


def _actions(reply: Mapping[str, Any], position: int, copied: str) -> Markup:
    return Markup(
        '<div class="actions">{}<button type="button" class="link edit" data-question="{}">Edit question</button>'
        '<button type="button" class="link again" data-question="{}">Ask again</button>'
        "{}</div>"
    ).format(
        Markup('<button type="button" class="link copy" data-text="{}">Copy</button>').format(copied) if copied else "",
        reply["question"],
        reply["standalone_question"],
        feedback_form(position, None),
    )


def _related(questions: Sequence[str], answered: bool) -> Markup:
    if not questions:
        return Markup("")
    items = join(
        Markup('<li><button type="button" class="related-question" data-question="{0}">{0}</button></li>').format(text)
        for text in questions
    )
    heading = "Ask next" if answered else "These can be answered"
    return Markup('<section class="related" aria-label="{0}"><h3>{0}</h3><ul>{1}</ul></section>').format(heading, items)
