"""Sampling rules and groups are copied, and what exists is left alone unless it is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.app import create_app
from raymap.commands.import_settings import Copied, copy_settings
from raymap.commands.import_source import SourceError, SourceOptions, XraySource
from store.memory import MemoryStore
from tests.http_server import serve
from tests.xray_client import xray_client

RULE = {
    "RuleName": "checkout",
    "ResourceARN": "*",
    "Priority": 5,
    "FixedRate": 0.5,
    "ReservoirSize": 3,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "POST",
    "URLPath": "/checkout/*",
    "Version": 1,
    "Attributes": {"tenant": "gold"},
}


FEW = 3
"""Groups that a server takes here."""


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The URLs of a source with a rule, a changed Default and two groups, and of an empty target."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    source, target = (create_app(MemoryStore(), version="1", max_groups=FEW) for _ in range(2))
    with serve(source) as at, serve(target) as to:
        client = xray_client(at)
        client.create_sampling_rule(SamplingRule=RULE)
        client.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", "FixedRate": 0.05})
        client.create_group(GroupName="slow", FilterExpression="responsetime > 5")
        client.create_group(
            GroupName="failing",
            FilterExpression="fault",
            InsightsConfiguration={"InsightsEnabled": True, "NotificationsEnabled": False},
        )
        yield at, to


def copy(ends: tuple[str, str], *, overwrite: bool = False) -> tuple[Copied, Copied]:
    source = XraySource(SourceOptions(region="us-east-1", endpoint_url=ends[0], rate=1000))
    rules, groups = copy_settings(source, ends[1], overwrite=overwrite)
    return rules, groups


def settings_of(url: str) -> tuple[Any, Any]:
    client = xray_client(url)
    rules = [each["SamplingRule"] for each in client.get_sampling_rules()["SamplingRuleRecords"]]
    groups = client.get_groups()["Groups"]
    for each in groups:
        each.pop("GroupARN")
    return rules, groups


def test_settings_are_copied_and_default_is_left_alone(ends: tuple[str, str]) -> None:
    rules, groups = copy(ends)
    assert (rules.created, rules.left_alone) == (["checkout"], ["Default"])
    assert (sorted(groups.created), groups.same) == (["failing", "slow"], ["Default"])
    assert rules.lines() == [
        "sampling rules: 1 created",
        "  left alone, --overwrite replaces: Default",
    ]
    source, target = settings_of(ends[0]), settings_of(ends[1])
    assert target[0][0] == source[0][0]
    assert target[1] == source[1]


def test_overwriting_makes_them_equal_and_is_then_idle(ends: tuple[str, str]) -> None:
    copy(ends)
    client = xray_client(ends[0])
    client.update_sampling_rule(SamplingRuleUpdate={"RuleName": "checkout", "FixedRate": 0.9})
    client.update_group(GroupName="slow", FilterExpression="responsetime > 9")
    rules, groups = copy(ends)
    assert (sorted(rules.left_alone), groups.left_alone) == (["Default", "checkout"], ["slow"])
    rules, groups = copy(ends, overwrite=True)
    assert (sorted(rules.replaced), groups.replaced) == (["Default", "checkout"], ["slow"])
    assert settings_of(ends[0]) == settings_of(ends[1])
    rules, groups = copy(ends, overwrite=True)
    assert (len(rules.same), len(groups.same)) == (2, 3)


def tags_of(url: str) -> dict[str, dict[str, str]]:
    client = xray_client(url)
    records = client.get_sampling_rules()["SamplingRuleRecords"]
    arns = {r["SamplingRule"]["RuleName"]: r["SamplingRule"]["RuleARN"] for r in records}
    arns |= {each["GroupName"]: each["GroupARN"] for each in client.get_groups()["Groups"]}
    listed = {
        name: client.list_tags_for_resource(ResourceARN=arn)["Tags"] for name, arn in arns.items()
    }
    return {
        name: {tag["Key"]: tag["Value"] for tag in tags} for name, tags in listed.items() if tags
    }


def tag(url: str, name: str, **tags: str) -> None:
    client = xray_client(url)
    found = [g["GroupARN"] for g in client.get_groups()["Groups"] if g["GroupName"] == name]
    rules = [r["SamplingRule"] for r in client.get_sampling_rules()["SamplingRuleRecords"]]
    found += [rule["RuleARN"] for rule in rules if rule["RuleName"] == name]
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    client.tag_resource(ResourceARN=found[0], Tags=given)


def test_tags_are_copied_and_others_there_stay(ends: tuple[str, str]) -> None:
    tag(ends[0], "checkout", team="payments", stage="prod")
    tag(ends[0], "slow", team="web")
    rules, groups = copy(ends)
    assert (rules.tags, groups.tags) == (2, 1)
    assert "sampling rules: 1 created, 2 tags" in rules.lines()
    assert tags_of(ends[1]) == tags_of(ends[0])
    tag(ends[1], "slow", team="ours", own="yes")
    assert [each.tags for each in copy(ends)] == [0, 0]
    assert tags_of(ends[1])["slow"] == {"team": "ours", "own": "yes"}
    assert [each.tags for each in copy(ends, overwrite=True)] == [0, 1]
    assert tags_of(ends[1])["slow"] == {"team": "web", "own": "yes"}


def test_tags_that_may_not_be_read_cost_themselves_only(
    ends: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: XraySource, arn: str) -> dict[str, str]:
        raise SourceError("not permitted")

    monkeypatch.setattr(XraySource, "tags", refused)
    rules, _ = copy(ends)
    assert rules.created == ["checkout"]
    assert rules.failed == {"tags": "not permitted"}


def test_a_refused_setting_costs_itself_only(ends: tuple[str, str]) -> None:
    target = xray_client(ends[1])
    for number in range(FEW):
        target.create_group(GroupName=f"g{number}", FilterExpression="fault")
    rules, groups = copy(ends)
    assert rules.created == ["checkout"]
    assert sorted(groups.failed) == ["failing", "slow"]
    assert f"there are {FEW} groups, which is the limit" in groups.lines()[1]


def test_without_a_server_each_kind_says_so(ends: tuple[str, str]) -> None:
    for kind in copy((ends[0], "http://127.0.0.1:9")):
        assert list(kind.failed) == ["all"]
        assert "No Raymap answers at http://127.0.0.1:9" in kind.lines()[1]
