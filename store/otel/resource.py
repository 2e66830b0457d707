"""A resource: the service of all spans below it, where it runs, and its node."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from store.otel.attributes import Attributes, read_attributes, text, texts
from store.otel.semconv import ECS_ORIGINS, ORIGINS
from store.rules.deployed import ENVIRONMENT_KEYS, environment_of, version_of
from store.rules.identity import (
    CallNode,
    arn_account,
    arn_region,
    region_name,
    segment_node,
    zone_region,
)
from store.rules.namespaces import full_name
from store.short_cache import short_cache

MAX_NAME = 200
_ARNS = (
    "aws.ecs.task.arn",
    "aws.ecs.container.arn",
    "aws.ecs.cluster.arn",
    "aws.log.group.arns",
)
VERSION_KEYS = ("faas.version", "service.version", "container.image.tag")
BROWSER = "webjs"
UNKNOWN = "unknown_service"
"""What OpenTelemetry calls a service that was given no name."""


class Resource(Struct, frozen=True, gc=False):
    """A resource, read once for all of its spans. Empty text: unknown."""

    service: str
    account: str
    region: str
    origin: str
    instance_id: str
    availability_zone: str
    arn: str
    version: str
    environment: str
    attributes: Attributes
    namespace: str = ""
    document_name: str = ""
    """The service, if it may be the name of one X-Ray document (`_document_name`)."""
    language: str = ""
    """Of the SDK; `BROWSER` where a page's scripts are."""

    @property
    def full_name(self) -> str:
        """The name of the service's node."""
        return full_name(self.namespace, self.service, self.origin)


def read_resource(pairs: Iterable[KeyValue]) -> Resource:
    """The resource with these attributes."""
    return resource_of(read_attributes(pairs))


def resource_of(attributes: Attributes) -> Resource:
    """The same of plain values."""
    on_aws = is_aws(attributes)
    has_place = on_aws and (is_ec2(attributes) or is_ecs(attributes))
    arn = text(attributes, "cloud.resource_id", "faas.id")
    service = text(attributes, "aws.local.service", "service.name")[:MAX_NAME] or UNKNOWN
    return Resource(
        service=service,
        account=_account(attributes, arn) if on_aws else arn_account(arn),
        region=_region(attributes, arn) if on_aws else arn_region(arn),
        origin=origin_of(attributes),
        instance_id=text(attributes, "host.id") if on_aws else "",
        availability_zone=text(attributes, "cloud.availability_zone") if has_place else "",
        arn=arn if arn.startswith("arn:") else "",
        version=version_of((arn,), *(text(attributes, key) for key in VERSION_KEYS)),
        environment=environment_of(*(text(attributes, key) for key in ENVIRONMENT_KEYS)),
        attributes=attributes,
        namespace=text(attributes, "service.namespace")[:MAX_NAME],
        document_name=_document_name(service, attributes),
        language=text(attributes, "telemetry.sdk.language"),
    )


def _document_name(service: str, attributes: Attributes) -> str:
    """The service of a resource like those that the Collector's X-Ray receiver makes: it is the name of a
    document, also of a subsegment that was sent by itself."""
    by_sdk = "telemetry.sdk.name" in attributes
    provider = text(attributes, "cloud.provider")
    return service if not by_sdk and provider in ("aws", "unknown") else ""


def _account(attributes: Attributes, resource_arn: str) -> str:
    """The account named, or that of an ARN of the service, its ECS task or its logs."""
    account = text(attributes, "cloud.account.id")
    arns = _arns(attributes, resource_arn)
    return account or next(filter(None, map(arn_account, arns)), "")


def _region(attributes: Attributes, resource_arn: str) -> str:
    """The region named, or that of an ARN as for the account, or of the availability zone."""
    return (
        region_name(text(attributes, "cloud.region", "aws.region"))
        or next(filter(None, map(arn_region, _arns(attributes, resource_arn))), "")
        or zone_region(text(attributes, "cloud.availability_zone"))
    )


def _arns(attributes: Attributes, resource_arn: str) -> tuple[str, ...]:
    return (resource_arn, *[arn for key in _ARNS for arn in texts(attributes, key)])


def origin_of(attributes: Attributes) -> str:
    """X-Ray's origin for what the service runs on (docs/xray-format.md §11.1), or the like on another cloud.

    ``aws.xray.origin`` is Raymap's: the origin of an exported X-Ray document, possibly none.
    """
    if "aws.xray.origin" in attributes:
        return text(attributes, "aws.xray.origin")
    named = text(attributes, "cloud.platform") or _unnamed_platform(attributes)
    platform = named.replace(".", "_")  # azure_aks was renamed azure.aks
    if not platform.startswith(text(attributes, "cloud.provider")):
        return ""
    if platform == "aws_ecs":
        launch_type = text(attributes, "aws.ecs.launchtype").lower()
        return ECS_ORIGINS.get(launch_type, "AWS::ECS::Container")
    return ORIGINS.get(platform, "")


def _unnamed_platform(attributes: Attributes) -> str:
    """OpenTelemetry's layer for Python names AWS and the function, but not the platform."""
    is_function = attributes.get("cloud.provider") == "aws" and text(attributes, "faas.name")
    return "aws_lambda" if is_function else ""


def is_aws(attributes: Attributes) -> bool:
    """Whether it runs on AWS, as far as is known."""
    return text(attributes, "cloud.provider") in ("", "aws")


def is_ec2(attributes: Attributes) -> bool:
    """Whether the resource is a machine with an id."""
    return attributes.get("cloud.platform") == "aws_ec2" or bool(text(attributes, "host.id"))


def is_ecs(attributes: Attributes) -> bool:
    """Whether the resource is an ECS task."""
    return attributes.get("cloud.platform") == "aws_ecs"


@short_cache(16_384)
def service_node(
    name: str, origin: str, account: str, region: str, namespace: str = ""
) -> CallNode:
    """The node of a service's segments, and the service's name."""
    full = full_name(namespace, name, origin)
    found = segment_node(full, origin=origin, aws={"account_id": account, "region": region})
    return CallNode(found.node, name)
