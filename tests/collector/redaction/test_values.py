"""One value under one key: masked, hashed, dropped, or the same object."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.redaction.defaults import DEFAULTS
from collector.redaction.rules import Action, Detect, Rule, normalize, parse_rules
from collector.redaction.values import DROPPED, Redaction, Rules
from store.masks import count_masks, is_mask

CARD = "4111 1111 1111 1111"


def redaction(*rules: Rule) -> Redaction:
    return Redaction(Rules(rules or DEFAULTS, lambda: b"s" * 32))


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "db.password", "userPassword", "user-passwd", "http.request.header.authorization",
        "Authorization", "proxy-authorization", "http.request.header.x-api-key", "X-Api-Key", "apiKey", "apikey",
        "http.response.header.set-cookie", "Cookie", "access_token", "csrfToken", "client.secret", "password[]",
        "pwd", "Pwd", "DB_PWD", "pass", "smtp.pass", "credential", "credentials", "jwt", "cvv", "ssn", "iban",
        "passwords", "api_keys", "apiKeys", "secrets", "cookies", "access_tokens", "passwordHash",
        "password_digest", "userPasswordConfirmation", "SecretString", "X-Auth", "X-Session-Id",
        "http.request.header.x-session-id", "X-Amz-Security-Token", "X-Amz-Credential", "AWSAccessKeyId",
        "JSESSIONID", "SAMLResponse", "code_verifier", "tokenHash", "dbpassword",
    ],
)  # fmt: skip
def test_secret_keys(key: str) -> None:
    assert is_mask(redaction().keyed(key, "abc"))
    assert is_mask(redaction().keyed(key, 12345))


@pytest.mark.parametrize(
    "key",
    [
        "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "max_tokens", "tokens", "token_count", "tokenizer",
        "token_type", "password_changed", "secretary", "", "http.response.status_code", "code", "error_code",
        "status_code", "country_code", "key", "aws.s3.key", "sort_key", "partition_key", "session.id",
        "session.count", "session_id", "monkey", "turkey", "keyboard", "author", "authority", "passenger",
        "passengers", "compass", "bypass", "passed", "password_length", "cookie_count", "db.statement", "signature",
        "auth.type", "card.type", "encryption", "ibanez", "span", "pan.zoom", "discard",
    ],
)  # fmt: skip
def test_other_keys_stay(key: str) -> None:
    value = "abc"
    assert redaction().keyed(key, value) is value


def test_a_key_is_words() -> None:
    assert normalize("http.request.header.X-Api-Key") == "http_request_header_x_api_key"
    assert normalize("apiKey") == "api_key"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h/p?token=abc&x=1", "https://h/p?token=***token***&x=1"),
        ("https://h/p?x=1&access_token=abc#top", "https://h/p?x=1&access_token=***token***#top"),
        ("Server=db;User Id=u;Password=p w;", "Server=db;User Id=u;Password=***password*** w;"),
        ("Server=db;Uid=u;Pwd=x1;Encrypt=no", "Server=db;Uid=u;Pwd=***password***;Encrypt=no"),
        ('{"password": "a b", "x": 1}', '{"password": "***password***", "x": 1}'),
        ('{"password": "a\\"b", "x": 1}', '{"password": "***password***", "x": 1}'),
        ('{"password": "cut of', '{"password": "***password***'),
        ('{"a": {"token": 123}}', '{"a": {"token": "***token***"}}'),
        (r"body: {\"password\":\"a\"}", r"body: {\"password\":\"***password***\"}"),
        (
            r"x {\\\"jwt\\\":\\\"a\\\",\\\"b\\\":1}",
            r"x {\\\"jwt\\\":\\\"***token***\\\",\\\"b\\\":1}",
        ),
        ("{'password': 'a', 'b': 1}", "{'password': '***password***', 'b': 1}"),
        ('{"secret"=>"a", "b"=>1}', '{"secret"=>"***password***", "b"=>1}'),
        ('level=info password="a b" x=1', 'level=info password="***password***" x=1'),
        (f"paid with {CARD}.", "paid with ***card***."),
        ("GET /pay/4111111111111111", "GET /pay/***card***"),
        ("amex 3782-822463-10005", "amex ***card***"),
        ("sent Bearer abcdefghijklmnop.qrst-uvw== to x", "sent Bearer ***bearer*** to x"),
        ("sent Basic dXNlcjpwYXNz to x", "sent Basic ***basic*** to x"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: ***authorization***"),
        (
            "authorization: AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=h, Signature=f x",
            "authorization: ***authorization*** x",
        ),
        ("Set-Cookie: sid=abc; Path=/; HttpOnly", "Set-Cookie: ***cookie***"),
        ("Cookie: a=b; c=d, next", "Cookie: ***cookie***, next"),
        ("login with password hunter4 failed", "login with password ***password*** failed"),
        ("the password is hunter4!", "the password is ***password***"),
        ("invalid token: abc", "invalid token: ***token***"),
        ("api key: abc, user: u", "api key: ***token***, user: u"),
        ("IBAN: DE89 3704 0044 0532 0130 00 (ana)", "IBAN: ***personal*** (ana)"),
        ("https://u:PW@h/p", "https://***userinfo***@h/p"),
        ("postgres://u:p@ss@h:5432/db", "postgres://***userinfo***@h:5432/db"),
        ("jdbc:postgresql://u:PW@h/db", "jdbc:postgresql://***userinfo***@h/db"),
        ("jdbc:oracle:thin:scott/tiger@//h:1521/x", "jdbc:oracle:thin:***userinfo***@//h:1521/x"),
        ("u:PW@tcp(127.0.0.1:3306)/db", "***userinfo***@tcp(127.0.0.1:3306)/db"),
        ("redis://:PW@h:6379/0", "redis://***userinfo***@h:6379/0"),
        ("https://h/a?sig=abc&se=1", "https://h/a?sig=***signature***&se=1"),
        (
            "https://h/a?X-Amz-Credential=A%2Fb&X-Amz-Signature=f",
            "https://h/a?X-Amz-Credential=***signature***&X-Amz-Signature=***signature***",
        ),
        (
            "/a?X-Amz-Security-Token=f&X-Goog-Signature=g",
            "/a?X-Amz-Security-Token=***token***&X-Goog-Signature=***signature***",
        ),
        (
            "/a?AWSAccessKeyId=f&Signature=g",
            "/a?AWSAccessKeyId=***signature***&Signature=***signature***",
        ),
        ("/cb?code=abcd&state=1", "/cb?code=***parameter***&state=1"),
        ("/a?x=1&key=abc&session_id=s", "/a?x=1&key=***parameter***&session_id=***parameter***"),
        ("see url=https://h/p?token=abc&x=1", "see url=https://h/p?token=***token***&x=1"),
        ('msg="got token=abc, retry"', 'msg="got token=***token***, retry"'),
        (
            '{"body": "{\\"password\\": \\"x\\"}", "a": 1}',
            '{"body": "{\\"password\\": \\"***password***\\"}", "a": 1}',
        ),
        ("/pay?cvv=123&code=404", "/pay?cvv=***card***&code=404"),
        ("grant_type=x&code=abcd", "grant_type=x&code=***parameter***"),
        ("code=abcd&grant_type=x", "code=***parameter***&grant_type=x"),
        ("used AKIAIOSFODNN7EXAMPLE here", "used ***secret*** here"),
        ("ghp_" + "a1B2" * 9 + " leaked", "***secret*** leaked"),
        ("xoxb-123456789012-abcdefGHIJKL", "***secret***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl x", "***secret*** x"),
        (
            "a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b",
            "a ***secret*** b",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut", "***secret***"),
    ],
)
def test_parts_of_texts(text: str, expected: str) -> None:
    assert redaction().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112", "0.4111111111111111", "x4111111111111111", "4111111111111111a",
        "1700000000000000000", "5795c2a7-1234-4321-4111-111111111111", "a=b&c=d", "the bearer of bad news",
        "4111111111111111", "order-4111111111111111 is late", "http://svc-4111111111111111:80/x",
        "http://4111111111111111.example/x", "20261129123005123 at 1795560000000000", "1234567812345670",
        "status code=404 key=orders/1.json", "/error?code=404&page=2", "code=500", "error_code=abc&monkey=x",
        "turkey=abc", "?author=ana&sort_key=x", "password: required", "password must be at least 8 characters",
        "Password: must not be empty", "token: expired", "Unexpected token: }", "password reset for ana",
        "the password incorrect", "mail ana@example.com", "see http://h/@user", "//h:80/a@b", "git@github.com:x/y",
        "Basic authentication failed", "basic YWJjZGVm", "session.count: 3", "gen_ai.usage.input_tokens: 12",
        "token_count=12&max_tokens=5", "compass: north", "passenger: ana", "12:30:05 done: ok", "AKIAshort", "eyJhIjoxfQ",
        "SELECT * FROM keys WHERE code = 'x' AND key = 5", "/a?keyboard=x&codes=1", "pass: 12, fail: 0",
    ],
)  # fmt: skip
def test_texts_that_stay(text: str) -> None:
    assert redaction().text(text) is text


def test_numbers() -> None:
    """A whole number, also as a text, is a card's only where its key says so."""
    for key in ("card", "pan", "cc_number", "payment.cardNumber"):
        assert redaction().keyed(key, 4111111111111111) == "***card***"
        assert redaction().keyed(key, "4111111111111111") == "***card***"
        assert redaction().keyed(key, 4111111111111112) == 4111111111111112
    for key in ("n", "order_id", "time", "span", "discard"):
        assert redaction().keyed(key, 4111111111111111) == 4111111111111111
        assert redaction().keyed(key, "4111111111111111") == "4111111111111111"
        assert redaction().keyed(key, True) is True
    assert redaction().keyed("order", CARD) == "***card***"
    assert redaction().keyed("body", "order 4111111111111111 of card-4111111111111111") == (
        "order ***card*** of card-***card***"
    )


@pytest.mark.parametrize(
    "name", ["svc-4111111111111111", "4111111111111111", CARD, "pay 4111111111111111"]
)
def test_names_are_no_cards(name: str) -> None:
    assert redaction().name(name) is name
    for key in (
        "service.name",
        "peer.service",
        "rpc.method",
        "http.route",
        "server.address",
        "queue_url",
    ):
        assert redaction().keyed(key, name) is name


def test_names_with_unmistakable_secrets() -> None:
    assert (
        redaction().name("GET http://u:p@h/?token=x")
        == "GET http://***userinfo***@h/?token=***token***"
    )
    assert redaction().name("Reset password: step2") == "Reset password: step2"


def test_queries_begin_with_a_parameter() -> None:
    assert redaction().keyed("url.query", "code=abcd") == "code=***parameter***"
    assert redaction().keyed("http.target", "code=abcd") == "code=abcd"


def test_nothing_is_masked_twice() -> None:
    text = (
        f"https://u:p@h/?token=x&code=abcd paid {CARD}, password: hunter4, Bearer abcdefghijklmnopq"
    )
    first = redaction()
    once = first.text(text)
    assert first.counts == {
        "userinfo": 1, "token": 1, "parameter": 1, "card": 1, "password": 1, "bearer": 1,
    }  # fmt: skip
    assert redaction().text(once) is once
    assert count_masks([once.encode()]) == first.counts


@pytest.mark.parametrize(
    "unit",
    ["\\", '"password":"', "password='", "token=", '"a":', "a: ", "//u", "//@", "Basic a", "4111-", "eyJ", "?key=", "-----BEGIN A"],
)  # fmt: skip
def test_hostile_texts_take_linear_time(unit: str) -> None:
    """Generous: quadratic time would be minutes."""
    text = unit * (300_000 // len(unit))
    begun = time.thread_time()
    redaction().text(text)
    redaction().text("password=1 u@h " + text + "@")
    assert time.thread_time() - begun < 10


@given(st.text(alphabet="password=:\"' {}\\&?@/-1a", max_size=60))
def test_any_text_is_masked_once(text: str) -> None:
    once = redaction().text(text)
    assert redaction().text(once) == once


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
    assert redaction(*rules).keyed("x.token", "v") == "***a***"
    assert redaction(*rules).keyed("x.csrf_token", "v") is DROPPED


def test_a_pattern() -> None:
    rule = Rule("email", Action.HASH, pattern=r"[\w.]+@[\w.]+\w")
    found = redaction(rule).text("mail to ana@example.org, soon")
    assert found.startswith("mail to hash:")
    assert found.endswith(", soon")


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


def test_parameters_of_your_own() -> None:
    (rule,) = parse_rules('[{"rule": "voucher", "keys": ["voucher"], "parameters": ["v"]}]')
    own = redaction(rule)
    assert own.text("/pay?v=abcd&voucher=x") == "/pay?v=***voucher***&voucher=***voucher***"
    assert own.text("v=abcd") == "v=abcd"
    assert own.keyed("v", "abcd") == "abcd"


def test_rules_are_read() -> None:
    text = (
        '[{"rule": "user", "keys": ["user"], "action": "hash"}, {"rule": "sql", "detect": "sql"}]'
    )
    assert parse_rules(text) == (
        Rule("user", Action.HASH, keys=("user",)),
        Rule("sql", detect=Detect.SQL),
    )
    assert parse_rules("") == ()
