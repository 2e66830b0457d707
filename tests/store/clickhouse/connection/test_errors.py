"""Which driver errors are transient, and which a limit of the query."""

from __future__ import annotations

from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.errors import exceeds_limit, is_transient


def test_transient_errors_are_distinguished_from_refusals() -> None:
    assert is_transient(driver_errors.NetworkError("gone"))
    assert is_transient(driver_errors.SocketTimeoutError("slow"))
    assert is_transient(EOFError("Unexpected EOF while reading bytes"))
    assert is_transient(ConnectionResetError())
    assert is_transient(driver_errors.ServerException("too many", 202))
    assert not is_transient(driver_errors.ServerException("unknown table", 60))
    assert not is_transient(driver_errors.ServerException("wrong password", 516))
    assert not is_transient(ValueError("a bug"))


def test_memory_that_others_use_is_no_limit_of_the_query() -> None:
    for whose, own in (("Query", True), ("User", False), ("(total)", False)):
        words = f"DB::Exception: {whose} memory limit exceeded: would use 1.00 MiB"
        error = driver_errors.ServerException(words, 241)
        assert (exceeds_limit(error), is_transient(error)) == (own, True)
    assert not exceeds_limit(TimeoutError("Query memory limit exceeded"))
