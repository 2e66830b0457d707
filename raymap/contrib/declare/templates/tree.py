"""YAML or JSON → plain values, without trusting it: sizes, depth and aliases are bounded before anything is expanded.

CloudFormation's short intrinsics (``!Ref``, ``!Sub``) become their long forms. Plain scalars are typed as in
YAML 1.2's JSON schema and CloudFormation's documentation: dates and numbers with leading zeros (accounts) remain text.
"""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.errors import CommandError

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 4_000_000
"""CloudFormation takes 1 MB; a template with code inline is longer before it is packaged."""
MAX_VALUES = 300_000
"""Values of a file with all aliases expanded; a long text counts for several."""
MAX_DEPTH = 100
TEXT_UNIT = 64
"""Characters of a text that count as one value."""
LINES_DEPTH = 3
"""How deep the lines of keys are known: ``Resources``, a resource, its properties."""

Path = tuple[str, ...]
_WITHOUT_PREFIX = ("Ref", "Condition")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}


class Tree(NamedTuple):
    """The value of a file, and the lines of its keys by path, as far as they are known."""

    root: Any
    lines: Mapping[Path, int]


def parse_file(path: pathlib.Path) -> Tree:
    """The value in a file. Raises InvalidTemplate, and CommandError if it cannot be read."""
    return parse_tree(_text_of(path), path.name)


def _text_of(path: pathlib.Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidTemplate(path.name, "it is not UTF-8", line) from None
    except OSError as error:
        raise CommandError(f"Cannot read {path}: {error.strerror}.") from None


def parse_tree(text: str, file: str) -> Tree:
    """The value in a file's text. Raises InvalidTemplate."""
    if len(text) > MAX_BYTES:
        raise InvalidTemplate(file, f"it has more than {MAX_BYTES:,} characters")
    if file.endswith(".json") or text.lstrip()[:1] == "{":
        try:
            return Tree(_bounded(json.loads(text), file), {})
        except json.JSONDecodeError as error:
            if file.endswith(".json"):
                raise InvalidTemplate(file, f"not JSON: {error.msg}", error.lineno) from None
        except RecursionError:
            raise _too_deep(file, None) from None
        except ValueError as error:
            raise InvalidTemplate(file, f"not JSON: {error}") from None
    return _parse_yaml(text, file)


def _bounded(root: Any, file: str) -> Any:
    rest, count = [(root, 1)], 0
    while rest:
        value, depth = rest.pop()
        count += _size(value)
        if count > MAX_VALUES:
            raise _too_many(file, None)
        if depth > MAX_DEPTH:
            raise _too_deep(file, None)
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            rest.extend((each, depth + 1) for each in inner)
    return root


def _size(value: Any) -> int:
    return 1 + len(value) // TEXT_UNIT if isinstance(value, str) else 1


def _too_many(file: str, line: int | None) -> InvalidTemplate:
    return InvalidTemplate(file, f"with its aliases it has more than {MAX_VALUES:,} values", line)


def _too_deep(file: str, line: int | None) -> InvalidTemplate:
    return InvalidTemplate(file, f"nested deeper than {MAX_DEPTH} levels", line)


def _parse_yaml(text: str, file: str) -> Tree:
    try:
        import yaml
    except ImportError:
        raise InvalidTemplate(
            file, 'reading YAML needs PyYAML: pip install "raymap[sam]"'
        ) from None
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(file, yaml)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise InvalidTemplate(
            file, f"not YAML: {problem}", mark.line + 1 if mark else None
        ) from None
    except yaml.YAMLError as error:
        raise InvalidTemplate(file, f"not YAML: {' '.join(str(error).split())[:200]}") from None
    return Tree(builder.root, builder.lines)


@dataclass
class _Frame:
    """A mapping or sequence that is not complete yet."""

    value: dict[str, Any] | list[Any]
    tag: str | None
    anchor: str | None
    line: int
    path: Path | None
    key: str | None = None
    size: int = 1
    height: int = 1
    merged: list[Any] = field(default_factory=list)


class _Anchor(NamedTuple):
    value: Any
    size: int
    height: int


class _Builder:
    """Builds a value of parser events, without recursion."""

    def __init__(self, file: str, yaml_module: Any) -> None:
        self.root: Any = None
        self.lines: dict[Path, int] = {}
        self._file = file
        self._yaml = yaml_module
        self._open: list[_Frame] = []
        self._anchors: dict[str, _Anchor] = {}
        self._total = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """One event of the parser."""
        yaml, line = self._yaml, event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise InvalidTemplate(self._file, "a second YAML document; expected one", line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin({}, event, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin([], event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, line)

    def _begin(self, value: dict[str, Any] | list[Any], event: Any, line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _too_deep(self._file, line)
        self._count(1, line)
        parent = self._open[-1] if self._open else None
        if parent and isinstance(parent.value, dict) and parent.key is None:
            raise InvalidTemplate(self._file, "a key must be text", line)
        self._open.append(_Frame(value, event.tag, event.anchor, line, self._path(parent)))

    @staticmethod
    def _path(parent: _Frame | None) -> Path | None:
        if parent is None:
            return ()
        if parent.path is None or parent.key is None or len(parent.path) >= LINES_DEPTH:
            return None
        return (*parent.path, parent.key)

    def _end(self) -> None:
        frame = self._open.pop()
        value: Any = frame.value
        for more in frame.merged:
            value = {**more, **value}
        value = _tagged(frame.tag, value)
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchor(value, frame.size, frame.height)
        self._add(value, frame.size, frame.height, frame.line)

    def _scalar(self, event: Any, line: int) -> None:
        parent = self._open[-1] if self._open else None
        if parent and isinstance(parent.value, dict) and parent.key is None:
            self._key(parent, event, line)
            return
        plain = event.implicit[0] and event.tag is None
        value = _tagged(event.tag, _typed(event.value) if plain else event.value)
        size = _size(event.value)
        self._count(size, line)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(value, size, 1)
        self._add(value, size, 1, line)

    def _key(self, parent: _Frame, event: Any, line: int) -> None:
        parent.key = event.value
        parent.size += _size(event.value)
        self._count(_size(event.value), line)
        if parent.path is not None and len(parent.path) < LINES_DEPTH:
            self.lines[(*parent.path, event.value)] = line

    def _alias(self, name: str, line: int) -> None:
        anchor = self._anchors.get(name)
        if anchor is None:
            raise InvalidTemplate(
                self._file, f"*{name[:60]} names no anchor that is complete before it", line
            )
        self._count(anchor.size, line)
        if len(self._open) + anchor.height > MAX_DEPTH:
            raise _too_deep(self._file, line)
        self._add(_copied(anchor.value), anchor.size, anchor.height, line)

    def _count(self, size: int, line: int) -> None:
        self._total += size
        if self._total > MAX_VALUES:
            raise _too_many(self._file, line)

    def _add(self, value: Any, size: int, height: int, line: int) -> None:
        if not self._open:
            self.root = value
            return
        parent = self._open[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            raise InvalidTemplate(self._file, "a key must be text", line)
        elif parent.key == "<<":
            self._merge(parent, value, line)
        else:
            parent.value[parent.key] = value
        parent.key = None

    def _merge(self, parent: _Frame, value: Any, line: int) -> None:
        several = value if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in several):
            raise InvalidTemplate(self._file, "<< must have a mapping, or a list of them", line)
        parent.merged.extend(several)


def _copied(value: Any) -> Any:
    """Values of their own for an alias: they may be changed apart."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _typed(text: str) -> Any:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _tagged(tag: str | None, value: Any) -> Any:
    """The long form of an intrinsic; other tags, as ``!!str``, are passed over."""
    if tag is None or not tag.startswith("!") or len(tag) == 1:
        return value
    name = tag[1:]
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in _WITHOUT_PREFIX else f"Fn::{name}": value}
