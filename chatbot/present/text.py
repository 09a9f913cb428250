"""A reply as plain text for a terminal.

Is: words and numbers in reading order. Is not: the page (see `web/`).
"""

from __future__ import annotations

from chatbot.replies import Abstention, Answer, Clarification, Emergency, Reply


def as_text(reply: Reply) -> str:
    """Return everything that a reader must see, the disclaimer last."""
    lines: list[str] = []
    if reply.standalone_question != reply.question:
        lines += [f"Understood as: {reply.standalone_question}", ""]
    match reply:
        case Emergency(card=card):
            lines += [card.title, card.text, *(f"  • {action}" for action in card.actions), ""]
        case Abstention(reason=reason):
            lines += [reason, ""]
        case Clarification(clarifying_question=asked, choices=choices):
            lines += [asked, *(f"  {place}. {choice}" for place, choice in enumerate(choices, 1)), ""]
        case Answer():
            pass
    if isinstance(reply, Answer | Emergency):
        context: tuple[str, ...] = ()
        for statement in reply.statements:
            if statement.context != context:
                context = statement.context
                if context:
                    lines.append(" › ".join(context))
            marks = "".join(f"[{number}]" for number in statement.citations)
            lines.append(f"  “{statement.text}” {marks} {statement.issued}".rstrip())
            lines += [f"    ({caution})" for caution in statement.cautions]
        if reply.passages:
            lines += ["", "From:"]
        for passage in reply.passages:
            facts = [passage.kind, str(passage.year or "undated"), passage.review_status or ""]
            where = " › ".join((passage.title, *passage.section))
            lines.append(f"  [{passage.number}] {where} ({', '.join(fact for fact in facts if fact)})")
            lines += [
                f"      {ref.number}. {ref.title} {ref.source} {ref.year or ''} {ref.url}" for ref in passage.references
            ]
        if reply.statements:
            lines.append(f"  Confidence {reply.confidence:.2f}")
    lines += [f"Note: {notice.text}" for notice in reply.notices]
    if reply.related_questions:
        lines += ["", "You could ask:", *(f"  • {question}" for question in reply.related_questions)]
    return "\n".join([*lines, "", reply.disclaimer])
