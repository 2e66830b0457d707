"""One value under one key: masked, hashed, dropped, or the same object."""

from __future__ import annotations

import re

import pytest

from collector.redaction.rules import DEFAULTS, Action, Detect, Rule, normalize, parse_rules
from collector.redaction.values import DROPPED, Redaction, Rules, is_card

CARD = "4111 1111 1111 1111"


def redaction(*rules: Rule) -> Redaction:
    return Redaction(Rules(rules or DEFAULTS, lambda: b"s" * 32))


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "db.password", "userPassword", "user-passwd", "http.request.header.authorization",
        "Authorization", "proxy-authorization", "http.request.header.x-api-key", "X-Api-Key", "apiKey", "apikey",
        "http.response.header.set-cookie", "Cookie", "access_token", "csrfToken", "client.secret", "password[]",
    ],
)  # fmt: skip
def test_secret_keys(key: str) -> None:
    assert redaction().keyed(key, "abc") == "***"
    assert redaction().keyed(key, 12345) == "***"


@pytest.mark.parametrize(
    "key",
    ["gen_ai.usage.input_tokens", "tokenizer", "password_changed", "secretary", "api_keys", ""],
)
def test_other_keys_stay(key: str) -> None:
    value = "abc"
    assert redaction().keyed(key, value) is value


def test_a_key_is_words() -> None:
    assert normalize("http.request.header.X-Api-Key") == "http_request_header_x_api_key"
    assert normalize("apiKey") == "api_key"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h/p?token=abc&x=1", "https://h/p?token=***&x=1"),
        ("https://h/p?x=1&access_token=abc#top", "https://h/p?x=1&access_token=***#top"),
        ("Server=db;User Id=u;Password=p w;", "Server=db;User Id=u;Password=*** w;"),
        ('{"password": "a b", "x": 1}', '{"password": "***", "x": 1}'),
        ('{"a": {"token": 123}}', '{"a": {"token": "***"}}'),
        (r"body: {\"password\":\"a\"}", r"body: {\"password\":\"***\"}"),
        (f"paid with {CARD}.", "paid with ***."),
        ("GET /pay/4111111111111111", "GET /pay/***"),
        ("amex 3782-822463-10005", "amex ***"),
        ("sent Bearer abcdefghijklmnop.qrst-uvw== to x", "sent Bearer *** to x"),
    ],
)
def test_parts_of_texts(text: str, expected: str) -> None:
    assert redaction().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "invalid token: abc", "4111111111111112", "0.4111111111111111", "x4111111111111111", "4111111111111111a",
        "1700000000000000000", "5795c2a7-1234-4321-4111-111111111111", "a=b&c=d", "the bearer of bad news",
    ],
)  # fmt: skip
def test_texts_that_stay(text: str) -> None:
    assert redaction().text(text) is text


def test_numbers() -> None:
    assert redaction().keyed("n", 4111111111111111) == "***"
    assert redaction().keyed("n", 4111111111111112) == 4111111111111112
    assert redaction().keyed("n", True) is True


def test_hashes_are_equal_for_equal_values() -> None:
    hashing = redaction(Rule("user", Action.HASH, keys=("user",)))
    first = hashing.keyed("user", "ana")
    assert first == hashing.keyed("enduser.user", "ana") != hashing.keyed("user", "bob")
    assert first.startswith("hash:")
    assert len(first) == 21
    other = Redaction(Rules((Rule("user", Action.HASH, keys=("user",)),), lambda: b"t" * 32))
    assert other.keyed("user", "ana") != first
    assert hashing.keyed("user", first) == first, "nothing is hashed twice"


def test_drop() -> None:
    dropping = redaction(
        Rule("p", Action.DROP, keys=("password",)), Rule("c", Action.DROP, detect=Detect.CARD)
    )
    assert dropping.keyed("password", "x") is DROPPED
    assert dropping.text("?password=x&y=1") == "?password=&y=1"
    assert dropping.text(f"by {CARD} today") == "by  today"
    assert dropping.counts == {"p": 2, "c": 1}


def test_the_first_rule_decides_and_the_longest_key() -> None:
    rules = (Rule("a", keys=("token",)), Rule("b", Action.DROP, keys=("token", "csrf_token")))
    assert redaction(*rules).keyed("x.token", "v") == "***"
    assert redaction(*rules).keyed("x.csrf_token", "v") is DROPPED


def test_a_pattern() -> None:
    rule = Rule("email", Action.HASH, pattern=r"[\w.]+@[\w.]+\w")
    found = redaction(rule).text("mail to ana@example.org, soon")
    assert found.startswith("mail to hash:")
    assert found.endswith(", soon")


def test_check_digits() -> None:
    assert all(map(is_card, ("4111111111111111", "5555 5555 5555 4444", "378282246310005")))
    assert not is_card("4111111111111121")


def test_sql_literals_are_opt_in() -> None:
    statement = "SELECT a FROM t WHERE b = 'x' AND c = 5"
    assert redaction().keyed("db.query.text", statement) is statement
    sql = redaction(Rule("sql", detect=Detect.SQL))
    assert sql.keyed("db.query.text", statement) == "SELECT a FROM t WHERE b = ? AND c = ?"
    assert sql.keyed("sanitized_query", statement) == "SELECT a FROM t WHERE b = ? AND c = ?"
    assert sql.keyed("comment", statement) is statement
    assert sql.counts == {"sql": 4}
    dropping = redaction(Rule("sql", Action.DROP, detect=Detect.SQL))
    assert dropping.keyed("db.statement", statement) is DROPPED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("{}", "expected a list"),
        ("[1]", "rule of redaction 1"),
        ('[{"rule": "a"}]', "a: expected one of keys, detect and pattern"),
        ('[{"rule": "a", "keys": ["x"], "pattern": "y"}]', "a: expected one of"),
        ('[{"rule": "A b", "keys": ["x"]}]', "expected a name of"),
        ('[{"rule": "a", "keys": ["--"]}]', "has no letter"),
        ('[{"rule": "a", "pattern": "("}]', "a: pattern: "),
        ('[{"rule": "a", "action": "erase", "keys": ["x"]}]', "action"),
        ('[{"rule": "a", "key": ["x"]}]', "unknown field"),
    ],
)
def test_bad_rules(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_rules(text)


def test_rules_are_read() -> None:
    text = (
        '[{"rule": "user", "keys": ["user"], "action": "hash"}, {"rule": "sql", "detect": "sql"}]'
    )
    assert parse_rules(text) == (
        Rule("user", Action.HASH, keys=("user",)),
        Rule("sql", detect=Detect.SQL),
    )
    assert parse_rules("") == ()
