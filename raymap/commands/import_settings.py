"""Sampling rules and groups of X-Ray, with their tags → a running server.

What exists there under the same name is left alone unless it is to be overwritten. The rule and the
group Default exist everywhere; of the rule only rate and reservoir may change. Tags are added; a key with another value there stays likewise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from raymap.commands.import_source import XraySource
from raymap.commands.server import post
from raymap.errors import CommandError

Json = dict[str, Any]
DEFAULT = "Default"
ASSIGNED = ("RuleARN", "GroupARN", "Version")
"""Members that the server assigns, or that say nothing of the setting."""
MEANINGLESS: tuple[object, ...] = (
    "",
    {},
    {"InsightsEnabled": False, "NotificationsEnabled": False},
)
DEFAULT_RULE_MEMBERS = ("RuleName", "FixedRate", "ReservoirSize")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of setting and X-Ray's operations on it."""

    title: str
    name: str
    arn: str
    created: str
    updated: str
    of: Callable[[str], list[Json]]
    body: Callable[[Json, bool], Json]


@dataclass(slots=True)
class Copied:
    """What became of the settings of one kind, by their names."""

    title: str
    created: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    tags: int = 0
    """Tags that were added or replaced."""
    failed: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """For people: a summary, what was left alone, and each failure."""
        counts = {"created": self.created, "replaced": self.replaced, "as they were": self.same}
        parts = [f"{len(names)} {what}" for what, names in counts.items() if names]
        parts += [f"{self.tags} tags"] if self.tags else []
        found = [f"{self.title}: {', '.join(parts) or 'none copied'}"]
        if self.left_alone:
            names = ", ".join(self.left_alone)
            found.append(f"  left alone, --overwrite replaces: {names}")
        return found + [f"  not copied: {name}: {why}" for name, why in self.failed.items()]


def copy_settings(source: XraySource, to: str, *, overwrite: bool) -> list[Copied]:
    """Copy all of them. A failure costs one setting, or one kind of them when it cannot be read."""
    reads = {"sampling rules": source.sampling_rules, "groups": source.groups}
    copied = []
    for kind in KINDS:
        of_kind, wanted = _copy_kind(kind, reads[kind.title], to, overwrite)
        copied.append(of_kind)
        try:
            _copy_tags(source, kind, wanted, to, overwrite, of_kind)
        except CommandError as error:
            of_kind.failed["tags"] = str(error)
    return copied


def _copy_kind(
    kind: Kind, read: Callable[[], list[Json]], to: str, overwrite: bool
) -> tuple[Copied, list[Json]]:
    """What became of the settings of a kind, and those of the source that are there now."""
    copied = Copied(kind.title)
    try:
        existing = {each[kind.name]: each for each in kind.of(to)}
        wanted = read()
    except CommandError as error:
        copied.failed["all"] = str(error)
        return copied, []
    for setting in wanted:
        name = setting[kind.name]
        try:
            _copy(kind, to, setting, existing.get(name), overwrite, copied)
        except CommandError as error:
            copied.failed[name] = str(error)
    return copied, [setting for setting in wanted if setting[kind.name] not in copied.failed]


def _copy_tags(
    source: XraySource, kind: Kind, settings: list[Json], to: str, overwrite: bool, copied: Copied
) -> None:
    arns = {each[kind.name]: each[kind.arn] for each in kind.of(to)} if settings else {}
    for setting in settings:
        wanted = source.tags(setting[kind.arn])
        if not wanted:
            continue
        arn = arns[setting[kind.name]]
        listed = _call(to, "/ListTagsForResource", {"ResourceARN": arn})["Tags"]
        there = {tag["Key"]: tag["Value"] for tag in listed}
        new = {
            key: value
            for key, value in wanted.items()
            if key not in there or (overwrite and there[key] != value)
        }
        if new:
            tags = [{"Key": key, "Value": value} for key, value in new.items()]
            _call(to, "/TagResource", {"ResourceARN": arn, "Tags": tags})
            copied.tags += len(new)


def _copy(
    kind: Kind, to: str, setting: Json, existing: Json | None, overwrite: bool, copied: Copied
) -> None:
    name = setting[kind.name]
    if existing is None:
        _call(to, kind.created, kind.body(setting, False))
        copied.created.append(name)
    elif _meaning(setting) == _meaning(existing):
        copied.same.append(name)
    elif overwrite:
        _call(to, kind.updated, kind.body(setting, True))
        copied.replaced.append(name)
    else:
        copied.left_alone.append(name)


def _members(setting: Mapping[str, Any]) -> Json:
    """A setting without what the server assigns; of the rule Default what may change."""
    members = [key for key in setting if key not in ASSIGNED]
    if setting.get("RuleName") == DEFAULT:
        members = [*DEFAULT_RULE_MEMBERS]
    return {key: setting[key] for key in members if setting.get(key) is not None}


def _meaning(setting: Mapping[str, Any]) -> Json:
    """The same without members that mean as much as their absence."""
    return {key: value for key, value in _members(setting).items() if value not in MEANINGLESS}


def _rule_body(rule: Json, update: bool) -> Json:
    if update:
        return {"SamplingRuleUpdate": _members(rule)}
    return {"SamplingRule": {**_members(rule), "Version": 1}}


def _group_body(group: Json, update: bool) -> Json:
    return _members(group)


def _rules_of(to: str) -> list[Json]:
    records = _call(to, "/GetSamplingRules", {})["SamplingRuleRecords"]
    return [record["SamplingRule"] for record in records]


def _groups_of(to: str) -> list[Json]:
    groups: list[Json] = _call(to, "/Groups", {})["Groups"]
    return groups


def _call(to: str, path: str, body: Json) -> Any:
    return json.loads(post(to, path, json.dumps(body).encode()))


KINDS = (
    Kind(
        "sampling rules",
        "RuleName",
        "RuleARN",
        "/CreateSamplingRule",
        "/UpdateSamplingRule",
        _rules_of,
        _rule_body,
    ),
    Kind(
        "groups", "GroupName", "GroupARN", "/CreateGroup", "/UpdateGroup", _groups_of, _group_body
    ),
)
