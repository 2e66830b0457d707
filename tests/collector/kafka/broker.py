"""A broker of Apache Kafka in KRaft mode, as a process of its own; its folder outlives it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests import maven
from tests.ports import free_port
from tests.raymap.auth.certificates import write_certificate
from tests.waiting import eventually

HOST = "127.0.0.1"
_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
USER, PASSWORD = "raymap", "of-the-tests"
_MODULE = "org.apache.kafka.common.security"


class Broker:
    """One broker, which is its own controller. It listens at ``address``, and with TLS and SASL at ``secure_address``."""

    def __init__(self, folder: Path) -> None:
        self.address, self.secure_address = f"{HOST}:{free_port()}", f"{HOST}:{free_port()}"
        write_certificate(folder, 1)
        self.authority = folder / "ca.pem"
        """Trusts its certificate."""
        keys = folder / "keys.pem"
        keys.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
        self._folder = folder
        self._properties = folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        controller = f"{HOST}:{free_port()}"
        self._properties.write_text(
            f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners=PLAINTEXT://{self.address},SASL_SSL://{self.secure_address},CONTROLLER://{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location={keys}
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={_MODULE}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={_MODULE}.scram.ScramLoginModule required;
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
num.network.threads=1
num.io.threads=2
background.threads=1
"""
        )
        login = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        self._java(
            "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "--add-scram", login, "-c"
        ).wait(60)

    def _java(self, main: str, *words: str) -> subprocess.Popen[bytes]:
        jars = maven.jars(Path(__file__).with_name("pom.xml"), "kafka-4.1.1", "topics of Kafka")
        command = ["java", *_OPTIONS, "-cp", f"{jars}/*", main, *words, str(self._properties)]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = self._java("kafka.Kafka")
        admin = self._admin()
        eventually(
            lambda: admin.list_topics(timeout=1.0).brokers,
            f"Kafka answers ({self._folder}/log)",
            ignore=(KafkaException,),
        )

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def kill(self) -> None:
        """End it, as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic."""
        admin = self._admin()
        admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)

    def delete(self, topic: str) -> None:
        """Remove a topic."""
        admin = self._admin()
        admin.delete_topics([topic])[topic].result(30)

    def producer(self) -> Producer:
        """Of records that arrive once each, in order."""
        return Producer(
            {
                "bootstrap.servers": self.address,
                "enable.idempotence": True,
                "linger.ms": 5,
                "log_level": 0,
                "message.timeout.ms": 120_000,
            }
        )

    def send(self, topic: str, values: Iterable[bytes], partition: int = 0) -> None:
        """Send records and wait until the broker has them."""
        producer = self.producer()
        for value in values:
            producer.produce(topic, value, partition=partition)
        assert producer.flush(60) == 0
