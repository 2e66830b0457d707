"""Lists of OpenTelemetry's semantic conventions (1.44; GenAI and MCP 1.41), old and new, and their types on the map."""

from __future__ import annotations

SQL = {
    "actian.ingres", "aws.redshift", "azure.sql", "clickhouse", "cockroachdb", "derby", "firebirdsql",
    "gcp.spanner", "h2database", "hive", "hsqldb", "ibm.db2", "ibm.informix", "ibm.netezza", "instantdb",
    "intersystems.cache", "mariadb", "microsoft.sql_server", "mysql", "oracle.db", "other_sql", "postgresql",
    "sap.hana", "sap.maxdb", "softwareag.adabas", "sqlite", "teradata", "trino",
    # former names
    "adabas", "cache", "cloudscape", "db2", "edb", "firebird", "firstsql", "greenplum", "h2", "hanadb",
    "informix", "ingres", "interbase", "intersystems_cache", "maxdb", "mssql", "mssqlcompact", "netezza", "oracle", "pervasive",
    "pointbase", "presto", "progress", "redshift", "snowflake", "spanner", "sybase", "vertica",
}  # fmt: skip
"""Values of ``db.system.name`` and ``db.system`` in the conventions' list that are databases of SQL."""
SPELLINGS = {
    "activemq": "ActiveMQ", "azure.cosmosdb": "CosmosDB", "cosmosdb": "CosmosDB", "couchdb": "CouchDB",
    "eventgrid": "EventGrid", "eventhubs": "EventHubs", "gcp.firestore": "Firestore", "gcp_pubsub": "PubSub",
    "hbase": "HBase", "influxdb": "InfluxDB", "jms": "JMS", "mongodb": "MongoDB", "nats": "NATS",
    "opensearch": "OpenSearch", "rabbitmq": "RabbitMQ", "rocketmq": "RocketMQ", "servicebus": "ServiceBus",
    "couchbase": "Couchbase", "elasticsearch": "Elasticsearch", "kafka": "Kafka", "memcached": "Memcached",
    "neo4j": "Neo4j", "pulsar": "Pulsar", "redis": "Redis",
}  # fmt: skip
"""Systems as they are written in types."""
MOST_TYPE = 50
FUNCTIONS = {
    "aws": "AWS::Lambda", "azure": "Azure::Functions", "gcp": "GCP::CloudFunctions",
    "alibaba_cloud": "Alibaba::FunctionCompute", "tencent_cloud": "Tencent::ServerlessCloudFunction",
}  # fmt: skip
PROVIDERS = {
    "az.ai.inference": "azure.ai.inference", "az.ai.openai": "azure.ai.openai", "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai", "xai": "x_ai",
    "Anthropic": "anthropic", "Cohere": "cohere", "Groq": "groq", "MistralAI": "mistral_ai", "OpenAI": "openai",
    "Watsonx": "ibm.watsonx.ai",
}  # fmt: skip
"""Former names of providers, in the conventions' change log and OpenLLMetry → the newest."""


def spelled(system: str) -> str:
    """A system's name in a type: ``redis`` → ``Redis``, ``my_store`` → ``MyStore``."""
    words = "".join(c if c.isalnum() else " " for c in system).split()
    capitalised = "".join(word[:1].upper() + word[1:] for word in words)[:MOST_TYPE]
    return SPELLINGS.get(system.lower()) or capitalised or "Other"
