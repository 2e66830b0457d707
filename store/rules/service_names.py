"""What AWS services are called, however an SDK spells them (docs/xray-format.md §4.2, §5.4)."""

from __future__ import annotations

CANONICAL = {
    "amazondynamodb": "DynamoDB",
    "amazons3": "S3",
    "amazonsns": "SNS",
    "amazonsqs": "SQS",
    "amazonkinesis": "Kinesis",
    "appsync": "AppSync",
    "athena": "Athena",
    "awslambda": "Lambda",
    "awssecretsmanager": "SecretsManager",
    "awssecuritytokenservice": "STS",
    "awsstepfunctions": "Sfn",
    "bedrock-runtime": "BedrockRuntime",
    "cloudwatch": "CloudWatch",
    "cognito-idp": "CognitoIdentityProvider",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "ecs": "ECS",
    "eventbridge": "Events",
    "events": "Events",
    "firehose": "Firehose",
    "glue": "Glue",
    "kinesis": "Kinesis",
    "kms": "KMS",
    "lambda": "Lambda",
    "logs": "CloudWatchLogs",
    "monitoring": "CloudWatch",
    "rds": "RDS",
    "rds-data": "RDSData",
    "rdsdata": "RDSData",
    "rdsdataservice": "RDSData",
    "s3": "S3",
    "scheduler": "Scheduler",
    "secretsmanager": "SecretsManager",
    "sfn": "Sfn",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "SSM",
    "states": "Sfn",
    "stepfunctions": "Sfn",
    "sts": "STS",
}
"""Lower-case SDK spelling → canonical name (docs/xray-format.md §5.4); unknown names pass through."""


def canonical_service(name: str) -> str:
    """The service's name however an SDK spells it."""
    return CANONICAL.get(name.lower(), name)


def displayed_service(name: str) -> str:
    """The name of an AWS call in a processed trace: an SDK's lower-case prefix becomes canonical,
    any other name stays (``StepFunctions``), whatever node it leads to (docs/xray-format.md §4.2)."""
    return canonical_service(name) if name.islower() else name
