"""CreateSamplingRule, UpdateSamplingRule, DeleteSamplingRule as boto3 sees them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

Json = dict[str, Any]
RULE: Json = {
    "RuleName": "checkout",
    "ResourceARN": "*",
    "Priority": 100,
    "FixedRate": 0.05,
    "ReservoirSize": 3,
    "ServiceName": "shop*",
    "ServiceType": "AWS::ECS::?ontainer",
    "Host": "*",
    "HTTPMethod": "POST",
    "URLPath": "/checkout/*",
    "Version": 1,
    "Attributes": {"tier": "gold"},
}
ARN = "arn:aws:xray:local:000000000000:sampling-rule/"


def rules(xray: Any) -> list[Json]:
    records = xray.get_sampling_rules()["SamplingRuleRecords"]
    return [record["SamplingRule"] for record in records]


def test_a_rule_is_returned_as_it_was_given(xray: Any) -> None:
    boost = {"MaxRate": 0.5, "CooldownWindowMinutes": 3}
    made = xray.create_sampling_rule(SamplingRule=RULE | {"SamplingRateBoost": boost})
    record = made["SamplingRuleRecord"]
    assert record["SamplingRule"] == RULE | {
        "RuleARN": ARN + "checkout",
        "SamplingRateBoost": boost,
    }
    assert record["CreatedAt"] == record["ModifiedAt"]
    assert rules(xray)[0] == record["SamplingRule"]


def test_rules_come_in_the_order_in_which_clients_try_them(xray: Any) -> None:
    for name, priority in (("c", 9999), ("b", 7), ("a", 7)):
        rule = RULE | {"RuleName": name, "Priority": priority}
        xray.create_sampling_rule(SamplingRule=rule)
    assert [rule["RuleName"] for rule in rules(xray)] == ["a", "b", "c", "Default"]


def test_an_update_changes_what_it_names(xray: Any) -> None:
    xray.create_sampling_rule(SamplingRule=RULE)
    update = {"RuleARN": ARN + "checkout", "Host": "example.com", "Attributes": {}}
    changed = xray.update_sampling_rule(SamplingRuleUpdate=update)["SamplingRuleRecord"]
    expected = RULE | {"Host": "example.com", "Attributes": {}, "RuleARN": ARN + "checkout"}
    assert changed["SamplingRule"] == expected
    assert changed["ModifiedAt"] >= changed["CreatedAt"]


def test_a_deleted_rule_is_returned_and_gone(xray: Any) -> None:
    xray.create_sampling_rule(SamplingRule=RULE)
    gone = xray.delete_sampling_rule(RuleName="checkout")["SamplingRuleRecord"]
    assert gone["SamplingRule"]["RuleName"] == "checkout"
    assert len(rules(xray)) == 1
    with pytest.raises(xray.exceptions.InvalidRequestException, match="no sampling rule"):
        xray.delete_sampling_rule(RuleARN=ARN + "checkout")


def test_default_has_limits_of_its_own(xray: Any) -> None:
    update = {"RuleName": "Default", "FixedRate": 0.25, "ReservoirSize": 9}
    changed = xray.update_sampling_rule(SamplingRuleUpdate=update)["SamplingRuleRecord"]
    assert changed["SamplingRule"]["FixedRate"] == 0.25
    assert rules(xray)[0]["ReservoirSize"] == 9
    for member, value in (("Host", "x"), ("Priority", 3), ("Attributes", {"a": "b"})):
        with pytest.raises(xray.exceptions.InvalidRequestException, match="of the rule Default"):
            xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", member: value})
    with pytest.raises(xray.exceptions.InvalidRequestException, match="cannot be deleted"):
        xray.delete_sampling_rule(RuleName="Default")
    with pytest.raises(xray.exceptions.InvalidRequestException, match="already"):
        xray.create_sampling_rule(SamplingRule=RULE | {"RuleName": "Default"})


def test_names_are_unique(xray: Any) -> None:
    xray.create_sampling_rule(SamplingRule=RULE)
    with pytest.raises(xray.exceptions.InvalidRequestException, match="'checkout' already"):
        xray.create_sampling_rule(SamplingRule=RULE | {"Priority": 5})


def test_there_are_25_rules_besides_default(xray: Any) -> None:
    for number in range(25):
        xray.create_sampling_rule(SamplingRule=RULE | {"RuleName": f"r{number}"})
    with pytest.raises(xray.exceptions.RuleLimitExceededException, match="25 sampling rules"):
        xray.create_sampling_rule(SamplingRule=RULE)
    assert len(rules(xray)) == 26


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Priority": 10_000}, "Priority must lie between 1 and 9999"),
        ({"FixedRate": 1.5}, "FixedRate must lie between 0 and 1"),
        ({"ReservoirSize": 2**31}, "ReservoirSize must lie between 0"),
        ({"Version": 2}, "Version must be 1"),
        ({"RuleName": "x" * 33}, "RuleName must have at most 32 characters"),
        ({"RuleName": "a\nb"}, "printable"),
        ({"RuleARN": ARN + "checkout"}, "either RuleName or RuleARN"),
        ({"ServiceName": "x" * 65}, "ServiceName must have at most 64"),
        ({"ServiceType": "x" * 65}, "ServiceType must have at most 64"),
        ({"Host": ""}, "Host is missing"),
        ({"Host": "x" * 65}, "Host must have at most 64"),
        ({"HTTPMethod": "x" * 11}, "HTTPMethod must have at most 10"),
        ({"URLPath": "x" * 129}, "URLPath must have at most 128"),
        ({"ResourceARN": "x" * 501}, "ResourceARN must have at most 500"),
        ({"Attributes": {str(n): "x" for n in range(6)}}, "Attributes may have 5"),
        ({"Attributes": {"a": "x" * 33}}, "1 to 32 characters"),
        ({"SamplingRateBoost": {"MaxRate": 1.1, "CooldownWindowMinutes": 1}}, "MaxRate must lie"),
        ({"SamplingRateBoost": {"MaxRate": 1, "CooldownWindowMinutes": 1441}}, "Cooldown"),
    ],
)
def test_limits_of_the_model(xray: Any, change: Json, said: str) -> None:
    with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
        xray.create_sampling_rule(SamplingRule=RULE | change)
    assert len(rules(xray)) == 1


@pytest.mark.parametrize("member", sorted(RULE.keys() - {"RuleName", "Attributes"}))
def test_required_members(xray: Any, address: str, member: str) -> None:
    body = {"SamplingRule": {key: value for key, value in RULE.items() if key != member}}
    response = requests.post(f"{address}/CreateSamplingRule", json=body, timeout=10)
    assert response.status_code == 400
    assert f"SamplingRule.{member} is missing" in response.json()["Message"]
