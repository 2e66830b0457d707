"""Node type → kind, which selects the glyph in the console."""

from __future__ import annotations

from api.schemas.common import Kind

_EXACT: dict[str, Kind] = {
    "": "service",
    "remote": "remote",
    "Database::SQL": "database",
    "AWS::RUM::AppMonitor": "client",
    "Alibaba::FunctionCompute": "function",
    "Azure::Functions": "function",
    "GCP::CloudFunctions": "function",
    "GenAI::MCP": "remote",
    "GenAI::Model": "remote",
    "GenAI::Tool": "remote",
    "Tencent::ServerlessCloudFunction": "function",
}
_BY_SERVICE: dict[str, Kind] = {
    "ApiGateway": "gateway",
    "ApiGatewayV2": "gateway",
    "AppMesh": "gateway",
    "AppSync": "gateway",
    "DynamoDB": "table",
    "ElastiCache": "database",
    "ElasticLoadBalancing": "gateway",
    "ElasticLoadBalancingV2": "gateway",
    "Events": "topic",
    "Firehose": "stream",
    "Kinesis": "stream",
    "KinesisFirehose": "stream",
    "Lambda": "function",
    "RDS": "database",
    "Redshift": "database",
    "S3": "bucket",
    "SNS": "topic",
    "SQS": "queue",
    "Sfn": "workflow",
    "StepFunctions": "workflow",
}
_OWN_CODE = frozenset({"AppRunner", "EC2", "ECS", "EKS", "ElasticBeanstalk"})
"""Compute services: ``AWS::ECS::Container`` runs the user's code, ``AWS::ECS`` is a call to its API."""


def kind_of(type: str) -> Kind:
    """The kind of a node type; an unknown AWS type is ``remote``, any other ``service``."""
    if type.startswith("client"):
        return "client"
    if type in _EXACT:
        return _EXACT[type]
    vendor, _, rest = type.partition("::")
    service, _, resource = rest.partition("::")
    if vendor == "Database":
        return "database"
    if vendor == "Messaging":
        return "topic"
    if vendor != "AWS":
        return "service"
    if service in _BY_SERVICE:
        return _BY_SERVICE[service]
    return "service" if resource and service in _OWN_CODE else "remote"
