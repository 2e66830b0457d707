"""ClickHouse URLs: what they mean, and what a bad one is answered with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.clickhouse.connection.address import Address, InvalidUrl, parse_url


def test_a_url_gives_an_address() -> None:
    assert parse_url("clickhouse://me:p%40ss%3A@db.example:9123/traces?timeout=7") == Address(
        "db.example", 9123, "me", "p@ss:", "traces", timeout=7.0
    )
    assert parse_url("clickhouse://db") == Address("db", 9000, "default", "", "raymap")
    assert parse_url("clickhouse://[::1]:9001/x").host == "::1"


def test_commas_separate_replicas() -> None:
    """In their order; the login is for all."""
    address = parse_url("clickhouse://me:p%2Cw@a,b:9001,[::1]/traces?timeout=7")
    assert address.hosts == (("a", 9000), ("b", 9001), ("::1", 9000))
    assert [each.name for each in address.each] == ["a:9000", "b:9001", "[::1]:9000"]
    assert {(each.user, each.password, each.timeout) for each in address.each} == {
        ("me", "p,w", 7.0)
    }
    assert address.replicated
    assert not parse_url("clickhouse://a").replicated
    assert parse_url("clickhouses://a,b:19440").hosts == (("a", 9440), ("b", 19440))


def test_a_service_of_clickhouse_cloud_is_several_servers() -> None:
    """Its name says so; behind another name of it the URL does."""
    named = parse_url("clickhouses://me:p@abc.eu-west-1.aws.clickhouse.cloud/raymap")
    assert (named.cloud, named.clustered, named.replicated, named.port) == (True, True, False, 9440)
    assert parse_url("clickhouses://private.example?cloud=1").cloud
    assert not parse_url("clickhouses://abc.clickhouse.cloud?cloud=0").clustered
    assert not parse_url("clickhouse://clickhouse.cloud.example").cloud
    assert parse_url("clickhouse://a,b").clustered


def test_tls_has_a_port_of_its_own() -> None:
    assert parse_url("clickhouses://db").port == 9440
    assert parse_url("clickhouse://db?secure=1").port == 9440
    assert parse_url("clickhouses://db:19440").port == 19440


def test_an_address_survives_its_own_url() -> None:
    address = Address("::1", 9001, "u:ser", "p/w@d#?%,", "da ta")
    assert parse_url(address.url) == address
    address = replace(address, others=(("b", 9000), ("::2", 9001)))
    assert parse_url(address.url) == address
    assert "p/w" not in address.name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://db:8123", "begins with clickhouse://"),
        ("db:9000", "begins with clickhouse://"),
        ("clickhouse://", "names no host"),
        ("clickhouse://a,,b", "names no host"),
        ("clickhouse://a,b,a:9000", "a replica twice"),
        ("clickhouse://db:port/x", "no usable port"),
        ("clickhouse://db/a/b", "expected one word"),
        ("clickhouse://u:a#b@db", "'#'"),
        ("clickhouse://db?compression=gzip", "lz4, zstd or none"),
        ("clickhouse://db?timeout=never", "expected seconds"),
        ("clickhouse://db?secure=maybe", "expected 0 or 1"),
        ("clickhouse://db?cloud=maybe", "expected 0 or 1"),
        ("clickhouse://a.clickhouse.cloud,b.clickhouse.cloud", "the one name of a service"),
        ("clickhouse://a,b?cloud=1", "the one name of a service"),
        ("clickhouse://db?ssl=1", "known are"),
    ],
)
def test_a_bad_url_says_which_part(url: str, message: str) -> None:
    with pytest.raises(InvalidUrl) as raised:
        parse_url(url)
    assert message in str(raised.value)
