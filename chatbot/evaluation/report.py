"""A run as a page for people: `report.html`, and in short `report.md`.

Is: tables, plots and the worst replies, self-contained and escaped. Is not: a place where a number is computed
(see `summary.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from chatbot.evaluation.measures import DECISIONS, DEFINITIONS, REFERENCES, RETRIEVAL, STATEMENTS, Rating
from chatbot.evaluation.plots import bar_plot, histogram, line_plot
from chatbot.evaluation.questions import Question
from chatbot.evaluation.worst import worst_first

# Enough to read in one sitting; the rest is in replies.jsonl.
_WORST_SHOWN = 50
_WORST_IN_SHORT = 20
_HITS_SHOWN = 5
# What a table by tag or by depth shows, of the measures that apply.
_COLUMNS = (
    "nDCG@10",
    "RR@10",
    "R@10",
    "R@100",
    "answered_answerable",
    "answered_unanswerable",
    "outcome_as_expected",
    "verbatim",
    "cited_relevant",
    "must_have",
    "rougeL_f1",
)
_WORDS = "what it is"
_LOWER_IS_BETTER = ("answered_unanswerable",)

# A table: its column names and its rows of ready texts, the first cell a label.
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


def report(
    metrics: Mapping[str, Any],
    questions: Sequence[Question],
    ratings: Sequence[Rating],
    replies: Iterable[Mapping[str, Any]],
) -> tuple[str, str]:
    """Return the page and its short Markdown form; `replies` is read once, for the worst of them."""
    worst = worst_first(questions, ratings)
    shown = {rating.id: fault for rating, fault in worst[:_WORST_SHOWN]}
    kept = {reply["id"]: reply for reply in replies if reply["id"] in shown}
    by_id = {question.id: question for question in questions}
    sections = _sections(metrics)
    faults = [(by_id[id_], fault, kept[id_]) for id_, fault in shown.items()]
    return _page(metrics, sections, ratings, faults, len(worst)), _short(metrics, sections, faults, len(worst))


def _sections(metrics: Mapping[str, Any]) -> list[tuple[str, str, Table]]:
    # (heading, a sentence under it, table): the same for both forms; a section without rows is left out.
    found = [
        ("Headline", "", _headline(metrics)),
        ("By tag", "", _group_table(metrics["by_tag"], "tag")),
        ("By turn depth", "Questions that the user had asked before.", _group_table(metrics["by_depth"], "depth")),
        ("Follow-ups against first questions", "", _follow_up_table(metrics.get("follow_up") or {})),
        (
            "Follow-ups against the same questions written out in full",
            "Ratio of nDCG@10 as asked to nDCG@10 of the written-out question without history.",
            _written_out_table(metrics.get("standalone_reference") or {}),
        ),
        (
            "Against the other run",
            "Difference with its 95 % interval from 10,000 paired bootstrap resamples; bold where it misses zero.",
            _compare_table(metrics.get("compare") or {}),
        ),
        (
            "How answers were worded",
            "Of replies with statements; two runs on the questions that both have. Times are from the question to the first "
            "statement that may be shown.",
            _wording_table(*_worded(metrics)),
        ),
        (
            "What became of the statements that the model wrote",
            "By the check that a statement fell by: replaced by the best quote of the passage that it cites, or dropped.",
            _gate_table(*_worded(metrics)),
        ),
        ("Latency, milliseconds", "", _latency_table(metrics["latency_ms"])),
    ]
    return [section for section in found if section[2][1]]


def _headline(metrics: Mapping[str, Any]) -> Table:
    rows = []
    for group, names in (
        ("retrieval", RETRIEVAL),
        ("decisions", DECISIONS),
        ("statements", STATEMENTS),
        ("references", REFERENCES),
    ):
        values = metrics[group]
        rows += [(name, _number(values[name]), str(values["n"][name])) for name in names if name in values]
    abstention = metrics["abstention"]
    count = str(abstention.get("answerable", 0) + abstention.get("unanswerable", 0))
    rows += [(name, _number(abstention[name]), count) for name in ("AUROC", "AP", "AURC") if name in abstention]
    return ("measure", "value", "questions", _WORDS), [(*row, DEFINITIONS[row[0]]) for row in rows]


def _group_table(groups: Mapping[str, Mapping[str, Any]], label: str) -> Table:
    names = [name for name in _COLUMNS if any(name in row for row in groups.values())]
    rows = [
        (group, str(row["questions"]), *(_number(row.get(name)) for name in names)) for group, row in groups.items()
    ]
    return (label, "questions", *names), rows if names else []


def _follow_up_table(values: Mapping[str, Any]) -> Table:
    if not values:
        return (), []
    ratios = values["later_to_first"]
    names = [name for name in (*RETRIEVAL, "rewritten") if name in values["first"] or name in values["later"]]
    rows = [(name, *(_number(part.get(name)) for part in (values["first"], values["later"], ratios))) for name in names]
    return ("measure", "first questions", "follow-ups", "ratio"), rows


def _written_out_table(values: Mapping[str, Any]) -> Table:
    if not values:
        return (), []
    groups = {"all": values["overall"], **values["by_tag"]}
    groups |= {f"depth {depth}": row for depth, row in values["by_depth"].items()}
    name = "nDCG@10"
    rows = [
        (group, str(row["n"]), *(_number(row[name][part]) for part in ("asked", "written_out", "ratio")))
        for group, row in groups.items()
    ]
    return ("group", "questions", "as asked", "written out", "ratio"), rows


def _compare_table(values: Mapping[str, Any]) -> Table:
    if not values:
        return (), []
    groups = dict(values["measures"])
    groups |= {f"{name}, {tag}": row for tag, rows in values["by_tag"].items() for name, row in rows.items()}
    rows = []
    for name, row in groups.items():
        difference = f"{row['difference']:+.4f}"
        if row["low"] > 0 or row["high"] < 0:
            difference = f"**{difference}**"
        interval = f"{row['low']:+.4f} to {row['high']:+.4f}"
        rows.append((name, _number(row["ours"]), _number(row["theirs"]), difference, interval, str(row["n"])))
    return ("measure", "this run", "other run", "difference", "95 % interval", "questions"), rows


Wording = Mapping[str, Any]


def _worded(metrics: Mapping[str, Any]) -> tuple[Wording, Wording | None]:
    """Return how this run's answers are worded, and the other run's if there is one."""
    both = (metrics.get("compare") or {}).get("wording")
    return (both["ours"], both["theirs"]) if both else (metrics.get("wording") or {}, None)


def _wording_table(ours: Wording, theirs: Wording | None) -> Table:
    runs = [ours] if theirs is None else [ours, theirs]
    if not any(runs):
        return (), []

    def row(label: str, cell: Callable[[Wording], str]) -> tuple[str, ...]:
        return (label, *(cell(run) if run else "" for run in runs))

    def spread(name: str, places: int) -> Callable[[Wording], str]:
        return lambda run: (
            f"{run[name]['mean']:.{places}f} ({run[name]['p50']:.{places}f}; {run[name]['p95']:.{places}f})"
        )

    rows = [
        row("answers", lambda run: str(run["answers"])),
        row("worded by", lambda run: ", ".join(f"{name} {count}" for name, count in run["modes"].items())),
        row("statements per answer", lambda run: f"{run['statements_per_answer']:.2f}"),
        row("words per answer, mean (median; p95)", spread("words_per_answer", 0)),
        row("reading grade, mean (median; p95)", spread("reading_grade", 1)),
        row("first statement, ms, mean (median; p95)", spread("first_statement_ms", 0)),
        row("tokens read", lambda run: f"{run['tokens']['read']:,}"),
        row("tokens written", lambda run: f"{run['tokens']['written']:,}"),
        row("cost", lambda run: f"{run['cost']:.4f}"),
        *(row(f"statements {name}", _gate_count(name)) for name in ("kept", "replaced", "dropped")),
        row(
            "quotes stood in for the model",
            lambda run: ", ".join(f"{name} {count}" for name, count in run["gate"]["faults"].items()) or "0",
        ),
    ]
    return ("measure", "this run", *(("other run",) if theirs is not None else ())), rows


def _gate_count(name: str) -> Callable[[Wording], str]:
    return lambda run: str(run["gate"][name])


def _gate_table(ours: Wording, theirs: Wording | None) -> Table:
    runs = [(run["gate"] if run else {"reasons": {}}) for run in ([ours] if theirs is None else [ours, theirs])]
    checks = list(dict.fromkeys(check for gate in runs for check in gate["reasons"]))
    names = ("this run", "other run")[: len(runs)]
    columns = [f"{name}: {what}" for name in names for what in ("replaced", "dropped")]
    rows = [
        (
            check,
            *(str(gate["reasons"].get(check, {}).get(what, 0)) for gate in runs for what in ("replaced", "dropped")),
        )
        for check in checks
    ]
    return ("check", *columns), rows


def _latency_table(stages: Mapping[str, Mapping[str, float]]) -> Table:
    columns = ("p50", "p95", "p99", "max", "mean")
    rows = [(stage, *(f"{row[name]:.1f}" for name in columns)) for stage, row in stages.items()]
    return ("stage", *columns), rows


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _summary_line(metrics: Mapping[str, Any]) -> str:
    rate = metrics["questions_per_second"]
    parts = [
        f"{metrics['questions']} questions",
        "search only" if metrics["mode"] == "search" else "whole replies",
        f"{metrics['seconds']:.1f} s" + (f" ({rate:.1f} questions/s)" if rate else ""),
        f"index {metrics['index_version']}",
    ]
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in metrics["outcomes"].items())
    return " · ".join([*parts, outcomes] if outcomes else parts)


def _short(
    metrics: Mapping[str, Any],
    sections: Sequence[tuple[str, str, Table]],
    faults: Sequence[tuple[Question, str, Mapping[str, Any]]],
    n_faults: int,
) -> str:
    parts = ["# Evaluation", _summary_line(metrics)]
    for heading, words, (columns, rows) in sections:
        table_rows = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
        table = "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table_rows)
        parts += [f"## {heading}", *([words] if words else []), table]
    if faults:
        lines = [
            f"- {_cell(question.id)}: {_cell(question.question)} – {_cell(fault)}" for question, fault, _ in faults[:20]
        ]
        parts += ["## Worst questions first", f"{n_faults} questions have a fault.", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    # What a question says must not become a link, a picture or a tag in somebody's Markdown viewer.
    return re.sub(r"([\\|<>\[\]`])", r"\\\1", " ".join(text.split()))


def _page(
    metrics: Mapping[str, Any],
    sections: Sequence[tuple[str, str, Table]],
    ratings: Sequence[Rating],
    faults: Sequence[tuple[Question, str, Mapping[str, Any]]],
    n_faults: int,
) -> str:
    style = files("chatbot.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    body = [f"<h1>Evaluation</h1><p>{escape(_summary_line(metrics))}</p>"]
    for number, (heading, words, table) in enumerate(sections):
        body.append(f"<h2>{escape(heading)}</h2><p class='quiet'>{escape(words)}</p>{_html_table(table)}")
        if number == 0:
            body.append(_plots(metrics, ratings))
    shown = f", {len(faults)} are shown" if faults else ""
    body.append(f"<h2>Worst questions first</h2><p class='quiet'>{n_faults} questions have a fault{shown}.</p><ol>")
    for number, (question, fault, _) in enumerate(faults):
        body.append(f"<li><a href='#reply-{number}'>{escape(question.question)}</a> – {escape(fault)}</li>")
    body.append("</ol>")
    body += [_article(number, *fault) for number, fault in enumerate(faults)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Evaluation</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing may be fetched, whatever a document's text holds.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<style>\n{style}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _html_table(table: Table) -> str:
    columns, rows = table
    styles = {_WORDS: " class='words'"}
    head = "".join(f"<th{styles.get(name, '')}>{escape(name)}</th>" for name in columns)
    lines = []
    for row in rows:
        cells = "".join(_html_cell(row[0], name, cell) for name, cell in zip(columns, row, strict=True))
        lines.append(f"<tr>{cells}</tr>")
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"


def _html_cell(label: str, column: str, text: str) -> str:
    if column == _WORDS:
        return f"<td class='words'>{escape(text)}</td>"
    if column == "difference" and text.startswith("**"):
        text = text.strip("*")
        good = text.startswith("+") != label.startswith(_LOWER_IS_BETTER)
        return f"<td class='{'better' if good else 'worse'}'>{escape(text)}</td>"
    return f"<td>{escape(text)}</td>"


def _plots(metrics: Mapping[str, Any], ratings: Sequence[Rating]) -> str:
    figures = []
    abstention = metrics["abstention"]
    if curve := abstention.get("risk_coverage"):
        shipped = abstention.get("at_default_threshold") or {}
        mark = (shipped["coverage"], shipped["risk"]) if shipped.get("risk") is not None else None
        points = [(point["coverage"], point["risk"]) for point in curve]
        drawing = line_plot(points, x_label="coverage: share answered", y_label="risk: share wrong", mark=mark)
        words = "Risk–coverage: the most confident questions first." + (" The dot: as shipped." if mark else "")
        figures.append((drawing, words))
    groups: dict[str, list[float]] = {"answerable": [], "unanswerable": [], "not known": []}
    for row in ratings:
        if row.confidence is not None:
            name = "not known" if row.answerable is None else "answerable" if row.answerable else "unanswerable"
            groups[name].append(row.confidence)
    filled = dict([(name, values) for name, values in groups.items() if values][:2])
    if filled:
        figures.append((histogram(filled, x_label="confidence"), "Confidence of the replies."))
    if stages := metrics["latency_ms"]:
        rows = {name: [(word, row[word]) for word in ("p50", "p95", "p99")] for name, row in stages.items()}
        figures.append((bar_plot(rows, unit="ms"), "Latency by stage: p50, p95 and p99, dark to light."))
    return "".join(f"<figure>{drawing}<figcaption>{escape(words)}</figcaption></figure>" for drawing, words in figures)


def _article(number: int, question: Question, fault: str, reply: Mapping[str, Any]) -> str:
    parts = [f"<article id='reply-{number}'><h3>{escape(question.question)}</h3>"]

    def line(label: str, text: Any) -> None:
        if text not in ("", None):
            parts.append(f"<p><small>{escape(label)}</small> {escape(str(text))}</p>")

    line("fault", fault)
    line("id", question.id)
    line("tags", ", ".join(question.tags))
    if question.history:
        turns = "".join(f"<p><small>{role}</small> {escape(content)}</p>" for role, content in question.history)
        parts.append(f"<details><summary>{len(question.history)} turns before</summary>{turns}</details>")
    line("understood as", reply.get("standalone_question"))
    line("outcome", reply.get("outcome"))
    line("confidence", reply.get("confidence"))
    line("relevant", ", ".join(sorted(question.relevant_ids)))
    line("must have", "; ".join(question.must_have))
    line("reason", reply.get("reason"))
    line("asked back", reply.get("clarifying_question"))
    line("emergency", (reply.get("emergency") or {}).get("title"))
    for row in reply.get("statements", ()):
        lead = " › ".join(row.get("context", ()))
        numbers = ", ".join(map(str, row["citations"]))
        parts.append(
            f"<blockquote><small>{escape(lead)}</small> {escape(row['text'])} [{escape(numbers)}]</blockquote>"
        )
    passages = reply["passages"] if "passages" in reply else reply.get("hits", ())[:_HITS_SHOWN]
    parts += [_passage(passage, question) for passage in passages]
    for notice in reply.get("notices", ()):
        line("notice", notice["text"])
    return "".join(parts) + "</article>"


def _passage(passage: Mapping[str, Any], question: Question) -> str:
    where = " › ".join((passage.get("title", ""), *passage.get("section", ())))
    mark = f"[{passage['number']}] " if "number" in passage else ""
    score = f", score {passage['score']:.3f}" if "score" in passage else ""
    right = ", relevant" if passage["document_id"] in question.relevant_ids else ""
    head = f"{mark}{where} ({passage['document_id']}{score}{right})"
    return f"<details><summary>{escape(head)}</summary><blockquote>{escape(passage['text'])}</blockquote></details>"
