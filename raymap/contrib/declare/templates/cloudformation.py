"""A CloudFormation template → what its stack declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raymap.contrib.declare.templates import events
from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.contrib.declare.templates.intrinsics import UNKNOWN, Resolver, mentions, pattern
from raymap.contrib.declare.templates.policies import Policies
from raymap.contrib.declare.templates.stack import Stack
from raymap.contrib.declare.templates.state_machines import add_tasks, read_definition
from raymap.contrib.declare.templates.tree import Tree
from store.declared.identity import (
    BUCKET,
    BUS,
    FIREHOSE,
    FUNCTION,
    GRAPHQL,
    HTTP_API,
    MACHINE,
    QUEUE,
    STAGE,
    STREAM,
    TABLE,
    TOPIC,
)
from store.declared.model import MAX_RESOURCES, Resource, Tracing

Resolved = Mapping[str, Mapping[str, Any]]
"""By id: ``Type``, and ``Properties`` with intrinsics resolved."""

_NAMES = {
    FUNCTION: "FunctionName",
    TABLE: "TableName",
    QUEUE: "QueueName",
    TOPIC: "TopicName",
    BUCKET: "BucketName",
    STREAM: "Name",
    FIREHOSE: "DeliveryStreamName",
    BUS: "Name",
    MACHINE: "StateMachineName",
    GRAPHQL: "Name",
    HTTP_API: "Name",
}
"""The property with the name of a resource."""
_SAME = {"AWS::DynamoDB::GlobalTable": TABLE}
_OF_FUNCTION = ("AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::Lambda::Url")
_REST_API, _DEPLOYMENT = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment"


def check_resources(tree: Tree, file: str) -> None:
    """Refuse what is no resource. Raises InvalidTemplate."""
    resources = tree.root.get("Resources")
    if not isinstance(resources, dict) or not resources:
        line = tree.lines.get(("Resources",))
        raise InvalidTemplate(file, "Resources must be a mapping of resources", line)
    for id, resource in resources.items():
        line = tree.lines.get(("Resources", id))
        if not isinstance(resource, dict):
            raise InvalidTemplate(file, f"the resource {id[:100]} must be a mapping", line)
        if not isinstance(resource.get("Type"), str):
            raise InvalidTemplate(file, f"the resource {id[:100]} has no Type", line)
        if not isinstance(resource.get("Properties"), dict | None):
            line = tree.lines.get(("Resources", id, "Properties"), line)
            raise InvalidTemplate(file, f"Properties of {id[:100]} must be a mapping", line)


def resolve_resources(template: Mapping[str, Any], resolver: Resolver) -> Resolved:
    """The resources that are made under the template's conditions. Raises InvalidTemplate."""
    found: dict[str, Mapping[str, Any]] = {}
    for id, resource in template["Resources"].items():
        if resolver.is_active(resource.get("Condition")):
            type, resolved = resource["Type"], resolver.resolve(resource.get("Properties") or {})
            properties = resolved if isinstance(resolved, dict) else {}
            found[id] = {"Type": _SAME.get(type, type), "Properties": properties}
    return found


def add_stack(stack: Stack, resources: Resolved, file: str) -> None:
    """Add resources and calls of a template. Raises InvalidTemplate."""
    for id, each in resources.items():
        if each["Type"] in _NAMES:
            stack.add(_resource(id, each["Type"], each["Properties"]))
    _add_stages(stack, resources)
    if len(stack.resources) > MAX_RESOURCES:
        raise InvalidTemplate(file, f"it declares more than {MAX_RESOURCES:,} resources")
    for id, each in resources.items():
        if each["Type"] in _OF_FUNCTION:
            name = _first(each["Properties"], "FunctionName", "TargetFunctionArn")
            stack.aliases[id] = tuple(stack.targets_as(FUNCTION, name))
    for id, each in resources.items():
        if adder := events.ADDERS.get(each["Type"]):
            adder(stack, id, each["Properties"])
    policies = Policies(stack, resources)
    for id, each in resources.items():
        if each["Type"] == FUNCTION:
            _add_function(stack, policies, id, each["Properties"])
        elif each["Type"] == MACHINE:
            _add_machine(stack, policies, id, each["Properties"])


def _resource(id: str, type: str, properties: Mapping[str, Any]) -> Resource:
    name = _first(properties, _NAMES[type])
    return Resource(id, type, pattern(name)[:300], tracing=_tracing(type, properties))


def _tracing(type: str, properties: Mapping[str, Any]) -> Tracing:
    match type:
        case "AWS::Lambda::Function":
            settings = properties.get("TracingConfig")
            active = isinstance(settings, dict) and settings.get("Mode") == "Active"
        case "AWS::StepFunctions::StateMachine":
            settings = properties.get("TracingConfiguration")
            active = isinstance(settings, dict) and _is_true(settings.get("Enabled"))
        case "AWS::ApiGateway::Stage":
            active = _is_true(properties.get("TracingEnabled"))
        case "AWS::AppSync::GraphQLApi":
            active = _is_true(properties.get("XrayEnabled"))
        case _:
            return Tracing.NONE
    return Tracing.ON if active else Tracing.OFF


def _is_true(value: object) -> bool:
    return value is True or value == "true"


def _add_stages(stack: Stack, resources: Resolved) -> None:
    """A REST API is on the map by its stages, ``name/stage``."""
    by_api: dict[str, list[str]] = {}
    for id, each in resources.items():
        if each["Type"] == STAGE:
            api, stage = (
                _first(each["Properties"], "RestApiId"),
                each["Properties"].get("StageName"),
            )
            of = [one for one, _ in mentions(api) if one in resources]
            name = _api_name(resources, of[0]) if of else UNKNOWN
            named = pattern(f"{name}/{stage if isinstance(stage, str) else UNKNOWN}")[:300]
            stack.add(Resource(id, STAGE, named, tracing=_tracing(STAGE, each["Properties"])))
            for one in of:
                by_api.setdefault(one, []).append(id)
    for id, each in resources.items():
        if each["Type"] == _REST_API and id not in by_api:
            stage = _deployed_stage(resources, id)
            name = pattern(f"{_api_name(resources, id)}/{stage}")[:300]
            stack.add(Resource(id, STAGE, name, tracing=Tracing.OFF))
            by_api[id] = [id]
    stack.aliases.update({api: tuple(stages) for api, stages in by_api.items()})


def _api_name(resources: Resolved, api: str) -> str:
    properties = resources[api]["Properties"]
    name = _first(properties, "Name")
    body = properties.get("Body")
    info = body.get("info") if isinstance(body, dict) else None
    return name or (_first(info, "title") if isinstance(info, dict) else "") or UNKNOWN


def _deployed_stage(resources: Resolved, api: str) -> str:
    """The stage that a deployment makes of an API without any other."""
    for each in resources.values():
        if each["Type"] == _DEPLOYMENT:
            of = mentions(_first(each["Properties"], "RestApiId"))
            if any(id == api for id, _ in of):
                return _first(each["Properties"], "StageName") or UNKNOWN
    return UNKNOWN


def _add_function(stack: Stack, policies: Policies, id: str, given: Mapping[str, Any]) -> None:
    dead = given.get("DeadLetterConfig")
    if isinstance(dead, dict):
        for target in stack.targets(_first(dead, "TargetArn")):
            events.deliver(stack, [id], target, failures=True)
    policies.allow(id, given.get("Role"))
    events.add_environment(stack, id, given)


def _add_machine(stack: Stack, policies: Policies, id: str, given: Mapping[str, Any]) -> None:
    """The definition says what a state machine calls; without it, its policies do."""
    substitutions = given.get("DefinitionSubstitutions")
    pairs = substitutions.items() if isinstance(substitutions, dict) else ()
    texts = {name: value for name, value in pairs if isinstance(value, str)}
    definition = read_definition(given.get("DefinitionString") or given.get("Definition"), texts)
    if definition is None:
        stack.note(f"{id}: its definition is not in the template, or no JSON; its policies count")
    else:
        add_tasks(stack, id, definition, texts)
    policies.allow(id, given.get("RoleArn"), only_unrestricted=definition is not None)


def _first(given: Mapping[str, Any], *names: str) -> str:
    return next((given[name] for name in names if isinstance(given.get(name), str)), "")
