"""Tags of groups and sampling rules (docs/xray-format.md §9.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.xray.arn import group_arn, rule_arn
from api.xray.changes import change, not_found
from api.xray.paging import paged
from store.config import records
from store.config.protocol import Change, Configuration
from store.config.records import Group, SamplingRule, Tags

MAX_TAGS = 50
MAX_LISTED = 200
"""Elements of a list of tags in a request."""
MAX_KEY, MAX_VALUE, MAX_ARN = 128, 256, 1011
PAGE = 200
_TEXT = re.compile(r"[\w +\-=.:/@]*")
_ALWAYS = frozenset((group_arn("Default"), rule_arn("Default")))


def from_body(body: JsonBody, name: str, *, required: bool) -> dict[str, str]:
    """Tags by key. ApiError for what is no valid tag."""
    if not required and not body.has(name):
        return {}
    found: dict[str, str] = {}
    for at, tag in enumerate(body.objects(name, most=MAX_LISTED)):
        key = tag.required_text("Key", most=MAX_KEY)
        value = tag.text("Value", most=MAX_VALUE)
        if not tag.has("Value"):
            raise ApiError(f"{name}[{at}].Value is missing; expected a string")
        for text in (key, value):
            if not _TEXT.fullmatch(text):
                raise ApiError(
                    f"{name}[{at}] may have letters, digits, spaces and + - = . _ : / @, got {text!r}"
                )
        if key.lower().startswith("aws:"):
            raise ApiError(f"{name}[{at}].Key: the prefix aws: is reserved, got {key!r}")
        if key in found:
            raise ApiError(f"{name}[{at}].Key: {key!r} is there twice")
        found[key] = value
    return found


def initial(arn: str, values: Mapping[str, str]) -> list[Change]:
    """The change that tags a new resource."""
    return [records.put(arn, Tags(arn, _limited(arn, values)))] if values else []


def removal(configuration: Configuration, arn: str) -> list[Change]:
    """The change that removes the tags of a resource."""
    return [records.remove(arn, Tags)] if tags_of(configuration, arn) else []


def tags_of(configuration: Configuration, arn: str) -> dict[str, str]:
    """Tags of a resource by key."""
    known = records.read(configuration, Tags).get(arn)
    return known.values if known else {}


def tag_resource(context: Context, body: JsonBody) -> dict[str, Any]:
    """TagResource: adds tags and replaces those with the same keys."""
    arn = body.required_text("ResourceARN", most=MAX_ARN)
    given = from_body(body, "Tags", required=True)

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        _require(configuration, arn)
        values = _limited(arn, {**tags_of(configuration, arn), **given})
        return None, [records.put(arn, Tags(arn, values))] if given else []

    change(context, decide)
    return {}


def untag_resource(context: Context, body: JsonBody) -> dict[str, Any]:
    """UntagResource: keys that are not there are ignored."""
    arn = body.required_text("ResourceARN", most=MAX_ARN)
    keys = set(body.texts("TagKeys"))
    if len(body.texts("TagKeys")) > MAX_LISTED:
        raise ApiError(f"TagKeys may have {MAX_LISTED} elements")
    for key in keys:
        if not 1 <= len(key) <= MAX_KEY:
            raise ApiError(f"TagKeys: a key has 1 to {MAX_KEY} characters, got {len(key)}")

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        _require(configuration, arn)
        known = tags_of(configuration, arn)
        values = {key: value for key, value in known.items() if key not in keys}
        if values == known:
            return None, []
        return None, [records.put(arn, Tags(arn, values)) if values else records.remove(arn, Tags)]

    change(context, decide)
    return {}


def list_tags_for_resource(context: Context, body: JsonBody) -> dict[str, Any]:
    """ListTagsForResource, in order of key."""
    arn = body.required_text("ResourceARN", most=MAX_ARN)
    configuration = context.store.read_configuration()
    _require(configuration, arn)
    return paged(
        "Tags",
        sorted(tags_of(configuration, arn).items()),
        body,
        key=lambda tag: tag[0],
        size=PAGE,
        render=lambda tag: {"Key": tag[0], "Value": tag[1]},
    )


def _require(configuration: Configuration, arn: str) -> None:
    groups = {group.arn for group in records.read(configuration, Group).values()}
    rules = {rule_arn(name) for name in records.read(configuration, SamplingRule)}
    if arn not in _ALWAYS | groups | rules:
        raise not_found(f"ResourceARN: there is no group or sampling rule {arn!r}", arn)


def _limited(arn: str, values: Mapping[str, str]) -> dict[str, str]:
    if len(values) > MAX_TAGS:
        raise ApiError(
            f"{arn} may have {MAX_TAGS} tags, would have {len(values)}",
            code="TooManyTags",
            members={"ResourceName": arn},
        )
    return dict(sorted(values.items()))
