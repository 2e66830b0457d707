"""A template with those of its nested stacks, whose files lie beside it: all their resources, resolved together.

What a stack in a stack has is named behind the logical ID of that stack: ``Payments/Table``. Parameters that are given
to it, and outputs that are read from it, refer to resources across the templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from raymap.contrib.declare.templates.cloudformation import (
    Resolved,
    check_resources,
    resolve_resources,
)
from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.contrib.declare.templates.intrinsics import UNKNOWN, Resolver, mentions
from raymap.contrib.declare.templates.loops import expand_loops
from raymap.contrib.declare.templates.sam import inline_files, is_sam, local_file, translate
from raymap.contrib.declare.templates.tree import Tree, parse_file
from raymap.errors import CommandError

STACK = "AWS::CloudFormation::Stack"
MAX_STACKS_DEEP = 5
MAX_NESTED = 100


class Files:
    """What is common to the templates of one stack: notes, and how many there are."""

    def __init__(self, region: str, notes: list[str]) -> None:
        self.region = region
        self.notes = notes
        self.nested = 0


class Given(NamedTuple):
    """What a template is deployed with.

    ``parameters``: texts, as on the command line; ``passed``: resolved values of the stack around it, which may
    mention its resources; ``pseudo``: pseudo parameters; ``prefix``: of its resources' ids; ``depth``: of stacks.
    """

    parameters: Mapping[str, str]
    passed: Mapping[str, Any]
    pseudo: Mapping[str, str]
    prefix: str = ""
    depth: int = 0


class Template:
    """One template, and those of the stacks in it, which are read when something is read from them."""

    def __init__(self, path: Path, tree: Tree, given: Given, files: Files) -> None:
        """Raises InvalidTemplate."""
        self._path, self._given, self._files = path, given, files
        notes = files.notes

        def resolve(value: Any) -> Any:
            return self._resolver(tree.root).resolve(value)

        tree = expand_loops(tree, path.name, resolve, notes)
        check_resources(tree, path.name)
        inline_files(tree.root, path.parent, notes)
        root: dict[str, Any] = tree.root
        if is_sam(root):
            for name in given.passed:  # the translator would put the default in its place
                _mapping(_mapping(root.get("Parameters")).get(name)).pop("Default", None)
            root = translate(tree, path.name, given.parameters, files.region)
        self._root = root
        self.resolver = self._resolver(root)
        self._stacks = {
            id: _Nested(self, id, resource)
            for id, resource in root["Resources"].items()
            if resource["Type"] == STACK and self.resolver.is_active(resource.get("Condition"))
        }
        self.resolver.nested = {id: stack.output for id, stack in self._stacks.items()}

    def _resolver(self, root: Mapping[str, Any]) -> Resolver:
        given = self._given
        return Resolver(
            self._path.name,
            root,
            given.parameters,
            given.pseudo,
            prefix=given.prefix,
            passed=given.passed,
        )

    def resources(self) -> dict[str, Mapping[str, Any]]:
        """Resolved resources by id, those of the stacks in it included. Raises InvalidTemplate."""
        own: Resolved = resolve_resources(self._root, self.resolver)
        found = {self._given.prefix + id: each for id, each in own.items()}
        for stack in self._stacks.values():
            if inner := stack.template():
                found |= inner.resources()
        self._files.notes += [
            f"{name} is unknown: its value counts as not known"
            for name in sorted(self.resolver.unknown_functions)
        ]
        return found

    def output(self, name: str) -> Any:
        """The value of an output."""
        output = _mapping(_mapping(self._root.get("Outputs")).get(name))
        return self.resolver.resolve(output["Value"]) if "Value" in output else UNKNOWN

    def read(self, id: str, properties: Mapping[str, Any]) -> Template | None:
        """The template of a stack in it; None, and a note, where its file is not here."""
        name = local_file(properties.get("TemplateURL"))
        given, label = self._given, f"{self._given.prefix}{id}"
        if name is None:
            self._files.notes.append(f"{label} is a stack of its own: declare its template, too")
            return None
        path = self._path.parent / name
        try:
            tree = parse_file(path)
        except InvalidTemplate:
            raise
        except CommandError as error:
            self._files.notes.append(f"{label} is a stack of its own. {error}")
            return None
        if not isinstance(tree.root, dict):
            raise InvalidTemplate(path.name, "no template: expected a mapping with Resources", 1)
        self._files.nested += 1
        if given.depth >= MAX_STACKS_DEEP or self._files.nested > MAX_NESTED:
            raise InvalidTemplate(
                self._path.name,
                f"{label}: at most {MAX_NESTED} stacks in it, {MAX_STACKS_DEEP} deep",
            )
        values = self.resolver.resolve(properties.get("Parameters") or {})
        inner = given._replace(
            **_parameters(_mapping(values)),
            pseudo={
                **given.pseudo,
                "AWS::StackName": f"{given.pseudo['AWS::StackName']}-{id}-{UNKNOWN}",
            },
            prefix=f"{label}/",
            depth=given.depth + 1,
        )
        return Template(path, tree, inner, self._files)


class _Nested:
    """A stack in a template. Stacks that wait for each other's outputs, which no deployment can have, get none."""

    def __init__(self, around: Template, id: str, resource: Mapping[str, Any]) -> None:
        self._around, self._id = around, id
        self._properties: Mapping[str, Any] = resource.get("Properties") or {}
        self._template: Template | None = None
        self._begun = False

    def template(self) -> Template | None:
        """Read once."""
        if not self._begun:
            self._begun = True
            self._template = self._around.read(self._id, self._properties)
        return self._template

    def output(self, name: str) -> Any:
        """The value of an output."""
        found = self.template()
        return found.output(name) if found else UNKNOWN


def _parameters(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Texts that SAM's translator may see, and what refers to resources or is not known."""
    plain: dict[str, str] = {}
    passed: dict[str, Any] = {}
    for name, value in values.items():
        items = value if isinstance(value, list) else [value]
        known = [str(each) for each in items if isinstance(each, str | int | float)]
        if any(UNKNOWN in each or mentions(each) for each in known) or len(known) < len(items):
            passed[name] = value
        else:
            plain[name] = ",".join(known)
    return {"parameters": plain, "passed": passed}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
