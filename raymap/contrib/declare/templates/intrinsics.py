"""Intrinsic functions and references of a template, resolved as far as they can be without deploying it.

What refers to a resource becomes a token in the text (`mention`), so that ``!Sub "arn:…:table/${Orders}"`` still says
which table; what is known only when the stack is deployed becomes `UNKNOWN`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from raymap.contrib.declare.templates.errors import InvalidTemplate

UNKNOWN = "\ue002"
"""A piece of text that is not known."""
_BEGIN, _END = "\ue000", "\ue001"
_MENTION = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}.]*)(?:\\.([^{_BEGIN}{_END}]*))?{_END}")
_RESERVED = str.maketrans(dict.fromkeys((_BEGIN, _END, UNKNOWN), "?"))
_VARIABLE = re.compile(r"\$\{(!?)([^${}]{1,300})\}")
_DYNAMIC = re.compile(r"\{\{resolve:[^{}]*\}\}")
MAX_TEXT = 200_000
MAX_DEPTH = 150
"""Of values and of conditions that name each other."""
MAX_STEPS = 2_000_000
"""Values resolved for one template: variables may repeat each other."""
SSM_TYPE = "AWS::SSM::Parameter::"
OUTPUTS = "Outputs."
"""Begins the attributes of a stack in the template."""
NO_VALUE = object()


def mention(id: str, attribute: str = "") -> str:
    """The token for a resource, or an attribute of one, in a text."""
    return f"{_BEGIN}{id}{'.' if attribute else ''}{attribute}{_END}"


def mentions(text: str) -> list[tuple[str, str]]:
    """The resources that a resolved text mentions, with the attribute ('' of a plain reference)."""
    return [(match[1], match[2] or "") for match in _MENTION.finditer(text)]


def pattern(text: str) -> str:
    """A resolved text with ``*`` for what is not known."""
    return re.sub(r"\*+", "*", _MENTION.sub("*", text).replace(UNKNOWN, "*"))


def texts(value: Any) -> Iterator[str]:
    """All texts in a resolved value; keys are none."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            rest.extend(reversed(one.values()))
        elif isinstance(one, list):
            rest.extend(reversed(one))


class Resolver:
    """Resolves the values of one template.

    ``parameters``: values by name, in place of defaults; ``passed``: such that are resolved already, which may
    mention resources of another template; ``pseudo``: such as ``AWS::StackName``; ``prefix``: of the template's
    resources in mentions. ``nested``: what reads the outputs of a stack in it, by the stack's logical ID.
    """

    def __init__(
        self,
        file: str,
        template: Mapping[str, Any],
        parameters: Mapping[str, Any],
        pseudo: Mapping[str, str],
        *,
        prefix: str = "",
        passed: Mapping[str, Any] | None = None,
    ) -> None:
        self._file = file
        self._resources = _mapping(template.get("Resources"))
        self._mappings = _mapping(template.get("Mappings"))
        self._conditions = _mapping(template.get("Conditions"))
        self._pseudo = pseudo
        declared = _mapping(template.get("Parameters"))
        self._parameters = {**_parameter_values(declared, parameters), **(passed or {})}
        self._prefix = prefix
        self.nested: Mapping[str, Callable[[str], Any]] = {}
        self._steps = 0
        self._known_conditions: dict[str, bool | None] = {}
        self.unknown_functions: set[str] = set()

    def resolve(self, value: Any, depth: int = 0) -> Any:
        """The value with every intrinsic resolved; properties without a value are left out."""
        if depth > MAX_DEPTH:
            raise InvalidTemplate(self._file, f"values refer to each other {MAX_DEPTH} levels deep")
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise InvalidTemplate(self._file, f"more than {MAX_STEPS:,} values refer to each other")
        if isinstance(value, str):
            return _literal(value)
        if isinstance(value, list):
            found = [self.resolve(each, depth + 1) for each in value]
            return [each for each in found if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::") or self._is_condition(name, argument):
                return self._call(name, argument, depth)
        pairs = ((str(key), self.resolve(each, depth + 1)) for key, each in value.items())
        return {key: each for key, each in pairs if each is not NO_VALUE}

    def text(self, value: Any) -> str:
        """A resolved value as text; '' for what is none, or not there."""
        found = self.resolve(value)
        return _text(found) if isinstance(found, str | int | float) else ""

    def is_active(self, condition: object) -> bool:
        """Whether a resource with this ``Condition`` is made; True where that is not known."""
        return not isinstance(condition, str) or self._condition(condition, 0) is not False

    def _is_condition(self, name: str, argument: object) -> bool:
        return name == "Condition" and isinstance(argument, str) and argument in self._conditions

    def _call(self, name: str, argument: Any, depth: int) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._attribute(argument, depth)
            case "Fn::Sub":
                return self._sub(argument, depth)
            case "Fn::Join":
                return self._join(argument, depth)
            case "Fn::If":
                return self._if(argument, depth)
            case "Fn::Select":
                return self._select(argument, depth)
            case "Fn::Split":
                return self._split(argument, depth)
            case "Fn::FindInMap":
                return self._find_in_map(argument, depth)
            case "Fn::Base64" | "Fn::ToJsonString":
                return self.resolve(argument, depth + 1)
            case "Condition" | "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not":
                truth = self._truth({name: argument}, depth)
                return UNKNOWN if truth is None else truth
            case "Fn::Length":
                return self._length(argument, depth)
            case "Fn::ImportValue" | "Fn::GetAZs" | "Fn::Cidr" | "Fn::Transform":
                return UNKNOWN
        self.unknown_functions.add(name[:60])
        return UNKNOWN

    def _ref(self, name: object) -> Any:
        if not isinstance(name, str):
            return UNKNOWN
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name] or UNKNOWN
        if name in self._parameters:
            return self._parameters[name]
        return mention(self._prefix + name) if name in self._resources else UNKNOWN

    def _attribute(self, argument: Any, depth: int) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(parts, list) or not parts or not isinstance(parts[0], str):
            return UNKNOWN
        rest = ".".join(_text(self.resolve(part, depth + 1)) for part in parts[1:])
        if parts[0] in self.nested and rest.startswith(OUTPUTS):
            return self.nested[parts[0]](rest.removeprefix(OUTPUTS))
        return mention(self._prefix + parts[0], rest) if parts[0] in self._resources else UNKNOWN

    def _sub(self, argument: Any, depth: int) -> str:
        parts = argument if isinstance(argument, list) else [argument]
        if not parts or not isinstance(parts[0], str):
            return UNKNOWN
        own = _mapping(parts[1]) if len(parts) > 1 else {}

        def replaced(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return "${" + name + "}"
            if name in own:
                return _text(self.resolve(own[name], depth + 1))
            found = self._ref(name)
            if found == UNKNOWN and "." in name:
                found = self._attribute(name, depth)
            return _text(found)

        return self._bounded(_VARIABLE.sub(replaced, _literal(parts[0])))

    def _join(self, argument: Any, depth: int) -> str:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            return UNKNOWN
        items = self.resolve(argument[1], depth + 1)
        if not isinstance(items, list):
            return UNKNOWN
        return self._bounded(_literal(argument[0]).join(map(_text, items)))

    def _if(self, argument: Any, depth: int) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            return UNKNOWN
        name = argument[0]
        truth = self._condition(name, depth) if isinstance(name, str) else None
        chosen = self.resolve(argument[2 if truth is False else 1], depth + 1)
        if truth is None and chosen is NO_VALUE:
            return self.resolve(argument[2], depth + 1)
        return chosen

    def _select(self, argument: Any, depth: int) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            return UNKNOWN
        index, items = (self.resolve(each, depth + 1) for each in argument)
        if not isinstance(items, list) or not str(index).isdecimal() or len(str(index)) > 6:
            return UNKNOWN
        return items[int(index)] if int(index) < len(items) else UNKNOWN

    def _split(self, argument: Any, depth: int) -> Any:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            return UNKNOWN
        text = self.resolve(argument[1], depth + 1)
        if not isinstance(text, str) or not argument[0] or UNKNOWN in text:
            return UNKNOWN
        return text.split(argument[0])

    def _find_in_map(self, argument: Any, depth: int) -> Any:
        if not isinstance(argument, list) or len(argument) < 3:
            return UNKNOWN
        found: Any = self._mappings
        for key in argument[:3]:
            name = self.resolve(key, depth + 1)
            found = found.get(_text(name)) if isinstance(found, dict) else None
        if found is None and len(argument) > 3:
            found = _mapping(argument[3]).get("DefaultValue")
        return UNKNOWN if found is None else self.resolve(found, depth + 1)

    def _length(self, argument: Any, depth: int) -> Any:
        items = self.resolve(argument, depth + 1)
        return len(items) if isinstance(items, list) else UNKNOWN

    def _condition(self, name: str, depth: int) -> bool | None:
        if name not in self._known_conditions:
            self._known_conditions[name] = None  # for those that name each other
            self._known_conditions[name] = self._truth(self._conditions.get(name), depth + 1)
        return self._known_conditions[name]

    def _truth(self, value: Any, depth: int) -> bool | None:
        """True, False, or None where it depends on what is not known."""
        if depth > MAX_DEPTH or not isinstance(value, dict) or len(value) != 1:
            return value if isinstance(value, bool) else None
        ((name, argument),) = value.items()
        if name == "Condition" and isinstance(argument, str):
            return self._condition(argument, depth)
        if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            pair = [_text(self.resolve(each, depth + 1)) for each in argument]
            return None if any(UNKNOWN in each for each in pair) else pair[0] == pair[1]
        if not isinstance(argument, list) or not argument:
            return None
        parts = [self._truth(each, depth + 1) for each in argument]
        return _combined(name, parts)

    def _bounded(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            raise InvalidTemplate(self._file, f"a text becomes longer than {MAX_TEXT:,} characters")
        return text


def _combined(name: str, parts: list[bool | None]) -> bool | None:
    match name:
        case "Fn::Not":
            return None if parts[0] is None else not parts[0]
        case "Fn::And":
            return False if False in parts else None if None in parts else True
        case "Fn::Or":
            return True if True in parts else None if None in parts else False
    return None


def _parameter_values(declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are given, else defaults; of a parameter in Systems Manager the value is not known."""
    values: dict[str, Any] = {}
    for name, definition in declared.items():
        about = _mapping(definition)
        kind = str(about.get("Type", ""))
        value = given.get(name, about.get("Default"))
        if value is None or (kind.startswith(SSM_TYPE) and name not in given):
            values[name] = UNKNOWN
        elif "List<" in kind or kind == "CommaDelimitedList":
            values[name] = [_literal(each.strip()) for each in str(value).split(",")]
        else:
            values[name] = _literal(_text(value))
    return values


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _literal(text: str) -> str:
    return _DYNAMIC.sub(UNKNOWN, text.translate(_RESERVED))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else UNKNOWN
