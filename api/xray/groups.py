"""Groups: named filter expressions (docs/xray-format.md §9.1)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.xray import tags
from api.xray.arn import group_arn
from api.xray.changes import change
from store.config import records
from store.config.protocol import Change, Configuration
from store.config.records import MAX_VERSIONS, Group
from store.filters.ast import Compare, Expression, OneOf, walk
from store.filters.errors import FilterError
from store.filters.groups import expand_groups
from store.filters.keywords import GROUP_KEYWORDS
from store.filters.parse import parse, parse_with_positions
from store.model import TimeRange

Json = dict[str, Any]

MAX_NAME, MAX_ARN = 32, 400
DEFAULT = Group("Default", group_arn("Default"))
"""The group of all traces."""
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def all_groups(configuration: Configuration) -> dict[str, Group]:
    """Groups by name, Default among them."""
    return {DEFAULT.name: DEFAULT, **records.read(configuration, Group)}


class _Expressions(Mapping[str, Expression | None]):
    """Expressions of all groups by name and ARN, parsed when read: there may be a thousand. None: every
    trace belongs to the group."""

    def __init__(self, configuration: Configuration) -> None:
        groups = all_groups(configuration).values()
        self._texts = {key: each.expression for each in groups for key in (each.name, each.arn)}

    def __getitem__(self, key: str) -> Expression | None:
        return _parsed(self._texts[key])

    def __contains__(self, key: object) -> bool:
        return key in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def filter_of(context: Context, text: str) -> Expression | None:
    """A FilterExpression with its groups replaced; None for an empty one."""
    try:
        return read_filter(text, context.store.read_configuration)
    except FilterError as error:
        raise ApiError(f"FilterExpression: {error}") from None


def read_filter(text: str, configuration: Callable[[], Configuration]) -> Expression | None:
    """An expression with its groups replaced, None for a blank text. Raises FilterError.

    ``configuration`` is read only if the expression names a group.
    """
    if not text.strip():
        return None
    expression, positions = parse_with_positions(text)
    if not any(_names_group(each) for each in walk(expression)):
        return expression
    return expand_groups(expression, _Expressions(configuration()), positions)


def requested_group(context: Context, body: JsonBody, *, required: bool = False) -> Group:
    """The group that GroupName or GroupARN name, Default if neither is there."""
    if not required and not body.text("GroupName") and not body.text("GroupARN"):
        return DEFAULT
    return find_group(context.store.read_configuration(), body)


def contains_old_versions(group: Group, window: TimeRange) -> bool:
    """Whether the group's expression changed within a window: at its start it was another."""
    return any(window.start < at for at in group.versions)


def get_groups(context: Context, body: JsonBody) -> Json:
    """GetGroups: all groups in one page; Grafana uses it as a health check."""
    groups = sorted(
        all_groups(context.store.read_configuration()).values(),
        key=lambda group: (group.name != DEFAULT.name, group.name),
    )
    return {"Groups": [render(group) for group in groups]}


def get_group(context: Context, body: JsonBody) -> Json:
    """GetGroup: one group, by its name or ARN."""
    return {"Group": render(requested_group(context, body, required=True))}


def create_group(context: Context, body: JsonBody) -> Json:
    """CreateGroup: a name for the traces that match a filter expression."""
    name = body.required_text("GroupName", most=MAX_NAME)
    if not _NAME.fullmatch(name):
        raise ApiError(f"GroupName may have letters, digits, - and _, got {name!r}")
    group = Group(name, group_arn(name, secrets.token_hex(13).upper()))
    group = _with_insights(replace(group, expression=_expression(body) or ""), body)
    labels = tags.from_body(body, "Tags", required=False)

    def decide(configuration: Configuration, _: int) -> tuple[Group, list[Change]]:
        groups = all_groups(configuration)
        if name in groups:
            raise ApiError(f"GroupName: there is a group {name!r} already")
        if len(groups) > context.max_groups:
            raise ApiError(
                f"there are {context.max_groups} groups, which is the limit (--max-groups): delete some"
            )
        return group, [records.put(name, group), *tags.initial(group.arn, labels)]

    return {"Group": render(change(context, decide))}


def update_group(context: Context, body: JsonBody) -> Json:
    """UpdateGroup: of Default only the insights."""
    expression = _expression(body)

    def decide(configuration: Configuration, now: int) -> tuple[Group, list[Change]]:
        group = find_group(configuration, body)
        made = _with_insights(group, body)
        if expression is not None and expression != group.expression:
            if group.name == DEFAULT.name:
                raise ApiError("FilterExpression: the group Default contains every trace")
            versions = (*group.versions, now)[-MAX_VERSIONS:]
            made = replace(made, expression=expression, versions=versions)
        return made, [records.put(made.name, made)] if made != group else []

    return {"Group": render(change(context, decide))}


def delete_group(context: Context, body: JsonBody) -> Json:
    """DeleteGroup: the group and its tags."""

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        group = find_group(configuration, body)
        if group.name == DEFAULT.name:
            raise ApiError("the group Default cannot be deleted")
        return None, [records.remove(group.name, Group), *tags.removal(configuration, group.arn)]

    change(context, decide)
    return {}


def find_group(configuration: Configuration, body: JsonBody) -> Group:
    """The group that GroupName, GroupARN or both name."""
    name, arn = body.text("GroupName", most=MAX_NAME), body.text("GroupARN", most=MAX_ARN)
    if not name and not arn:
        raise ApiError("GroupName or GroupARN is missing; expected one of them")
    for group in all_groups(configuration).values():
        if name in ("", group.name) and arn in ("", group.arn):
            return group
    wanted = " and ".join(repr(text) for text in (name, arn) if text)
    raise ApiError(f"{'GroupName' if name else 'GroupARN'}: there is no group {wanted}")


def render(group: Group) -> Json:
    """Group and GroupSummary."""
    rendered: Json = {"GroupName": group.name, "GroupARN": group.arn}
    if group.expression:
        rendered["FilterExpression"] = group.expression
    rendered["InsightsConfiguration"] = {
        "InsightsEnabled": group.insights,
        "NotificationsEnabled": group.notifications,
    }
    return rendered


def _expression(body: JsonBody) -> str | None:
    """FilterExpression, None when absent. ApiError with the position of what is wrong in it."""
    if not body.has("FilterExpression"):
        return None
    text = body.text("FilterExpression").strip()
    try:
        parsed = _parsed(text)
    except FilterError as error:
        raise ApiError(f"FilterExpression: {error}") from None
    if parsed is not None and any(_names_group(each) for each in walk(parsed)):
        raise ApiError("FilterExpression: a group cannot be defined by groups")
    return text


def _parsed(text: str) -> Expression | None:
    return parse(text) if text else None


def _names_group(expression: Expression) -> bool:
    return isinstance(expression, Compare | OneOf) and expression.field.keyword in GROUP_KEYWORDS


def _with_insights(group: Group, body: JsonBody) -> Group:
    given = body.inner("InsightsConfiguration")
    if given is None:
        return group
    insights = given.flag("InsightsEnabled") if given.has("InsightsEnabled") else group.insights
    notifications = (
        given.flag("NotificationsEnabled")
        if given.has("NotificationsEnabled")
        else group.notifications
    )
    if notifications and not insights:
        raise ApiError("InsightsConfiguration.NotificationsEnabled requires InsightsEnabled")
    return replace(group, insights=insights, notifications=notifications)
