"""The commands that read a running server, against one with the shop's traces."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from raymap.cli import app
from raymap.client import Client, Refused
from raymap.commands import contexts, read_traces
from raymap.commands.read_map import tree
from raymap.commands.terminal import columns_of, cut, milliseconds, printable, rate, share, table
from store.memory import MemoryStore
from tests.api.shop import END, shop
from tests.builders import segment, trace_id
from tests.http_server import serve

Run = Callable[..., Result]
WINDOW = ("--from", "-10m")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    store = MemoryStore()
    store.put([*shop(), segment(trace_id=trace_id(7), user="\x1b[31mred")], "shop")
    with serve(create_app(store, version="1", clock=lambda: END + 0.25)) as address:
        yield address


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RAYMAP_URL", url)
    for name in ("RAYMAP_TOKEN", "COLUMNS"):  # pytest sets the width in its workers
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(app, words)


def test_the_map_is_a_tree_of_who_calls_whom(run: Run) -> None:
    done = run("map", *WINDOW)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["service", "state", "per", "min", "p50", "p95"]
    front = next(at for at, line in enumerate(lines) if line.startswith("front [ECS::Container]"))
    below = [line for line in lines[front + 1 :] if line.startswith(("├─", "└─"))]
    assert any("orders [DynamoDB::Table]" in line for line in below)
    assert "\x1b" not in done.stdout, "no colours where no person reads"


def test_a_circle_and_a_service_of_two_callers_are_shown_once_with_what_they_call() -> None:
    def node(name: str, **more: object) -> dict[str, object]:
        return {
            "id": name,
            "name": name,
            "type": "",
            "kind": "service",
            "root": False,
            **FIGURES,
            **more,
        }

    def edge(source: str, target: str) -> dict[str, object]:
        ends = {"id": f"{source}:{target}", "source": source, "target": target}
        return {**ends, "kind": "call", **FIGURES}

    pairs = [("a", "c"), ("b", "c"), ("c", "d"), ("x", "y"), ("y", "x")]
    found = {
        "from": 0,
        "to": 60,
        "services": [node(name) for name in "abcdxy"],
        "edges": [edge(*pair) for pair in pairs],
    }
    assert [row[0].strip() for row in tree(found)] == [
        "a",
        "└─ c",
        "└─ d",
        "b",
        "└─ c ↑",
        "x",
        "└─ y",
        "└─ x ↑",
    ]


FIGURES = {
    "requests": 1,
    "fault": 0,
    "error": 0,
    "throttle": 0,
    "unknown": 0,
    "p50_ms": 1,
    "p95_ms": 1,
}


def test_services_traces_and_one_of_them(run: Run) -> None:
    assert "front" in run("services", "front", *WINDOW).stdout
    listed = run("traces", "fault", *WINDOW, "--json").stdout.splitlines()
    ids = [json.loads(line)["id"] for line in listed]
    assert ids
    waterfall = run("trace", ids[0]).stdout.splitlines()
    assert waterfall[0].startswith(ids[0])
    assert "█" in waterfall[1]
    assert json.loads(run("trace", ids[0], "--json").stdout)["id"] == ids[0]


def test_what_a_sender_wrote_does_not_move_the_cursor(run: Run) -> None:
    done = run("traces", 'user BEGINSWITH "\x1b"', *WINDOW)
    assert "\\u001b[31mred" in done.stdout
    assert "\x1b" not in done.stdout


def test_there_being_more_is_said(run: Run) -> None:
    done = run("traces", *WINDOW, "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert run("traces", "annotation.nothing", *WINDOW).stdout == ""


def test_stats_lead_to_their_traces(run: Run) -> None:
    done = run("stats", "--by", "annotation.tier,state", *WINDOW, "--links")
    assert done.exit_code == 0
    assert "annotation[tier]" in done.stdout.splitlines()[0]
    found = json.loads(run("stats", "--by", "user", *WINDOW, "--json").stdout)
    group = next(each for each in found["groups"] if each["values"] == ["alice"])
    listed = run("traces", group["filter"], *WINDOW, "--limit", "1000", "--json").stdout
    assert len(listed.splitlines()) == group["traces"]


def test_top_prints_once_where_no_person_reads(run: Run) -> None:
    done = run("top", "--from", "-10m")
    assert done.exit_code == 0
    assert "front" in done.stdout
    found = json.loads(run("top", "--from", "-10m", "--json").stdout)
    assert "front" in {each["name"] for each in found}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("traces", "ok AND falt"), 1, "  ok AND falt\n         ^"),
        (("stats", "--by", "usr"), 1, "did you mean user?"),
        (
            ("compare", *WINDOW, "--by", "version", "--side", "3.0"),
            1,
            "side: no version '3.0' in this window, which has",
        ),
        (("trace", "1-2"), 1, "trace id"),
        (("trace", "1-6b061440-000000000000000000000bad"), 1, "there is no trace"),
        (("services", "--sort", "sideways"), 2, "fault, requests, p95, name"),
        (("map", "--context", "nowhere"), 1, "no context"),
        (("map", "--from", "yesterday"), 1, "-90m"),
    ],
)
def test_refusals_are_sentences_with_an_exit_code(
    run: Run, capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...], code: int, said: str,
) -> None:  # fmt: skip
    done = run(*words)
    printed = done.output + capfd.readouterr().err
    assert done.exit_code == code
    assert said in printed
    assert "Traceback" not in printed


def test_a_server_that_is_unavailable(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAYMAP_URL", "http://127.0.0.1:9")
    assert run("services").exit_code == 1
    assert "No Raymap answers at http://127.0.0.1:9" in capfd.readouterr().err


def test_contexts_keep_keys_in_a_private_file(
    run: Run, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RAYMAP_URL")
    key = tmp_path / "key"
    key.write_text("secret\n")
    assert run("context", "add", "here", url, "--key-file", str(key)).exit_code == 0
    assert run("context", "add", "away", "http://127.0.0.1:9").exit_code == 0
    assert stat.S_IMODE(contexts.path().stat().st_mode) == 0o600
    assert stat.S_IMODE(contexts.path().parent.stat().st_mode) == 0o700
    assert "front" in run("services", *WINDOW).stdout, "the first one is in use"
    run("context", "use", "away")
    assert run("services").exit_code == 1
    assert "front" in run("services", *WINDOW, "--context", "here").stdout
    listed = run("context", "list").stdout
    assert "secret" not in listed
    assert "*  away" in listed
    assert contexts.client("", "here").token == "secret"
    assert contexts.client("http://elsewhere", "here").token is None, "only where it belongs"
    run("context", "remove", "away")
    assert contexts.load().current == ""


def test_a_flag_is_more_than_a_variable(
    run: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--url`, `--context`, then RAYMAP_URL, RAYMAP_CONTEXT."""
    run("context", "add", "here", url)
    run("context", "add", "away", "http://127.0.0.1:9")
    monkeypatch.setenv("RAYMAP_URL", "http://127.0.0.1:9")
    assert run("services", *WINDOW).exit_code == 1
    assert "front" in run("services", *WINDOW, "--context", "here").stdout
    monkeypatch.setenv("RAYMAP_URL", url)
    assert run("services", *WINDOW, "--context", "away").exit_code == 1
    assert "front" in run("services", *WINDOW, "--context", "away", "--url", url).stdout
    monkeypatch.setenv("RAYMAP_CONTEXT", "away")
    assert "front" in run("services", *WINDOW).stdout


def test_narrow_terminals_cut_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    lines = table([["a" * 40, "12"], ["日本" * 20, "3"]], right=(1,), shrink=(0,))
    assert [line[-2:] for line in lines] == ["12", " 3"]
    assert len(lines[0]) == 30
    assert cut("日本語", 4) == "日…"


@pytest.mark.parametrize("columns", [80, 100, 120])
@pytest.mark.parametrize(
    "command", [("traces",), ("services",), ("map",), ("stats", "--by", "service")]
)
def test_lines_fit_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: Sequence[str], columns: int
) -> None:
    """What is left out is what does not fit, and no id is cut: that would be of no use."""
    monkeypatch.setenv("COLUMNS", str(columns))
    done = run(*command, *WINDOW)
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert len(lines) > 1
    assert max(map(columns_of, lines)) <= columns
    assert command != ("traces",) or all(line[:2] == "1-" and line[34] != "…" for line in lines[1:])


@pytest.mark.parametrize("command", ["services", "map"])
def test_a_narrow_terminal_has_names_and_fewer_figures(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "52")
    lines = run(command, *WINDOW).stdout.splitlines()
    assert max(map(columns_of, lines)) <= 52
    assert lines[0].split() == ["service", "state", "per", "min", "p95"]
    assert any("orders [Dyn" in line for line in lines)


def test_a_line_of_tail_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    trace = {
        "id": "1-6926f00d-" + "b" * 24,
        "start": 1.0,
        "status": "throttle",
        "code": 429,
        "response_ms": 59_990.0,
        "entry": {"name": "front"},
        "method": "GET",
        "url": "https://shop.example.com/orders/1",
        "inner": {"fault": 1},
        "user": "ann",
    }
    line = read_traces.line_of(trace)
    assert columns_of(line) == 80
    assert line.endswith("front GE…")


@pytest.mark.parametrize("command", ["traces", "map", "services", "stats"])
def test_nothing_is_said_with_the_window_and_what_to_do(
    run: Run, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    window = ("--from", "2020-01-01", "--to", "2020-01-02")
    run(command, *window)
    empty = capfd.readouterr().err
    assert "from 2020-01-01 to 2020-01-02" in empty
    assert "raymap demo" in empty
    words = ("ok",) if command in ("traces", "stats") else ("--filter", "ok")
    run(command, *words, *window)
    selected = capfd.readouterr().err
    assert "is selected" in selected
    assert "--from -7d" in selected
    assert "demo" not in selected


def test_texts() -> None:
    assert [milliseconds(each) for each in (None, 1.25, 250, 1500, 120_000)] == [
        "–",
        "1.2 ms",
        "250 ms",
        "1.50 s",
        "2.0 min",
    ]
    rates = (None, 0, 0.0007, 0.049, 0.05, 0.25, 9.94, 9.96, 960)
    assert list(map(rate, rates)) == ["–", "0", "<0.1", "<0.1", "0.1", "0.2", "9.9", "10", "960"]
    shares = ((0, 9), (1, 9999), (1, 1000), (1, 3), (9_999, 10_000), (5, 5), (1, 0), (None, 1))
    assert [share(*each) for each in shares] == [
        "0.0 %",
        "<0.1 %",
        "0.1 %",
        "33.3 %",
        ">99.9 %",
        "100.0 %",
        "–",
        "–",
    ]
    assert printable("a\nb\u202e") == "a\\u000ab\\u202e"


def test_scripts_read_pages_without_cursors(url: str) -> None:
    client = Client(url, token="")
    found = list(client.traces(filter="ok", start="-10m", most=2))
    assert [each["status"] for each in found] == ["ok", "ok"]
    assert client.trace(found[0]["id"])["id"] == found[0]["id"]
    assert {each["name"] for each in client.services(start="-10m")} >= {"front", "orders"}
    with pytest.raises(Refused) as refused:
        client.stats(filter="ok AND falt")
    assert (refused.value.status, refused.value.position) == (400, 7)


def test_two_periods_and_two_sides_are_compared(run: Run) -> None:
    done = run("compare", "--from", "-4m", "--by", "filter", "--side", "fault", "--other", "ok")
    assert done.exit_code == 0, done.stderr
    assert ", filter fault against ok: " in done.stdout
    found = json.loads(run("compare", "--from", "-4m", "--json").stdout)
    assert found["by"] is None
    assert found["then"]["to"] == found["now"]["from"]
