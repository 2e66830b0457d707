"""Tables of OpenTelemetry's semantic conventions."""

from __future__ import annotations

SQL_SYSTEMS = frozenset(
    {
        "actian.ingres", "adabas", "aws.redshift", "azure.sql", "cache", "clickhouse", "cloudscape",
        "cockroachdb", "db2", "derby", "edb", "firebird", "firebirdsql", "firstsql", "gcp.spanner",
        "greenplum", "h2", "h2database", "hanadb", "hive", "hsqldb", "ibm.db2", "ibm.informix",
        "ibm.netezza", "informix", "ingres", "instantdb", "interbase", "intersystems.cache",
        "intersystems_cache", "mariadb", "maxdb", "microsoft.sql_server", "mssql", "mssqlcompact",
        "mysql", "netezza", "oracle", "oracle.db", "other_sql", "pervasive", "pointbase", "postgresql",
        "presto", "progress", "redshift", "sap.hana", "sap.maxdb", "snowflake", "softwareag.adabas",
        "spanner", "sqlite", "sybase", "teradata", "trino", "vertica",
    }
)  # fmt: skip
"""Values of ``db.system`` and ``db.system.name`` that speak SQL."""

SYSTEM_NAMES = {
    "activemq": "ActiveMQ",
    "azure.cosmosdb": "CosmosDB",
    "cosmosdb": "CosmosDB",
    "couchbase": "Couchbase",
    "couchdb": "CouchDB",
    "elasticsearch": "Elasticsearch",
    "eventgrid": "EventGrid",
    "eventhubs": "EventHubs",
    "gcp_pubsub": "PubSub",
    "gcp.firestore": "Firestore",
    "hbase": "HBase",
    "influxdb": "InfluxDB",
    "jms": "JMS",
    "kafka": "Kafka",
    "memcached": "Memcached",
    "mongodb": "MongoDB",
    "nats": "NATS",
    "neo4j": "Neo4j",
    "opensearch": "OpenSearch",
    "pulsar": "Pulsar",
    "rabbitmq": "RabbitMQ",
    "redis": "Redis",
    "rocketmq": "RocketMQ",
    "servicebus": "ServiceBus",
}
"""Spelling of a system in a node type; others are capitalised."""

AWS_MESSAGING = {
    "amazonkinesis": "Kinesis",
    "amazonsns": "SNS",
    "amazonsqs": "SQS",
    "aws.kinesis": "Kinesis",
    "aws.sns": "SNS",
    "aws.sqs": "SQS",
    "aws_kinesis": "Kinesis",
    "aws_sns": "SNS",
    "aws_sqs": "SQS",
    "kinesis": "Kinesis",
    "sns": "SNS",
    "sqs": "SQS",
}
"""``messaging.system`` of AWS's own queues, topics and streams → the service."""

RESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "DynamoDB": (
        "table_name",
        (
            "aws.dynamodb.table_names",
            "aws.table_name",
            "aws.table.name",
            "db.collection.name",
        ),
    ),
    "S3": ("bucket_name", ("aws.s3.bucket", "aws.bucket.name", "aws.bucket_name")),
    "SQS": (
        "queue_url",
        (
            "aws.sqs.queue.url",
            "aws.sqs.queue_url",
            "aws.queue.url",
            "aws.queue_url",
            "messaging.url",
            "messaging.destination.name",
            "messaging.destination",
            "aws.sqs.queue.name",
            "aws.sqs.queue_name",
            "aws.queue.name",
        ),
    ),
    "SNS": (
        "topic_arn",
        (
            "aws.sns.topic.arn",
            "aws.sns.topic_arn",
            "aws.topic.arn",
            "messaging.destination.name",
            "messaging.destination",
        ),
    ),
    "Lambda": (
        "function_name",
        (
            "aws.lambda.function.name",
            "aws.lambda.function_name",
            "faas.invoked_name",
            "aws.lambda.function.arn",
        ),
    ),
    "Kinesis": (
        "stream_name",
        (
            "aws.kinesis.stream_name",
            "aws.kinesis.stream.name",
            "aws.stream.name",
            "aws.kinesis.stream.arn",
            "messaging.destination.name",
            "messaging.destination",
        ),
    ),
    "Firehose": ("delivery_stream_name", ("aws.firehose.delivery_stream_name",)),
    "Sfn": (
        "state_machine_arn",
        (
            "aws.step_functions.state_machine.arn",
            "aws.stepfunctions.state_machine.arn",
            "aws.stepfunctions.statemachine.arn",
        ),
    ),
}
"""Service → X-Ray's key for its resource, and the attributes that name one, best first."""

REMOTE_RESOURCES = {
    "AWS::DynamoDB::Table": "table_name",
    "AWS::Kinesis::Stream": "stream_name",
    "AWS::Lambda::Function": "function_name",
    "AWS::S3::Bucket": "bucket_name",
    "AWS::SNS::Topic": "topic_arn",
    "AWS::SQS::Queue": "queue_url",
    "AWS::StepFunctions::StateMachine": "state_machine_arn",
}
"""``aws.remote.resource.type`` of AWS's distribution → the same keys."""

GRPC_CODES = {
    name: code
    for code, name in enumerate(
        (
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
            "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
            "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        )
    )
}  # fmt: skip
"""gRPC's status codes by name."""

GRPC_THROTTLE = GRPC_CODES["RESOURCE_EXHAUSTED"]
GRPC_ERRORS = frozenset(
    GRPC_CODES[name]
    for name in (
        "CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNAUTHENTICATED",
    )
)  # fmt: skip
"""Codes that blame the caller, as a 4xx does."""

FUNCTION_TYPES = {
    "alibaba_cloud": "Alibaba::FunctionCompute",
    "azure": "Azure::Functions",
    "gcp": "GCP::CloudFunctions",
    "tencent_cloud": "Tencent::ServerlessCloudFunction",
}
"""``faas.invoked_provider`` → the type of a function that is called; AWS's are its own API's."""

ORIGINS = {
    "alibaba_cloud_ecs": "Alibaba::ECS",
    "alibaba_cloud_fc": "Alibaba::FunctionCompute",
    "aws_app_runner": "AWS::AppRunner::Service",
    "aws_ec2": "AWS::EC2::Instance",
    "aws_eks": "AWS::EKS::Container",
    "aws_elastic_beanstalk": "AWS::ElasticBeanstalk::Environment",
    "aws_lambda": "AWS::Lambda::Function",
    "azure_aks": "Azure::AKS",
    "azure_app_service": "Azure::AppService",
    "azure_container_apps": "Azure::ContainerApps",
    "azure_container_instances": "Azure::ContainerInstances",
    "azure_functions": "Azure::Functions",
    "azure_vm": "Azure::VirtualMachine",
    "gcp_agent_engine": "GCP::AgentEngine",
    "gcp_app_engine": "GCP::AppEngine",
    "gcp_cloud_functions": "GCP::CloudFunctions",
    "gcp_cloud_run": "GCP::CloudRun",
    "gcp_compute_engine": "GCP::ComputeEngine",
    "gcp_kubernetes_engine": "GCP::KubernetesEngine",
    "tencent_cloud_cvm": "Tencent::CVM",
    "tencent_cloud_eks": "Tencent::EKS",
    "tencent_cloud_scf": "Tencent::ServerlessCloudFunction",
}
"""``cloud.platform``, with underscores alone → origin; ECS has three, by launch type. Others than AWS's
are Raymap's, from the platforms of the semantic conventions (1.44)."""

ECS_ORIGINS = {"ec2": "AWS::ECS::EC2", "fargate": "AWS::ECS::Fargate"}
"""``aws.ecs.launchtype``, lower case → origin; ``AWS::ECS::Container`` for others."""
