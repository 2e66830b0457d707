"""How long things take: one log-normal distribution per resource, a few answers slow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Latency:
    """Half of the draws are below `median` seconds; `sigma` 0.3 is steady, 0.8 has a long tail."""

    median: float
    sigma: float = 0.35

    def draw(self, random: Random) -> float:
        return self.median * math.exp(random.gauss(0.0, self.sigma))

    def times(self, factor: float) -> Latency:
        return Latency(self.median * factor, self.sigma)


NETWORK = Latency(0.0015, 0.3)
CODE = Latency(0.004, 0.5)
GATEWAY = Latency(0.006, 0.35)
COGNITO = Latency(0.028, 0.45)
LAMBDA_DWELL = Latency(0.009, 0.4)
LAMBDA_INIT = Latency(0.42, 0.35)
LAMBDA_OVERHEAD = Latency(0.0006, 0.5)
DYNAMODB_READ = Latency(0.0045, 0.45)
DYNAMODB_WRITE = Latency(0.0075, 0.5)
S3_GET = Latency(0.032, 0.5)
S3_PUT = Latency(0.055, 0.55)
S3_LIST = Latency(0.021, 0.4)
SNS_PUBLISH = Latency(0.018, 0.4)
SQS_CALL = Latency(0.011, 0.4)
PUT_EVENTS = Latency(0.016, 0.4)
KINESIS_PUT = Latency(0.013, 0.5)
START_EXECUTION = Latency(0.025, 0.4)
STATE_CHANGE = Latency(0.022, 0.3)
SQL_QUERY = Latency(0.0035, 0.6)
SQL_COMMIT = Latency(0.006, 0.5)
MAIL_PROVIDER = Latency(0.09, 0.4)
RECOMMEND = Latency(0.03, 0.5)
PAYMENT_PROVIDER = Latency(0.24, 0.45)
RESIZE = Latency(0.31, 0.4)
RESOLVER = Latency(0.002, 0.4)
EVENT_DELAY = Latency(0.35, 0.6)
ETL_TRANSFORM = Latency(0.9, 0.4)
CARRIER_WAIT = Latency(2.6, 0.4)
CHAT = Latency(1.1, 0.5)
KAFKA_SEND = Latency(0.004, 0.5)
KAFKA_LAG = Latency(0.25, 0.6)
SIDECAR = Latency(0.0008, 0.4)
