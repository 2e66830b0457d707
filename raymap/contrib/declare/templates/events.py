"""Event sources, subscriptions, rules and integrations → who invokes whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from raymap.contrib.declare.templates.intrinsics import mentions, texts
from raymap.contrib.declare.templates.stack import Properties, Stack
from store.declared.identity import BUS, FUNCTION, TABLE
from store.declared.model import Evidence


def _join(stack: Stack, sources: list[str], targets: list[str]) -> None:
    for source in sources:
        for target in targets:
            stack.call(source, target, Evidence.EVENT)


def _polled(stack: Stack, id: str, given: Properties) -> None:
    """AWS::Lambda::EventSourceMapping."""
    source = _text(given, "EventSourceArn")
    if source:
        functions = stack.targets_as(FUNCTION, _text(given, "FunctionName"))
        _join(stack, stack.targets(source), functions)


def _permitted(stack: Stack, id: str, given: Properties) -> None:
    """AWS::Lambda::Permission: the service that may invoke, and the resource in whose name."""
    functions = stack.targets_as(FUNCTION, _text(given, "FunctionName"))
    _join(stack, stack.targets(_text(given, "SourceArn")), functions)


def _subscribed(stack: Stack, id: str, given: Properties) -> None:
    """AWS::SNS::Subscription."""
    _join(stack, stack.targets(_text(given, "TopicArn")), stack.targets(_text(given, "Endpoint")))


def _topic(stack: Stack, id: str, given: Properties) -> None:
    for each in _mappings(given.get("Subscription")):
        _join(stack, [id], stack.targets(_text(each, "Endpoint")))


def _bucket(stack: Stack, id: str, given: Properties) -> None:
    """Notifications; those by EventBridge come from its rules."""
    notified = given.get("NotificationConfiguration")
    configuration = notified if isinstance(notified, dict) else {}
    for kind, member in (("Lambda", "Function"), ("Queue", "Queue"), ("Topic", "Topic")):
        for each in _mappings(configuration.get(f"{kind}Configurations")):
            _join(stack, [id], stack.targets(_text(each, member)))


def _rule(stack: Stack, id: str, given: Properties) -> None:
    """AWS::Events::Rule: from the bus, unless a schedule or a service of AWS sends the events."""
    pattern = given.get("EventPattern")
    if not isinstance(pattern, dict):
        return
    sources = [each for each in _list(pattern.get("source")) if isinstance(each, str)]
    if sources and all(each.startswith("aws.") for each in sources):
        return
    bus = _text(given, "EventBusName") or "default"
    for target in _mappings(given.get("Targets")):
        _join(stack, stack.targets_as(BUS, bus), stack.targets(_text(target, "Arn")))


def _pipe(stack: Stack, id: str, given: Properties) -> None:
    """AWS::Pipes::Pipe."""
    sources = stack.targets(_text(given, "Source"))
    _join(stack, sources, stack.targets(_text(given, "Target")))
    _join(stack, sources, stack.targets(_text(given, "Enrichment")))


def _rest_api(stack: Stack, id: str, given: Properties) -> None:
    """What the integrations in an OpenAPI document call."""
    _integrations(stack, [id], given.get("Body"))


def _method(stack: Stack, id: str, given: Properties) -> None:
    """AWS::ApiGateway::Method and AWS::ApiGatewayV2::Integration."""
    api = _text(given, "RestApiId") or _text(given, "ApiId")
    _integrations(stack, [one for one, _ in mentions(api)], given)


def _integrations(stack: Stack, apis: list[str], document: object) -> None:
    """The resources that an API's integrations mention anywhere, as in request templates."""
    stages = [stage for api in apis for stage in stack.owners(api)]
    for text in texts(document):
        mentioned = [owner for id, _ in mentions(text) for owner in stack.owners(id)]
        found = mentioned or (stack.targets(text) if ":lambda:path/" in text else [])
        _join(stack, stages, [target for target in found if target not in stages])


def _data_source(stack: Stack, id: str, given: Properties) -> None:
    """AWS::AppSync::DataSource."""
    apis = stack.targets(_text(given, "ApiId"))
    for member, name, type in (
        ("LambdaConfig", "LambdaFunctionArn", FUNCTION),
        ("DynamoDBConfig", "TableName", TABLE),
    ):
        configuration = given.get(member)
        if isinstance(configuration, dict):
            _join(stack, apis, stack.targets_as(type, _text(configuration, name)))


def _destinations(stack: Stack, id: str, given: Properties) -> None:
    """AWS::Lambda::EventInvokeConfig."""
    functions = stack.targets_as(FUNCTION, _text(given, "FunctionName"))
    configuration = given.get("DestinationConfig")
    for outcome in ("OnSuccess", "OnFailure"):
        each = configuration.get(outcome) if isinstance(configuration, dict) else None
        for target in stack.targets(_text(each, "Destination")) if isinstance(each, dict) else ():
            deliver(stack, functions, target, failures=outcome == "OnFailure")


def deliver(stack: Stack, functions: list[str], target: str, *, failures: bool) -> None:
    """What Lambda itself sends on for a function."""
    for function in functions:
        stack.call(function, target, Evidence.DELIVERY)
    if failures:
        stack.change(target, dead_letter=True)


def _queue(stack: Stack, id: str, given: Properties) -> None:
    """The dead-letter queue of a queue."""
    policy = given.get("RedrivePolicy")
    if isinstance(policy, dict):
        for dead in stack.targets(_text(policy, "deadLetterTargetArn")):
            stack.change(dead, dead_letter=True)


Adder = Callable[[Stack, str, Properties], None]
ADDERS: Mapping[str, Adder] = {
    "AWS::Lambda::EventSourceMapping": _polled,
    "AWS::Lambda::Permission": _permitted,
    "AWS::Lambda::EventInvokeConfig": _destinations,
    "AWS::SNS::Subscription": _subscribed,
    "AWS::SNS::Topic": _topic,
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::Events::Rule": _rule,
    "AWS::Pipes::Pipe": _pipe,
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGatewayV2::Api": _rest_api,
    "AWS::ApiGateway::Method": _method,
    "AWS::ApiGatewayV2::Integration": _method,
    "AWS::AppSync::DataSource": _data_source,
}
"""By CloudFormation's type; properties are resolved."""


def add_environment(stack: Stack, function: str, given: Properties) -> None:
    """The resources that a function's environment variables name."""
    environment = given.get("Environment")
    variables = environment.get("Variables") if isinstance(environment, dict) else None
    for value in variables.values() if isinstance(variables, dict) else ():
        if isinstance(value, str):
            for id, _ in mentions(value):
                for target in stack.owners(id):
                    stack.call(function, target, Evidence.ENVIRONMENT)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]
