"""Resolves what a Word style says of a paragraph or run: heading level, list level, raised, hidden, bold.

Is: the chain of `basedOn`, as far as text needs it. Is not: fonts, colours or numbers of a list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# A chain of styles is four or five long; a cycle would never end.
_MAX_CHAIN = 20
_HEADING_NAME = re.compile(r"heading (\d)", re.I)
_LIST_NAME = re.compile(r"list (?:bullet|number)(?: (\d))?", re.I)


def local_name(node: Any) -> str:
    """Return an element's name without its namespace, "" for comments."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def value_of(node: Any, *names: str) -> str | None:
    """Return the `val` of the element that `names` lead to, "" if it has none, None if there is no such element."""
    for name in names:
        node = None if node is None else node.find(f"{{*}}{name}")
    return None if node is None else attribute(node, "val")


def attribute(node: Any, name: str) -> str:
    """Return an attribute by its name without namespace, "" if it is missing."""
    return next((value for key, value in node.attrib.items() if key.rpartition("}")[2] == name), "")


def is_on(value: str | None) -> bool:
    """Say whether an on/off property is on: present without a value, or with one that is not a no."""
    return value is not None and value.lower() not in ("0", "false", "off", "none")


@dataclass(frozen=True, slots=True)
class Styles:
    """A document's styles by id."""

    by_id: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Any) -> Styles:
        """Return the styles of a `styles.xml`, none if there is no such part."""
        nodes = root.iter("{*}style") if root is not None else ()
        return cls({attribute(node, "styleId"): node for node in nodes})

    def chain(self, style_id: str | None) -> list[Any]:
        """Return a style and those that it is based on, nearest first."""
        found: list[Any] = []
        while style_id and style_id in self.by_id and len(found) < _MAX_CHAIN:
            node = self.by_id[style_id]
            found.append(node)
            style_id = value_of(node, "basedOn")
        return found

    def heading_level(self, paragraph: Any) -> int:
        """Return 1 to 9 for a heading, 0 for body text."""
        own = value_of(paragraph, "pPr", "outlineLvl")
        for value in (own, *(value_of(style, "pPr", "outlineLvl") for style in self.styles_of(paragraph))):
            if value is not None and value.isdigit():
                return int(value) + 1 if int(value) < 9 else 0
        for style in self.styles_of(paragraph):
            if match := _HEADING_NAME.fullmatch(value_of(style, "name") or ""):
                return int(match.group(1))
        return 0

    def list_level(self, paragraph: Any) -> int | None:
        """Return how deep a list item stands, None for a paragraph that is none."""
        for holder in (paragraph, *self.styles_of(paragraph)):
            number = value_of(holder, "pPr", "numPr", "numId")
            if number == "0":
                return None
            if number:
                level = value_of(paragraph, "pPr", "numPr", "ilvl") or value_of(holder, "pPr", "numPr", "ilvl") or "0"
                named = self._named_level(paragraph)
                return max(int(level) if level.isdigit() else 0, named or 0)
        return self._named_level(paragraph)

    def _named_level(self, paragraph: Any) -> int | None:
        for style in self.styles_of(paragraph):
            if match := _LIST_NAME.fullmatch(value_of(style, "name") or ""):
                return int(match.group(1) or 1) - 1
        return None

    def is_named(self, paragraph: Any, *names: str) -> bool:
        """Say whether a paragraph's own style has one of these names."""
        styles = self.styles_of(paragraph)
        return bool(styles) and (value_of(styles[0], "name") or "").lower() in names

    def styles_of(self, paragraph: Any) -> list[Any]:
        """Return the styles that a paragraph stands in, nearest first."""
        return self.chain(value_of(paragraph, "pPr", "pStyle"))

    def run_property(self, run: Any, name: str) -> str | None:
        """Return a run's property, from itself or from its character style."""
        own = value_of(run, "rPr", name)
        if own is not None:
            return own
        styles = self.chain(value_of(run, "rPr", "rStyle"))
        return next((value for style in styles if (value := value_of(style, "rPr", name)) is not None), None)
