"""Key attributes: by what Application Signals names a service or what it depends on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api.errors import ApiError
from api.request import JsonBody

Json = Mapping[str, Any]
SERVICE, REMOTE, RESOURCE = "Service", "RemoteService", "AWS::Resource"
_ENVIRONMENTS = {
    "AWS::Lambda": "lambda",
    "AWS::Lambda::Function": "lambda",
    "AWS::ECS::Container": "ecs",
    "AWS::ECS::Fargate": "ecs",
    "AWS::EKS::Container": "eks",
    "AWS::EC2::Instance": "ec2",
}
ENVIRONMENTS = sorted(f"{each}:default" for each in {*_ENVIRONMENTS.values(), "generic"})
"""All that services can have."""
_PLATFORMS = {
    "lambda": "AWS::Lambda",
    "ecs": "AWS::ECS",
    "eks": "AWS::EKS",
    "ec2": "AWS::EC2",
    "generic": "Generic",
}


def is_service(node: Json) -> bool:
    """Whether a node reported itself: what only its callers know is what they depend on."""
    return bool(node["state"] == "active") and node["type"] != "client"


def key_attributes(node: Json) -> dict[str, str]:
    """Of a service, a resource of AWS, or anything else that is called."""
    if is_service(node):
        return {"Type": SERVICE, "Name": node["name"], "Environment": _environment(node)}
    if node["type"].startswith("AWS::"):
        return {"Type": RESOURCE, "ResourceType": node["type"], "Identifier": node["name"]}
    return {"Type": REMOTE, "Name": node["name"]}


def attribute_maps(node: Json) -> list[dict[str, str]]:
    """Where a service runs."""
    platform = _PLATFORMS[_environment(node).partition(":")[0]]
    known = {"PlatformType": platform, "AWS.AccountId": node["account"], "Region": node["region"]}
    return [{name: value for name, value in known.items() if value}]


def _environment(node: Json) -> str:
    """As CloudWatch's agent names it where nothing more is known: ``lambda:default``."""
    return f"{_ENVIRONMENTS.get(node['type'], 'generic')}:default"


def named(body: JsonBody, services: Iterable[Any]) -> Iterator[Json]:
    """The nodes that the key attributes of a request name. ApiError (400) for attributes of another kind."""
    given = body.inner("KeyAttributes")
    if given is None:
        raise ApiError("KeyAttributes is missing: an object with Type, Name and Environment")
    type, name = given.required_text("Type"), given.required_text("Name", most=1024)
    environment = given.text("Environment")
    if type != SERVICE:
        raise ApiError(f"KeyAttributes.Type must be {SERVICE}, got {type[:60]!r}")
    return nodes_of(services, name, environment)


def nodes_of(services: Iterable[Any], name: str, environment: str) -> Iterator[Json]:
    """The nodes that report themselves by a name in an environment ('': any)."""
    for node in services:
        if not is_service(node) or name not in node["names"]:
            continue
        if environment in ("", _environment(node)):
            yield node
