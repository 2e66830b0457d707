"""A ZooKeeper of one server, from Maven: what replicas coordinate by."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from tests import maven
from tests.ports import free_port
from tests.waiting import eventually

HERE = Path(__file__).parent
HOST = "127.0.0.1"
_MAIN = "org.apache.zookeeper.server.ZooKeeperServerMain"
_OPTIONS = ("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def unavailable(reason: str) -> None:
    """Skip, where ZooKeeper cannot be had; but in CI the tests of replicas run."""
    maven.unavailable(reason, "replicas")


def jars() -> Path:
    """ZooKeeper and what it needs."""
    return maven.jars(HERE / "pom.xml", "zookeeper-3.9.3", "replicas")


class ZooKeeper:
    """One server. Its folder outlives it, so that it starts again with what it had."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        (folder / "zoo.cfg").write_text(
            f"tickTime=500\ndataDir={folder}/data\nclientPort={self.port}\nclientPortAddress={HOST}\n"
            "admin.enableServer=false\n4lw.commands.whitelist=ruok\nmaxSessionTimeout=600000\n"
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = ["java", *_OPTIONS, "-Dzookeeper.forceSync=no", "-cp", f"{jars()}/*", _MAIN]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(self._folder / "zoo.cfg")], stdout=log, stderr=log
            )
        eventually(self._answers, f"ZooKeeper answers ({self._folder}/log)", ignore=(OSError,))

    def _answers(self) -> bool:
        with socket.create_connection((HOST, self.port), 1) as connection:
            connection.sendall(b"ruok")
            return connection.recv(16) == b"imok"

    def kill(self) -> None:
        """End it, as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
