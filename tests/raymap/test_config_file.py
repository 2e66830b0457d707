"""The configuration file: what it may say, and which setting wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.redaction.rules import parse_rules
from raymap.cli import app
from raymap.config_file import ConfigFile
from raymap.errors import CommandError
from raymap.flags import environment_of
from raymap.settings import ApiSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "raymap.toml"
    path.write_text(
        'data-dir = "/data"\nallowed_host = ["a.example", "b.example"]\nport = 3000\n'
        '[serve]\nworkers = 3\nport = 4000\njournal-size = "64M"\n'
        "[api]\nsampling-rate = 0.5\n"
    )
    return path


def test_tables_override_what_is_for_all(file: Path) -> None:
    config = ConfigFile(file)
    common = {"data_dir": "/data", "allowed_host": "a.example,b.example"}
    assert config.defaults("serve") == {
        **common, "port": 4000, "workers": 3, "journal_size": "64M",
    }  # fmt: skip
    assert config.defaults("api") == {**common, "port": 3000, "sampling_rate": 0.5}
    assert config.defaults("migrate") == {**common, "port": 3000}


def shown(*words: str, **environment: str) -> dict[str, tuple[str, ...]]:
    """Setting → value and source, as raymap config show prints them."""
    result = CliRunner().invoke(app, ["config", "show", *words], env=environment)
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    return {row[0]: tuple(row[1:]) for row in rows}


def test_the_environment_overrides_the_file(file: Path) -> None:
    settings = shown("serve", "--config", str(file), RAYMAP_WORKERS="7", RAYMAP_CLICKHOUSE="")
    assert settings["workers"] == ("7", "environment")
    assert settings["port"] == ("4000", "file")
    assert settings["journal-size"] == (str(64 << 20), "file")
    assert settings["demo"] == ("false", "default")
    assert settings["clickhouse"] == ("default",)


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('clickhouse = "clickhouse://u:secret@host:9000/db"')
    assert shown("api", "--config", str(path))["clickhouse"][0] == "clickhouse://u:…@host:9000/db"


def test_a_child_does_not_read_the_file_again() -> None:
    assert environment_of(ApiSettings())["RAYMAP_CONFIG"] == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("worker = 2", "there is no setting worker; did you mean workers"),
        ("[serve]\nworker = 2", "there is no setting serve.worker; did you mean workers"),
        ("[serv]\n", r"there is no table \[serv\]; did you mean serve"),
        ("[api]\nworkers = 2", "there is no setting api.workers"),
        ("port = [1]", "port: expected a text"),
        ("port = 2020-01-01", "port: expected a text"),
        ("lock-wait = 1", "there is no setting lock-wait"),
        ("port = x", "line 1"),
        ("\xff", "The configuration file"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CommandError, match=said):
        ConfigFile(path)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("port = 3000", 0, "every setting is valid"),
        ("port = 70000", 1, "--port"),
        ('[serve]\nworkers = "many"', 1, "--workers"),
        ('auth = "maybe"', 1, "ingest-warn"),
        ('journal-size = "1k"', 1, "too little for a journal"),
        ('max-document-size = "4M"', 0, "every setting is valid"),
        ('max-document-size = "5M"', 1, "at most 4M"),
        ('max-document-size = "64K"', 1, "at least 128K"),
    ],
)
def test_check(
    tmp_path: Path, text: str, code: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    result = CliRunner().invoke(app, ["config", "check", str(path)])
    assert result.exit_code == code
    assert said in capfd.readouterr().err + result.output


def test_tables_of_redaction(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """[[redact]] is a list of tables, checked like every other setting, and children get it."""
    path = tmp_path / "c.toml"
    path.write_text('[[redact]]\nrule = "user"\nkeys = ["user"]\naction = "hash"\n')
    text = str(ConfigFile(path).defaults("api")["redact"])
    assert [rule.rule for rule in parse_rules(text)] == ["user"]
    assert environment_of(ApiSettings(redact=text))["RAYMAP_REDACT"] == text
    path.write_text('[[redact]]\nrule = "user"\n')
    result = CliRunner().invoke(app, ["config", "check", str(path)])
    assert result.exit_code == 1
    assert (
        "rule of redaction user: expected one of keys, detect and pattern" in capfd.readouterr().err
    )
