"""The node of a span's service, by its resource (docs/opentelemetry.md, "What a span becomes")."""

from __future__ import annotations

from typing import NamedTuple

from store.model import NodeKey
from store.second_decoder.attributes import Attributes, names, text
from store.second_decoder.places import read_arn, region_of_zone, region_or_nothing

PLATFORMS = {
    # cloud.platform, its dots as underscores: (origin, cloud.provider)
    "aws_app_runner": ("AWS::AppRunner::Service", "aws"),
    "aws_ec2": ("AWS::EC2::Instance", "aws"),
    "aws_ecs": ("AWS::ECS::Container", "aws"),
    "aws_eks": ("AWS::EKS::Container", "aws"),
    "aws_elastic_beanstalk": ("AWS::ElasticBeanstalk::Environment", "aws"),
    "aws_lambda": ("AWS::Lambda::Function", "aws"),
    "alibaba_cloud_ecs": ("Alibaba::ECS", "alibaba_cloud"),
    "alibaba_cloud_fc": ("Alibaba::FunctionCompute", "alibaba_cloud"),
    "azure_aks": ("Azure::AKS", "azure"),
    "azure_app_service": ("Azure::AppService", "azure"),
    "azure_container_apps": ("Azure::ContainerApps", "azure"),
    "azure_container_instances": ("Azure::ContainerInstances", "azure"),
    "azure_functions": ("Azure::Functions", "azure"),
    "azure_vm": ("Azure::VirtualMachine", "azure"),
    "gcp_agent_engine": ("GCP::AgentEngine", "gcp"),
    "gcp_app_engine": ("GCP::AppEngine", "gcp"),
    "gcp_cloud_functions": ("GCP::CloudFunctions", "gcp"),
    "gcp_cloud_run": ("GCP::CloudRun", "gcp"),
    "gcp_compute_engine": ("GCP::ComputeEngine", "gcp"),
    "gcp_kubernetes_engine": ("GCP::KubernetesEngine", "gcp"),
    "tencent_cloud_cvm": ("Tencent::CVM", "tencent_cloud"),
    "tencent_cloud_eks": ("Tencent::EKS", "tencent_cloud"),
    "tencent_cloud_scf": ("Tencent::ServerlessCloudFunction", "tencent_cloud"),
}
ARNS = ("aws.ecs.task.arn", "aws.ecs.container.arn", "aws.ecs.cluster.arn", "aws.log.group.arns")
MOST_NAME = 200
UNKNOWN = "unknown_service"
"""What OpenTelemetry calls a service without a name."""
LAUNCH_TYPES = {"fargate": "AWS::ECS::Fargate", "ec2": "AWS::ECS::EC2"}


class Place(NamedTuple):
    """An account and a region, '' where unknown."""

    account: str
    region: str


def place_of(resource: Attributes) -> Place:
    """Where a service runs. On another cloud an ARN alone says it."""
    own = read_arn(text(resource, "cloud.resource_id", "faas.id"))
    if text(resource, "cloud.provider") not in ("", "aws"):
        return Place(own.account, own.region)
    arns = [own, *(read_arn(arn) for key in ARNS for arn in names(resource, key))]
    account = text(resource, "cloud.account.id")
    region = region_or_nothing(text(resource, "cloud.region", "aws.region"))
    return Place(
        account or next((arn.account for arn in arns if arn.account), ""),
        region
        or next((arn.region for arn in arns if arn.region), "")
        or region_of_zone(text(resource, "cloud.availability_zone")),
    )


def origin_of(resource: Attributes) -> str:
    """What a service runs on."""
    if "aws.xray.origin" in resource:
        return text(resource, "aws.xray.origin")
    provider, platform = text(resource, "cloud.provider"), text(resource, "cloud.platform")
    if not platform and provider == "aws" and text(resource, "faas.name"):
        platform = "aws_lambda"
    origin, cloud = PLATFORMS.get(platform.replace(".", "_"), ("", ""))
    if provider and provider != cloud:
        return ""
    if platform == "aws_ecs":
        return LAUNCH_TYPES.get(text(resource, "aws.ecs.launchtype").lower(), origin)
    return origin


def service_node(resource: Attributes, name: str) -> NodeKey:
    """The node of a service, which its namespace is part of; a function needs none."""
    place, origin = place_of(resource), origin_of(resource)
    namespace = text(resource, "service.namespace")[:MOST_NAME]
    if namespace and origin != "AWS::Lambda::Function":
        name = f"{namespace}/{name}"[:MOST_NAME]
    return NodeKey(place.account, name, origin, place.region)


def is_rendered(resource: Attributes) -> bool:
    """Whether a resource may be that of one X-Ray document, as the Collector's X-Ray receiver renders them."""
    by_sdk = "telemetry.sdk.name" in resource
    return not by_sdk and text(resource, "cloud.provider") in ("aws", "unknown")


def named_by(resource: Attributes) -> str:
    """The service that a resource names."""
    return text(resource, "aws.local.service", "service.name") or UNKNOWN
