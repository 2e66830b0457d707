"""A file → the declaration of a stack."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from raymap.contrib.declare.templates.cloudformation import add_stack
from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.contrib.declare.templates.intrinsics import Resolver
from raymap.contrib.declare.templates.nested import Files, Given, Template
from raymap.contrib.declare.templates.stack import Stack
from raymap.contrib.declare.templates.state_machines import add_tasks, read_definition
from raymap.contrib.declare.templates.tree import Tree, parse_file
from store.declared.identity import MACHINE
from store.declared.model import MAX_CALLS, MAX_NOTE, MAX_NOTES, Declaration, Resource


class Place(NamedTuple):
    """Where a template is deployed; '' where that is not said."""

    stack: str = ""
    account: str = ""
    region: str = ""
    environment: str = ""


def read_template(path: Path, place: Place, parameters: Mapping[str, str]) -> Declaration:
    """What a template declares. Raises CommandError.

    Without a name the stack is the one in ``samconfig.toml`` beside the file, else named by the folder.
    """
    tree = parse_file(path)
    if not isinstance(tree.root, dict):
        raise InvalidTemplate(path.name, "no template: expected a mapping with Resources", 1)
    place = place._replace(stack=place.stack or _stack_name(path, tree.root))
    notes: list[str] = []
    if "States" in tree.root and "Resources" not in tree.root:
        stack = _state_machine(path, tree.root, place)
    else:
        stack = _stack(path, tree, place, parameters, notes)
    calls = stack.calls()
    if len(calls) > MAX_CALLS:
        raise InvalidTemplate(path.name, f"it declares more than {MAX_CALLS:,} calls")
    return Declaration(
        **place._asdict(),
        template=path.name[:300],
        resources=tuple(stack.resources.values()),
        calls=calls,
        notes=tuple(dict.fromkeys(n[:MAX_NOTE] for n in (*notes, *stack.notes)))[:MAX_NOTES],
    )


def _stack(
    path: Path, tree: Tree, place: Place, parameters: Mapping[str, str], notes: list[str]
) -> Stack:
    root: dict[str, Any] = tree.root
    unknown = sorted(parameters.keys() - _mapping(root.get("Parameters")).keys())
    if unknown:
        raise InvalidTemplate(path.name, f"it has no parameter {unknown[0]!r}")
    given = Given(parameters, {}, _pseudo(place))
    template = Template(path, tree, given, Files(place.region, notes))
    stack = Stack(place.stack, template.resolver)
    add_stack(stack, template.resources(), path.name)
    return stack


def _state_machine(path: Path, root: Mapping[str, Any], place: Place) -> Stack:
    """A definition alone: one state machine, with the file's name."""
    stack = Stack(place.stack, Resolver(path.name, {}, {}, _pseudo(place)))
    name = path.name.partition(".")[0]
    stack.add(Resource(name, MACHINE, name))
    definition = read_definition(stack.resolver.resolve(root), {}) or {}
    add_tasks(stack, name, definition, {})
    return stack


def _pseudo(place: Place) -> dict[str, str]:
    """Pseudo parameters; '' where a value is not known."""
    return {
        "AWS::StackName": place.stack,
        "AWS::Region": place.region,
        "AWS::AccountId": place.account,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackId": "",
        "AWS::NotificationARNs": "",
    }


def _stack_name(path: Path, root: Mapping[str, Any]) -> str:
    """Of ``samconfig.toml``, else of the folder, as `sam init` proposes; a definition alone is its file's."""
    if "States" in root and "Resources" not in root:
        return path.name.partition(".")[0]
    try:
        config = tomllib.loads((path.parent / "samconfig.toml").read_text())
    except (OSError, ValueError):
        config = {}
    found: Any = config.get("default")
    for section in ("deploy", "global"):
        name = _mapping(_mapping(_mapping(found).get(section)).get("parameters")).get("stack_name")
        if isinstance(name, str) and name:
            return name[:200]
    return path.resolve().parent.name[:200] or path.stem[:200]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
