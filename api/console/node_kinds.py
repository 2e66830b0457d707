"""What a node is, told from its type: the glyph the console gives it."""

from __future__ import annotations

from api.schemas import Kind

_EXACT: dict[str, Kind] = {
    "": "service",
    "remote": "remote",
    "Database::SQL": "database",
    "AWS::RUM::AppMonitor": "client",
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
"""Services that run the user's own: ``AWS::ECS::Container``. Without a second part it is a call
to the service's API instead (``AWS::ECS``)."""


def kind_of(type: str) -> Kind:
    """The kind of a node with this type; of an unknown AWS type ``remote``, else ``service``."""
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
