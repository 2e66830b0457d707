"""The template of deploy/aws: its references, roles and documents, and what of the server it relies on.

cfn-lint checks it against CloudFormation's schemas (deploy/check.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from collector.decode.metrics.cloudwatch_names import resource_of
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.http_routers import http_routers
from raymap.cli import app
from store.memory import MemoryStore

AWS = Path(__file__).resolve().parents[2] / "deploy" / "aws"
PSEUDO = {"AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::StackName"}
RECEIVERS = {"/firehose/logs": "LogStream", "/firehose/metrics": "MetricDelivery"}


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads ``!Ref x`` as ``{"Ref": x}``."""


def _function(loader: Any, suffix: str, node: Any) -> Any:
    construct = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda each: loader.construct_sequence(each, deep=True),
        yaml.MappingNode: lambda each: loader.construct_mapping(each, deep=True),
    }[type(node)]
    return {suffix: construct(node)}


Loader.add_multi_constructor("!", _function)


@pytest.fixture(scope="module")
def template() -> Any:
    return yaml.load((AWS / "raymap.yaml").read_text(), Loader)


def found(value: Any, function: str) -> Iterator[Any]:
    """The arguments of every use of a function."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == function:
                yield each
            yield from found(each, function)
    elif isinstance(value, list):
        for each in value:
            yield from found(each, function)


def named(value: Any) -> set[str]:
    """What a value refers to: parameters, resources and attributes as ``Resource.Attribute``."""
    names = {*found(value, "Ref"), *found(value, "GetAtt"), *found(value, "DependsOn")}
    for each in found(value, "Sub"):
        text, local = each if isinstance(each, list) else (each, {})
        names |= set(re.findall(r"\$\{([^!}]+)\}", text)) - set(local)
    return names


def conditions(value: Any) -> set[str]:
    used = [*found(value, "Condition"), *(each[0] for each in found(value, "If"))]
    return {each for each in used if isinstance(each, str)}  # a policy's Condition is an object


def substituted(template: Any, value: Any, **parameters: str) -> str:
    """A text of the template; what is known only when it is deployed is x."""
    text, local = value["Sub"] if isinstance(value["Sub"], list) else (value["Sub"], {})
    values = {**parameters, "AWS::StackName": "raymap"}
    for name, each in local.items():
        separator, of = each["Join"]
        values[name] = separator.join(parameters[of["Ref"]].split(","))
    return re.sub(r"\$\{([^}]+)\}", lambda match: values.get(match[1], "x"), text)


def test_a_command_prints_it() -> None:
    """Where a wheel was installed, which has no deploy folder (test_wheel.py)."""
    assert CliRunner().invoke(app, ["aws", "template"]).stdout == (AWS / "raymap.yaml").read_text()


def test_whatever_is_referred_to_exists(template: Any) -> None:
    known = {*template["Parameters"], *template["Resources"], *PSEUDO}
    used = named(template["Resources"]) | named(template["Outputs"]) | named(template["Conditions"])
    assert {each.partition(".")[0] for each in used} <= known
    assert set(template["Parameters"]) <= used
    assert conditions(template["Resources"]) == set(template["Conditions"])


def test_what_may_be_missing_is_referred_to_under_its_condition(template: Any) -> None:
    resources = template["Resources"]
    some = {name: each["Condition"] for name, each in resources.items() if "Condition" in each}
    for name, resource in resources.items():
        for target in {each.partition(".")[0] for each in named(resource)} & some.keys():
            inside = {each[0] for each in found(resource, "If") if target in str(each[1])}
            assert some[target] in {resource.get("Condition"), *inside}, (name, target)
    assert not some.keys() & {each.partition(".")[0] for each in named(template["Outputs"])}


def test_the_key_is_shown_nowhere(template: Any) -> None:
    assert template["Parameters"]["RaymapKey"]["NoEcho"] is True
    assert "Default" not in template["Parameters"]["RaymapKey"]
    assert list(found(template, "AccessKey")) == [{"Ref": "RaymapKey"}] * len(RECEIVERS)
    assert sum("RaymapKey" in str(each) for each in found(template["Resources"], "Ref")) == 2
    assert "RaymapKey" not in str(template["Outputs"])


def test_it_delivers_to_receivers_of_the_server(template: Any, tmp_path: Path) -> None:
    """With failures to the bucket; the address is one that Firehose takes."""
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=IngestMetrics(CollectorRegistry()))
    paths = {route.path for router in http_routers(pipeline) for route in router.routes}  # type: ignore[attr-defined]
    for path, name in RECEIVERS.items():
        to = template["Resources"][name]["Properties"]["HttpEndpointDestinationConfiguration"]
        assert to["EndpointConfiguration"]["Url"] == {"Sub": "${RaymapUrl}" + path}
        assert path in paths
        assert to["RequestConfiguration"] == {"ContentEncoding": "GZIP"}
        assert to["S3BackupMode"] == "FailedDataOnly"
        assert to["BufferingHints"]["SizeInMBs"] * 1.5 < 32, (
            "base64, within what a request may have"
        )
    pattern = template["Parameters"]["RaymapUrl"]["AllowedPattern"]
    assert re.fullmatch(pattern, "https://raymap.example.com")
    for wrong in ("http://raymap.example.com", "https://raymap:2000", "https://raymap/", "raymap"):
        assert not re.fullmatch(pattern, wrong)


def test_roles_may_do_what_they_have_to(template: Any) -> None:
    """For one service each, and to resources of the stack."""
    roles = [e for e in template["Resources"].values() if e["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 3
    allowed = set()
    for role in roles:
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = trust["Principal"]["Service"]
        assert service.endswith(".amazonaws.com")
        assert ("AWS::AccountId" in str(trust.get("Condition"))) is (
            service == "logs.amazonaws.com"
        )
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                allowed |= {actions} if isinstance(actions, str) else set(actions)
                resource = str(statement["Resource"])
                assert any(
                    each in resource
                    for each in ("FailedBucket", "Stream", "MetricDelivery", "kinesisfirehose/")
                )
    assert not {each for each in allowed if "*" in each or "Delete" in each}


def test_subscriptions_are_valid_and_never_feed_themselves(template: Any) -> None:
    """Each group is delivered once, and what Firehose logs of its deliveries not at all."""
    resources = template["Resources"]
    policy = resources["LogSubscription"]["Properties"]
    pattern = "%REPORT|platform.report|platform.start%"
    document = json.loads(substituted(template, policy["PolicyDocument"], LogFilter=pattern))
    assert document["FilterPattern"] == pattern
    assert set(document) == {"DestinationArn", "RoleArn", "FilterPattern"}
    assert re.fullmatch(template["Parameters"]["LogFilter"]["AllowedPattern"], pattern)
    assert not re.fullmatch(template["Parameters"]["LogFilter"]["AllowedPattern"], '?"REPORT"')
    selection = substituted(template, policy["SelectionCriteria"], ExcludedLogGroups="a,/b")
    operator, _, names = selection.rpartition(" NOT IN ")
    excluded = json.loads(names)
    assert operator == "LogGroupName"
    assert excluded[-2:] == ["a", "/b"]
    own = resources["DeliveryErrors"]["Properties"]["LogGroupName"]
    assert {
        substituted(template, own),
        resources["SpanSubscription"]["Properties"]["LogGroupName"],
    } <= set(excluded)
    spans = json.loads(
        substituted(template, resources["SpansPolicy"]["Properties"]["PolicyDocument"])
    )
    assert spans["Statement"][0]["Action"] == "logs:PutLogEvents"
    assert "TransactionSearch" in str(resources["SpanSubscription"]["Properties"]["FilterName"])


def test_the_metrics_are_those_of_nodes(template: Any) -> None:
    choices = template["Resources"]["MetricStream"]["Properties"]["IncludeFilters"]["If"][1:]
    dimensions = (
        "FunctionName",
        "TableName",
        "QueueName",
        "TopicName",
        "StreamName",
        "StateMachineArn",
        "BucketName",
    )
    for namespaces in ([each["Namespace"] for each in choice] for choice in choices):
        for namespace in namespaces:
            assert any(resource_of(namespace, {each: "x"}) for each in dimensions), namespace
    assert len(choices[0]) == len(dimensions)


@pytest.mark.parametrize("api", ["Rest", "Http", "WebSocket"])
def test_access_log_formats_are_json(template: Any, api: str) -> None:
    text = template["Outputs"][f"AccessLogFormat{api}"]["Value"]
    assert "\n" not in text
    entry = json.loads(re.sub(r'(?<!")\$context\.error\.messageString', '"-"', text))
    assert {
        "requestId",
        "requestTimeEpoch",
        "accountId",
        "apiId",
        "stage",
        "status",
    } <= entry.keys()
    assert ("xrayTraceId" in entry) is (api != "Http")
    assert all(re.fullmatch(r"\$context(\.\w+)+|-", each) for each in entry.values())


@pytest.mark.parametrize("api", ["Rest", "Http", "WebSocket"])
def test_the_documentation_has_the_formats(template: Any, api: str) -> None:
    text = (AWS.parents[1] / "docs" / "access-logs.md").read_text()
    given = template["Outputs"][f"AccessLogFormat{api}"]["Value"]
    assert f"\n{given.replace(', ', ',')}\n" in text


def test_terraform_deploys_the_same(template: Any) -> None:
    text = (AWS / "terraform" / "main.tf").read_text()
    (path,) = re.findall(r'file\("\$\{path\.module\}/([^"]+)"\)', text)
    assert (AWS / "terraform" / path).resolve() == AWS / "raymap.yaml"
    given = re.findall(r"(\w+) = var\.", re.findall(r"parameters +=(.*)", text)[0])
    assert {name for name, each in template["Parameters"].items() if "Default" not in each} == set(
        given
    )
    assert set(re.findall(r'outputs\["(\w+)"\]', text)) <= template["Outputs"].keys()
    assert re.search(r'variable "key" \{[^}]*sensitive +=  *true', text)
    assert len((AWS / "raymap.yaml").read_bytes()) <= 51_200, (
        "the largest that can be given in a request"
    )
