"""Error codes by which AWS services say 429 in an HTTP 400 (botocore's standard retry mode).

Node's SDK sets the throttle flag for them, Python's does not; here both come out purple. Both decoders read this table.
"""

from __future__ import annotations

THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
