"""Reads and edits the facts at the top of a Markdown file (YAML between "---" lines).

Is: bounded YAML, and an edit of one key that leaves every other byte alone. Is not: a judge of the facts.
"""

from __future__ import annotations

import re
from typing import Any

from corpus.documents import UnreadableSource

# The longest front matter in use has some twenty references, about 5 kB.
_MAX_CHARS = 200_000
_FRONT = re.compile(
    r"\A(?P<open>\ufeff?---[ \t]*\r?\n)(?P<front>(?:.*?\r?\n)??)(?P<close>---[ \t]*(?:\r?\n|\Z))", re.DOTALL
)


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the facts and the body of a Markdown text; without front matter there are no facts.

    Raises UnreadableSource with the line of the first fault.
    """
    match = _FRONT.match(text)
    if not match:
        if re.match(r"\ufeff?---[ \t]*\r?\n[\w-]+:", text):
            raise UnreadableSource("front matter: the closing --- is missing (line 1)")
        return {}, text
    return _load(match.group("front")), text[match.end() :]


def set_key(text: str, key: str, facts: dict[str, str]) -> str:
    """Return a Markdown text whose front matter says `key` with `facts` under it; all else stays byte for byte.

    Raises UnreadableSource if that cannot be done.
    """
    newline = "\r\n" if "\r\n" in text.split("\n", 1)[0] + "\n" else "\n"
    entry = "".join([f"{key}:{newline}", *(f"  {name}: {_quoted(value)}{newline}" for name, value in facts.items())])
    match = _FRONT.match(text)
    if not match:
        bare = text.removeprefix("\ufeff")
        edited = f"{text[: len(text) - len(bare)]}---{newline}{entry}---{newline}{bare}"
    else:
        # The key's own line, and those below it that are indented.
        old = re.search(
            rf"^{re.escape(key)}[ \t]*:.*\n(?:[ \t]+.*\n|[ \t]*\r?\n(?=[ \t]))*", match.group("front"), re.M
        )
        begin, end = old.span() if old else (len(match.group("front")),) * 2
        begin, end = begin + match.start("front"), end + match.start("front")
        edited = text[:begin] + entry + text[end:]
    before, after = split_front_matter(text), split_front_matter(edited)
    if (
        after[0].pop(key, None) != facts
        or before[0] | {key: 0} != after[0] | {key: 0}
        or before[1].removeprefix("\ufeff") != after[1]
    ):
        raise UnreadableSource(f"front matter: `{key}` cannot be edited safely; write it on lines of its own")
    return edited


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if value else '""'


def _load(text: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses aliases: a few of them unfold to gigabytes, and no article needs one."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                line = self.peek_event().start_mark.line + 2
                raise UnreadableSource(f"front matter, line {line}: YAML aliases are not read")
            return super().compose_node(parent, index)

    if len(text) > _MAX_CHARS:
        raise UnreadableSource(f"front matter of more than {_MAX_CHARS} characters")
    try:
        facts = yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        # The file's first line is the "---" above.
        line = (error.problem_mark.line if error.problem_mark else 0) + 2
        raise UnreadableSource(f"front matter, line {line}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableSource(f"front matter: {' '.join(str(error).split())[:200]}") from error
    if facts is None:
        return {}
    if not isinstance(facts, dict):
        raise UnreadableSource("front matter, line 2: not a list of `name: value`")
    return {str(key): value for key, value in facts.items()}
