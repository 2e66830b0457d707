"""Errors of a ClickHouse connection: which of them are transient or a limit, and their text without a stack trace."""

from __future__ import annotations

from clickhouse_driver import errors as driver_errors

# Server errors after which the same statement may succeed later.
TRANSIENT_CODES = frozenset(
    {
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR: the disk is full, or failing
        173,  # CANNOT_ALLOCATE_MEMORY
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED: the server is shutting down
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: a replica lost its coordination service
        243,  # NOT_ENOUGH_SPACE on the disk
        252,  # TOO_MANY_PARTS: merges lag behind inserts
        279,  # ALL_CONNECTION_TRIES_FAILED: a shard is down
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED: the server is shutting down
        439,  # CANNOT_SCHEDULE_TASK: no thread is free
        499,  # S3_ERROR: the server's object storage
        745,  # SERVER_OVERLOADED
        999,  # the coordination service failed
    }
)

DATA_CODES = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        69,  # ARGUMENT_OUT_OF_BOUND
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
        407,  # DECIMAL_OVERFLOW
        469,  # VIOLATED_CONSTRAINT
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)
"""Server errors that a value in the data causes: without it the same insert succeeds."""


LIMIT_CODES = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED: longer than max_execution_time
        160,  # TOO_SLOW: an estimate of that, after some seconds
    }
)
"""Server errors that end a query at a limit of its own."""
OWN_MEMORY = "Query memory limit exceeded"
"""How MEMORY_LIMIT_EXCEEDED begins if it is the query's own limit (max_memory_usage); else it is one of the server or
the user, of which other queries have taken a part."""

LOGIN_CODES = frozenset(
    {
        192,  # UNKNOWN_USER
        193,  # WRONG_PASSWORD
        195,  # IP_ADDRESS_NOT_ALLOWED
        291,  # DATABASE_ACCESS_DENIED
        497,  # ACCESS_DENIED
        516,  # AUTHENTICATION_FAILED
    }
)
"""Server errors by which it says that a user is unknown or not permitted."""


class ClickHouseUnavailable(Exception):
    """ClickHouse did not answer within the time allowed."""


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may succeed later.

    True for the network, a timeout, a lost connection, a server that is overloaded or shutting
    down. False when the server understood and refused the statement.
    """
    if isinstance(error, driver_errors.ServerException):
        return error.code in TRANSIENT_CODES
    connection_errors = (
        ClickHouseUnavailable,
        driver_errors.NetworkError,
        driver_errors.SocketTimeoutError,
        driver_errors.UnexpectedPacketFromServerError,
        EOFError,
        OSError,
    )
    return isinstance(error, connection_errors)


def exceeds_limit(error: BaseException) -> bool:
    """Whether the server ended a query at a limit of its own: repeated, it is ended again."""
    if not isinstance(error, driver_errors.ServerException):
        return False
    return error.code in LIMIT_CODES or first_line(error).startswith(OWN_MEMORY)


def first_line(error: BaseException) -> str:
    """The driver's message, without the server's stack trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    messages = [line for line in lines if not line.startswith(("Code:", "Stack trace:"))]
    text = (messages or lines or [type(error).__name__])[0]
    return text.removeprefix("DB::Exception: ").removesuffix(" Stack trace:")
