"""The ``aws`` blocks of documents rendered from spans (docs/xray-format.md §11.1)."""

from __future__ import annotations

from typing import Any

from store.otel.attributes import Attributes, number, text, texts
from store.otel.resource import Resource, is_aws, is_ec2, is_ecs

Json = dict[str, Any]

API_OPERATION = ("aws.operation", "rpc.method", "aws.remote.operation")
"""Attributes that name the operation of a call of AWS's API."""


def aws_of_call(attributes: Attributes, resource: Json) -> Json:
    """The block of a call: the operation, and the region and resource that `callee_of` found."""
    block = {
        "operation": text(attributes, *API_OPERATION),
        "request_id": text(attributes, "aws.request_id", "aws.requestId"),
        "key": text(attributes, "aws.s3.key"),
        "message_id": text(attributes, "messaging.message.id", "messaging.message_id"),
    }
    retries = number(attributes, "aws.xray.retries", "retry_attempts", "http.request.resend_count")
    return _filled(block) | ({} if retries is None else {"retries": retries}) | resource


def aws_of_segment(resource: Resource) -> Json:
    """The block of a segment: where the service runs; empty on another cloud."""
    attributes = resource.attributes
    if not is_aws(attributes):
        return {}
    block: Json = _filled({"account_id": resource.account, "region": resource.region})
    if is_ec2(attributes):
        block["ec2"] = _ec2(resource)
    if is_ecs(attributes):
        block["ecs"] = _ecs(resource)
    if attributes.get("cloud.platform") == "aws_eks" or "k8s.cluster.name" in attributes:
        block["eks"] = _filled(
            {
                "cluster_name": text(attributes, "k8s.cluster.name"),
                "pod": text(attributes, "k8s.pod.name"),
                "container_id": text(attributes, "container.id"),
            }
        )
    if attributes.get("cloud.platform") == "aws_elastic_beanstalk":
        block["elastic_beanstalk"] = _beanstalk(attributes)
    logs = [{"arn": arn} for arn in texts(attributes, "aws.log.group.arns")]
    logs = logs or [{"log_group": name} for name in texts(attributes, "aws.log.group.names")]
    if logs:
        block["cloudwatch_logs"] = logs
    block["xray"] = _sdk(attributes)
    return {key: value for key, value in block.items() if value}


def _ec2(resource: Resource) -> Json:
    attributes = resource.attributes
    return _filled(
        {
            "instance_id": resource.instance_id,
            "availability_zone": resource.availability_zone,
            "instance_size": text(attributes, "host.type"),
            "ami_id": text(attributes, "host.image.id"),
        }
    )


def _ecs(resource: Resource) -> Json:
    attributes = resource.attributes
    return _filled(
        {
            "container": text(attributes, "container.name", "host.name"),
            "container_id": text(attributes, "container.id"),
            "container_arn": text(attributes, "aws.ecs.container.arn"),
            "cluster_arn": text(attributes, "aws.ecs.cluster.arn"),
            "task_arn": text(attributes, "aws.ecs.task.arn"),
            "task_family": text(attributes, "aws.ecs.task.family"),
            "launch_type": text(attributes, "aws.ecs.launchtype"),
            "availability_zone": resource.availability_zone,
        }
    )


def _beanstalk(attributes: Attributes) -> Json:
    block: Json = {
        "environment_name": text(attributes, "service.namespace"),
        "version_label": text(attributes, "service.version"),
    }
    deployment = number(attributes, "service.instance.id")
    return _filled(block) | ({} if deployment is None else {"deployment_id": deployment})


def _sdk(attributes: Attributes) -> Json:
    name = text(attributes, "telemetry.sdk.name")
    language = text(attributes, "telemetry.sdk.language")
    return _filled(
        {
            "sdk": f"{name} for {language}" if name and language else name,
            "sdk_version": text(attributes, "telemetry.sdk.version"),
            "auto_instrumentation": bool(
                text(attributes, "telemetry.auto.version", "telemetry.distro.version")
            ),
        }
    )


def _filled(block: Json) -> Json:
    return {key: value for key, value in block.items() if value}
