"""The engine's log files are emptied while it has them open."""

from __future__ import annotations

from pathlib import Path

from store.clickhouse.embedded.logs import empty_logs


def test_logs_are_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "clickhouse"
    folder.mkdir()
    for name in ("server.log", "server.err.log", "server.err.log.0", "server.log.1.gz", "port"):
        (folder / name).write_text(f"ana in {name}")
    elsewhere = tmp_path / "server.log"
    elsewhere.write_text("ana")
    (folder / "server.old.log").symlink_to(elsewhere)
    with (folder / "server.err.log").open("a") as engine:
        assert empty_logs(tmp_path) == 4
        engine.write("next")
    assert (folder / "server.err.log").read_text() == "next"
    assert sorted(path.name for path in folder.iterdir()) == [
        "port", "server.err.log", "server.log", "server.old.log",
    ]  # fmt: skip
    assert elsewhere.read_text() == "ana", "links are not followed"
    assert (folder / "port").read_text() == "ana in port"
    assert empty_logs(tmp_path) == 1
    assert empty_logs(tmp_path) == 0
    assert empty_logs(tmp_path / "none") == 0
