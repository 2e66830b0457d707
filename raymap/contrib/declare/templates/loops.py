"""`Fn::ForEach` of the transform AWS::LanguageExtensions, expanded: one copy of a mapping for each element of a list.

docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.contrib.declare.templates.intrinsics import UNKNOWN
from raymap.contrib.declare.templates.tree import MAX_VALUES, TEXT_UNIT, Tree

LOOP = "Fn::ForEach"
SECTIONS = ("Conditions", "Resources", "Outputs")
MAX_LOOPS_DEEP = 5
"""CloudFormation's own limit."""
Resolve = Callable[[Any], Any]


def expand_loops(tree: Tree, file: str, resolve: Resolve, notes: list[str]) -> Tree:
    """The template without loops. ``resolve``: the value of a loop's list as far as it is known.

    A loop over a list that is not known is left out, and noted. Raises InvalidTemplate.
    """
    expansion = _Expansion(file, resolve, notes)
    root, lines = dict(tree.root), dict(tree.lines)
    for section in SECTIONS:
        if isinstance(root.get(section), dict):
            before = root[section]
            root[section] = expansion.expanded(before, 0)
            for key in before:
                line = tree.lines.get((section, key))
                if _is_loop(key) and line is not None:
                    made = root[section].keys() - before.keys()
                    lines.update({(section, id): line for id in made if (section, id) not in lines})
    return Tree(root, lines)


def _is_loop(key: object) -> bool:
    return isinstance(key, str) and (key == LOOP or key.startswith(f"{LOOP}::"))


class _Expansion:
    """Counts what it makes: loops in loops multiply."""

    def __init__(self, file: str, resolve: Resolve, notes: list[str]) -> None:
        self._file = file
        self._resolve = resolve
        self._notes = notes
        self._values = 0

    def expanded(self, value: Any, depth: int) -> Any:
        """A value without loops; ``depth``: of loops around it."""
        if isinstance(value, list):
            return [self.expanded(each, depth) for each in value]
        if not isinstance(value, dict):
            return value
        found: dict[Any, Any] = {}
        for key, each in value.items():
            if _is_loop(key):
                found.update(self._loop(key, each, depth + 1))
            else:
                found[key] = self.expanded(each, depth)
        return found

    def _loop(self, key: str, loop: Any, depth: int) -> dict[str, Any]:
        if depth > MAX_LOOPS_DEEP:
            raise self._invalid(key, f"loops are nested deeper than {MAX_LOOPS_DEEP}")
        if not (
            isinstance(loop, list)
            and len(loop) == 3
            and isinstance(loop[0], str)
            and re.fullmatch(r"[A-Za-z0-9]+", loop[0])
            and isinstance(loop[2], dict)
        ):
            raise self._invalid(key, "expected [name, list, {key: value}]")
        name, items, body = loop
        found: dict[str, Any] = {}
        for item in self._items(key, items):
            copied = self._replaced(body, name, item)
            made = self.expanded(copied, depth)
            if twice := sorted(found.keys() & made.keys()):
                raise self._invalid(key, f"{twice[0][:100]} is made twice")
            found |= made
        return found

    def _items(self, key: str, items: Any) -> list[str]:
        resolved = self._resolve(items)
        if isinstance(resolved, str) and not isinstance(items, list):
            resolved = [each.strip() for each in resolved.split(",")]
        known = isinstance(resolved, list) and all(
            isinstance(each, str | int | float) and UNKNOWN not in str(each) for each in resolved
        )
        if not known:
            self._notes.append(f"{key} is not expanded: its list is not known before deployment")
            return []
        return [str(each) for each in resolved]

    def _replaced(self, value: Any, name: str, item: str) -> Any:
        """A copy in which an element stands for ``${name}``, ``&{name}`` (letters and digits) and a reference to it."""
        self._values += 1 + (len(value) // TEXT_UNIT if isinstance(value, str) else 0)
        if self._values > MAX_VALUES:
            raise InvalidTemplate(self._file, f"its loops make more than {MAX_VALUES:,} values")
        if isinstance(value, str):
            plain = re.sub(r"[^A-Za-z0-9]", "", item)
            return value.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", plain)
        if isinstance(value, list):
            return [self._replaced(each, name, item) for each in value]
        if not isinstance(value, Mapping):
            return value
        if value == {"Ref": name}:
            return item
        return {
            self._replaced(key, name, item): self._replaced(each, name, item)
            for key, each in value.items()
        }

    def _invalid(self, key: str, problem: str) -> InvalidTemplate:
        return InvalidTemplate(self._file, f"{key[:100]}: {problem}")
