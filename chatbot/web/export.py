"""Writes a kept conversation, or one answer, for elsewhere: Markdown, HTML, JSON, RIS, BibTeX, plain text.

Is: files made from what was answered then, with its sources and its cautions. Is not: a new answer, and nothing in a
file fetches anything or runs: every word from a question or a document is escaped.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from chatbot.conversations import Conversation, StoredTurn
from chatbot.web.citations_formats import as_bibtex, as_ris, sources_of, vancouver

__all__ = ["FORMATS", "Format", "copy_text", "export", "vancouver"]

Format = Literal["markdown", "html", "json", "ris", "bibtex"]
FORMATS: tuple[Format, ...] = get_args(Format)

_SUFFIX_AND_MIME: dict[Format, tuple[str, str]] = {
    "markdown": ("md", "text/markdown; charset=utf-8"),
    "html": ("html", "text/html; charset=utf-8"),
    "json": ("json", "application/json"),
    "ris": ("ris", "application/x-research-info-systems"),
    "bibtex": ("bib", "application/x-bibtex"),
}
_MAX_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class _Outline:
    """A reply in the order in which it is read, whatever it is written as; texts are not escaped.

    `statements` holds context, quote, "source 1" and cautions; `sources` a number, its line, and the references that
    the quoted words cite, under the numbers they have in that source.
    """

    understood: str
    card: tuple[str, ...]
    notices: tuple[str, ...]
    said: tuple[str, ...]
    statements: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    sources: tuple[tuple[int, str, tuple[str, ...]], ...]
    disclaimer: str


def export(conversation: Conversation, format: str) -> tuple[str, str, bytes]:
    """Return file name, MIME type and content of a conversation in one of `FORMATS`.

    Raises:
        ValueError: there is no such format.
    """
    match format:
        case "markdown":
            text = _markdown(conversation)
        case "html":
            text = _html(conversation)
        case "json":
            text = _json(conversation)
        case "ris" | "bibtex":
            found = {
                source.key: source for turn in reversed(conversation.turns) for source in sources_of(turn.reply)[::-1]
            }
            sources = list(found.values())[::-1]
            text = as_ris(sources) if format == "ris" else as_bibtex(sources)
        case _:
            raise ValueError(f"no format {format!r}: choose {', '.join(FORMATS)}")
    suffix, mime = _SUFFIX_AND_MIME[format]
    return f"{_file_name(conversation)}.{suffix}", mime, text.encode("utf-8", "replace")


def copy_text(reply: Mapping[str, Any]) -> str:
    """Return an answer as plain text: statements with context and numbers, sources in Vancouver style, cautions."""
    outline = _outline(reply)
    lines = [f"Question: {_flat(reply.get('question', ''))}"]
    if outline.understood:
        lines.append(f"Understood as: {outline.understood}")
    for part in (outline.card, outline.notices, outline.said):
        if part:
            lines += ["", *part]
    for context, text, numbers, cautions in outline.statements:
        lines += ["", *([f"{context}:"] if context else []), f"“{text}” ({numbers})", *cautions]
    if outline.sources:
        lines += ["", "Sources"]
        for number, entry, cited in outline.sources:
            lines += [f"{number}. {entry}", *(f"   {line}" for line in cited)]
    return "\n".join([*lines, "", outline.disclaimer]).strip() + "\n"


def _outline(reply: Mapping[str, Any]) -> _Outline:
    question, standalone = _flat(reply.get("question", "")), _flat(reply.get("standalone_question", ""))
    card = reply.get("emergency") or {}
    said = [reply.get("clarifying_question"), *reply.get("choices", ()), reply.get("reason")]
    statements = tuple(
        (
            " › ".join(_flat(heading).rstrip(":") for heading in row.get("context", ())),
            str(row["text"]).strip(),
            # In words: the quote may end in a mark of its own, "[9]".
            f"source{'s'[: len(row['citations']) - 1]} {', '.join(str(number) for number in row['citations'])}",
            tuple(_flat(caution) for caution in row.get("cautions", ())),
        )
        for row in reply.get("statements", ())
    )
    passages = reply.get("passages", ())
    return _Outline(
        understood=standalone if standalone and standalone != question else "",
        card=tuple(_flat(text) for text in (card.get("title"), card.get("text"), *card.get("actions", ())) if text),
        # A notice numbers our sources, "[1] [2]", as the page does.
        notices=tuple(
            re.sub(r"\[(\d+)\]", r"(source \1)", _flat(notice["text"])) for notice in reply.get("notices", ())
        ),
        said=tuple(_flat(text) for text in said if text),
        statements=statements,
        sources=tuple((passage["number"], _with_place(passage), _cited_there(passage)) for passage in passages),
        disclaimer=_flat(reply.get("disclaimer", "")),
    )


def _with_place(passage: Mapping[str, Any]) -> str:
    place = " › ".join(_flat(heading) for heading in passage.get("section", ()))
    page = f"p. {passage['page']}" if passage.get("page") else ""
    where = ", ".join(part for part in (place, page) if part)
    return f"{vancouver(passage)} Section: {where}." if where else vancouver(passage)


def _cited_there(passage: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"[{entry['number']}] {vancouver(entry)}" for entry in passage.get("references", ()))


def _markdown(conversation: Conversation) -> str:
    lines = [f"# {_md(conversation.title)}"]
    for turn in conversation.turns:
        outline = _outline(turn.reply)
        lines += ["", f"## {turn.position}. {_md(turn.question)}", "", f"*{_md(_asked(turn))}*"]
        if outline.understood:
            lines += ["", f"Understood as: {_md(outline.understood)}"]
        for text in (*outline.card, *outline.notices):
            lines += ["", f"**{_md(text)}**"]
        for text in outline.said:
            lines += ["", _md(text)]
        for context, text, numbers, cautions in outline.statements:
            lines += ["", *([f"{_md(context)}:", ""] if context else [])]
            quoted = f"{text} ({numbers})".splitlines()
            lines += [f"> {_md(line)}" for line in quoted if line.strip()]
            lines += [part for caution in cautions for part in ("", f"*{_md(caution)}*")]
        if outline.sources:
            lines += ["", "### Sources", ""]
            for number, entry, cited in outline.sources:
                lines += [f"{number}. {_md(entry)}", *(f"    - {_md(line)}" for line in cited)]
        lines += ["", f"*{_md(outline.disclaimer)}*"]
    return "\n".join(lines) + "\n"


def _html(conversation: Conversation) -> str:
    def tag(name: str, text: str, more: str = "") -> str:
        return f"<{name}{more}>{html.escape(text)}</{name}>"

    parts = [tag("h1", conversation.title)]
    for turn in conversation.turns:
        outline = _outline(turn.reply)
        parts += ["<article>", tag("h2", f"{turn.position}. {turn.question}"), tag("p", _asked(turn), " class=asked")]
        if outline.understood:
            parts.append(tag("p", f"Understood as: {outline.understood}"))
        if outline.card:
            parts += ["<div class=emergency>", *(tag("p", text) for text in outline.card), "</div>"]
        parts += [tag("p", text, " class=notice") for text in outline.notices]
        parts += [tag("p", text) for text in outline.said]
        for context, text, numbers, cautions in outline.statements:
            parts.append("<blockquote>")
            if context:
                parts.append(tag("p", context, " class=context"))
            parts.append(tag("p", f"{text} ({numbers})"))
            parts += [tag("p", caution, " class=notice") for caution in cautions]
            parts.append("</blockquote>")
        if outline.sources:
            parts.append("<h3>Sources</h3><ol>")
            for number, entry, cited in outline.sources:
                below = f"<ul>{''.join(tag('li', line) for line in cited)}</ul>" if cited else ""
                parts.append(f'<li value="{int(number)}">{html.escape(entry)}{below}</li>')
            parts.append("</ol>")
        parts += [tag("p", outline.disclaimer, " class=disclaimer"), "</article>"]
    return _PAGE.format(title=html.escape(conversation.title), body="\n".join(parts))


# The policy forbids everything but this style: a file that is opened from a disk has no server to say so.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.55 system-ui, sans-serif }}
body {{ max-width: 44rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }}
blockquote {{ margin: 1rem 0; padding: .1rem 1rem; border-left: .25rem solid #4a7c8c; white-space: pre-line }}
.asked, .context, .disclaimer {{ opacity: .75; font-size: .9rem }}
.notice {{ font-weight: 600 }}
.emergency {{ border: .2rem solid #b3261e; padding: 0 1rem }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def _json(conversation: Conversation) -> str:
    row = {
        "title": conversation.title,
        "article_id": conversation.article_id,
        "created_at": conversation.created_at,
        "turns": [
            {
                "position": turn.position,
                "question": turn.question,
                "asked_at": turn.asked_at,
                "audience": turn.audience,
                "reply": turn.reply,
            }
            for turn in conversation.turns
        ],
    }
    return json.dumps(row, ensure_ascii=False, indent=2) + "\n"


def _asked(turn: StoredTurn) -> str:
    return f"Asked {turn.asked_at[:16].replace('T', ' ')} UTC; answered with index {turn.index_version or 'unknown'}"


def _file_name(conversation: Conversation) -> str:
    """Return a name that every file system and header takes."""
    plain = unicodedata.normalize("NFKD", conversation.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_MAX_NAME_CHARS].strip("-")
    day = (conversation.updated_at or conversation.created_at)[:10]
    return "-".join(part for part in (slug or "conversation", re.sub(r"[^\d-]", "", day)) if part)


def _flat(text: Any) -> str:
    return " ".join(str(text).split())


_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")


def _md(text: str) -> str:
    """Return `text` as Markdown that shows it to the letter: no image, link, heading or tag comes of it."""
    escaped = _MARKDOWN.sub(r"\\\1", _flat(text))
    return re.sub(r"^([-+=]|\d+(?=[.)]))", lambda match: _list_mark(match[0]), escaped)


def _list_mark(mark: str) -> str:
    # A number cannot be escaped, only the stop behind it: a zero-width joiner would change the text.
    return f"\\{mark}" if not mark.isdigit() else f"{mark}\\"
