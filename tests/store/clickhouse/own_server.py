"""An engine whose users are those of deploy/clickhouse/users.sql, in place of the embedded ones.

The embedded engine has no storage for users that statements make, so each GRANT of the file stands in its
users.xml, which takes the same statements without the name: `python -m tests.store.clickhouse.own_server
FOLDER` prints its port.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from store.clickhouse.embedded import EmbeddedSettings, config, engine, folder

FILE = Path(__file__).parents[3] / "deploy" / "clickhouse" / "users.sql"
PASSWORD = "secret"
_GRANT = re.compile(r"GRANT (?P<what>.+) TO (?P<user>\w+)(?P<option> WITH GRANT OPTION)?")


def statements() -> list[str]:
    """Those of the file, without comments."""
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith("--")]
    return [each.strip() for each in "\n".join(lines).split(";") if each.strip()]


def grants() -> dict[str, list[str]]:
    """The file's grants by user, as users.xml has them."""
    found: dict[str, list[str]] = {}
    for statement in statements():
        if match := _GRANT.fullmatch(statement):
            grant = f"GRANT {match['what']}{match['option'] or ''}"
            found.setdefault(match["user"], []).append(grant)
    return found


def main() -> int:
    """Run the engine until SIGTERM. Its own users are called otherwise; one of them looks whether it is up."""
    make, address = config.users_xml, folder.address
    users = "".join(_user(name, each) for name, each in grants().items())

    def users_xml(*given: Any) -> str:
        own = re.sub(r"(</?)raymap", r"\1embedded", make(*given))
        return own.replace("</users>", f"{users}</users>")

    setattr(folder, "users_xml", users_xml)  # noqa: B010
    setattr(engine, "address", lambda at: replace(address(at), user="embedded"))  # noqa: B010
    return engine.run(
        EmbeddedSettings(Path(sys.argv[1]), memory_bytes=1 << 30),
        on_ready=lambda found: print(found.port, flush=True),
    )


def _user(name: str, given: list[str]) -> str:
    queries = "".join(f"<query>{each}</query>" for each in given)
    return (
        f"<{name}><password>{PASSWORD}</password><networks><ip>127.0.0.1</ip></networks>"
        f"<profile>default</profile><quota>default</quota><grants>{queries}</grants></{name}>"
    )


if __name__ == "__main__":
    sys.exit(main())
