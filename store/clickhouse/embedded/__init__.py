"""ClickHouse without a server to install: the engine inside the `chdb-core` wheel, as a child process.

`engine.py` is the child (`raymap clickhouse`), `library.py` finds and loads the wheel's extension module
(`import chdb` would first open a throw-away engine).

`folder.py` and `config.py` say what lies in `<data-dir>/clickhouse`: config.xml, users.xml,
credentials.json, port, data/, server.log. The engine has three users with generated passwords,
`raymap`, `raymap_backup` and the read-only `raymap_ro`; none of them reaches other servers, and only `raymap_backup` files. The child's script runs as `default`, which the engine
insists on having without a password: it may have one session at a time (max_sessions_for_user),
which is the script's, so no other client can log in; and it may do nothing but start listeners (FROM
INFILE, unlike file(), needs no right to read files).
"""

from store.clickhouse.embedded.config import (
    GIB,
    DatabaseUser,
    default_memory,
)
from store.clickhouse.embedded.engine import run
from store.clickhouse.embedded.folder import (
    PORTS,
    EmbeddedError,
    EmbeddedSettings,
    address,
    choose_port,
    credentials,
    database_users,
    in_use,
    set_database_users,
)
from store.clickhouse.embedded.library import engine_library, load_engine

__all__ = [
    "GIB",
    "PORTS",
    "DatabaseUser",
    "EmbeddedError",
    "EmbeddedSettings",
    "address",
    "choose_port",
    "credentials",
    "database_users",
    "default_memory",
    "engine_library",
    "in_use",
    "load_engine",
    "run",
    "set_database_users",
]
