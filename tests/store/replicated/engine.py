"""An embedded engine that is a replica, as a process of its own: `python -m tests.store.replicated.engine SETTINGS`.

Its configuration is the product's, with what makes a server a replica added: where ZooKeeper is, the macros, and a
port at which other replicas fetch parts. A user `admin` may do everything, and so may `both`, all of whose inserts and
changes wait for both replicas.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from store.clickhouse.connection.address import Address
from store.clickhouse.embedded import EmbeddedSettings, config, engine, folder, library
from store.clickhouse.embedded.config import GIB, HOST
from tests.store.replicated import machine_code

PASSWORD = "replica"
ON_BOTH = {"insert_quorum": 2, "alter_sync": 2, "mutations_sync": 2, "cloud_mode": 1}
"""Settings of the user `both`."""
_FEW_THREADS = "<background_schedule_pool_size>8<"
_STOCK_THREADS = "<background_schedule_pool_size>128<"
"""A server's default: each replicated table has tasks of its own, and with eight threads rows are seconds late."""


class ReplicaSettings(msgspec.Struct, frozen=True):
    """What a replica has of its own."""

    data_dir: str
    port: int
    parts_port: int
    """Where other replicas fetch parts."""
    coordination_port: int
    cell: str
    replica: str


def xml_of(settings: ReplicaSettings) -> str:
    """What is added to the engine's configuration. A session ends soon after its server; with the default path of
    sessions one replica ended the other's."""
    return f"""
  <zookeeper>
    <node><host>{HOST}</host><port>{settings.coordination_port}</port></node>
    <session_timeout_ms>10000</session_timeout_ms>
    <operation_timeout_ms>5000</operation_timeout_ms>
    <sessions_path>/clickhouse/sessions/{settings.cell}_{settings.replica}</sessions_path>
  </zookeeper>
  <http_port>{settings.parts_port}</http_port>
  <macros><shard>{settings.cell}</shard><replica>{settings.replica}</replica></macros>
  <part_log><database>system</database><table>part_log</table></part_log>
"""


def main() -> int:
    """Run the engine until SIGTERM; prints its port when it answers."""
    settings = msgspec.json.decode(sys.argv[1], type=ReplicaSettings)
    make_config, make_users, load = config.config_xml, config.users_xml, library.load_engine
    users = "".join(map(_user, ("admin", "both")))
    profile = "".join(f"<{name}>{value}</{name}>" for name, value in ON_BOTH.items())

    def config_xml(*args: Any, **given: Any) -> str:
        made = make_config(*args, **given).replace(_FEW_THREADS, _STOCK_THREADS)
        return made.replace("</clickhouse>", f"{xml_of(settings)}</clickhouse>")

    def users_xml(*given: Any) -> str:
        made = make_users(*given).replace("</users>", f"{users}</users>")
        return made.replace(
            "</profiles>",
            f"<admin><profile>default</profile></admin><both><profile>default</profile>{profile}</both></profiles>",
        )

    def load_engine() -> Any:
        found = load()
        machine_code.edit(library.engine_library(), HOST, settings.parts_port)
        return _Listening(found)

    setattr(folder, "config_xml", config_xml)  # noqa: B010
    setattr(folder, "users_xml", users_xml)  # noqa: B010
    setattr(engine, "load_engine", load_engine)  # noqa: B010
    embedded = EmbeddedSettings(
        Path(settings.data_dir), memory_bytes=GIB, port=settings.port, log_level="information"
    )
    return engine.run(embedded, on_ready=_ready)


def _user(name: str) -> str:
    """With the profile of the same name."""
    return (
        f"<{name}><password>{PASSWORD}</password><networks><ip>{HOST}</ip></networks><profile>{name}</profile>"
        f"<quota>default</quota><grants><query>GRANT ALL ON *.*</query></grants></{name}>"
    )


def _ready(address: Address) -> None:
    print(address.port, flush=True)


class _Listening:
    """The engine's module, whose script also starts to serve parts."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def query(self, script: str, form: str) -> Any:
        """Run the engine's script."""
        return self._module.query(f"SYSTEM START LISTEN HTTP;{script}", form)


if __name__ == "__main__":
    sys.exit(main())
