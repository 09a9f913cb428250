"""Why quotes stand in for a language model, and what a reader is told of it.

Is: one notice for each fault, and the faults that only show in what was written. Is not: the faults of asking (`llm.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chatbot.answer.gate_records import Verdict
from chatbot.answer.llm import Fault
from chatbot.answer.prompts import repeats_prompt
from index.lexical import STOPWORDS

# What a reader is told when quotes stand in for a model.
FAULT_NOTICES: Mapping[Fault, str] = {
    "timeout": "The language model did not answer in time; these are quotes from the sources.",
    "rate_limited": "The language model has too many requests now; these are quotes from the sources.",
    "server_error": "The language model's service had an error; these are quotes from the sources.",
    "connection": "The language model could not be reached; these are quotes from the sources.",
    "bad_key": "The language model's host refused our key; these are quotes from the sources.",
    "bad_request": "The language model's host did not take the question; these are quotes from the sources.",
    "unavailable": "The language model that is set is not installed; these are quotes from the sources.",
    "empty": "The language model wrote nothing; these are quotes from the sources.",
    "bad_json": "The language model's answer could not be read; these are quotes from the sources.",
    "endless": "The language model did not stop writing; these are quotes from the sources.",
    "refusal": "The language model declined to answer; these are quotes from the sources.",
    "repeated_prompt": "The language model did not answer the question; these are quotes from the sources.",
    "wrong_language": "The language model wrote in a language that was not asked for; these are quotes from the sources.",
    "nothing_kept": "What the language model wrote could not be checked; these are quotes from the sources.",
}
_REFUSAL = re.compile(
    r"\b(?:i\s*(?:am|['’]m)\s+(?:sorry|unable|not\s+able)|i\s+(?:cannot|can['’]t|can\s+not|won['’]t|will\s+not)\b|as\s+an?\s+(?:ai|language)|"
    r"i\s+apologi[sz]e|not\s+(?:able|allowed)\s+to\s+(?:help|answer|assist))",
    re.IGNORECASE,
)
# English has a function word in nearly every clause. Below this share of them a text is in another language.
_FUNCTION_WORD_SHARE = 0.08
_LANGUAGE_LEAST_WORDS = 12


def fault_of_text(text: str, verdicts: Sequence[Verdict]) -> Fault | None:
    """Say what is wrong with what was written; None if at least one statement of it was kept."""
    if any(verdict.decision == "kept" for verdict in verdicts):
        return None
    if not text.strip():
        return "empty"
    if repeats_prompt(text):
        return "repeated_prompt"
    if _REFUSAL.search(text):
        return "refusal"
    if not verdicts:
        return "bad_json"
    words = re.findall(r"[^\W\d_]+", " ".join(verdict.draft.text for verdict in verdicts).lower())
    known = sum(word in STOPWORDS for word in words)
    if len(words) >= _LANGUAGE_LEAST_WORDS and known < _FUNCTION_WORD_SHARE * len(words):
        return "wrong_language"
    return "nothing_kept"
