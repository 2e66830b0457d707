"""The limit of sign-in attempts."""

from __future__ import annotations

from raymap.auth.login_limiter import LoginLimiter

ANA, BOB, HERE = "user ana", "user bob", "address a"


def attempt(
    limiter: LoginLimiter, user: str, address: str, now: float, good: bool = False
) -> float:
    """The wait that an attempt is answered with; 0 if it is looked at."""
    with limiter.attempt(user, address, now) as found:
        found.succeeded = good
    return found.wait


def test_failures_wait_twice_as_long_each_time() -> None:
    limiter, now, waits = LoginLimiter(), 10.0, []
    assert [attempt(limiter, ANA, HERE, now) for _ in range(LoginLimiter.FREE)] == [0.0] * 5
    for _ in range(10):
        waits.append(attempt(limiter, ANA, HERE, now))
        now += waits[-1]
        assert attempt(limiter, ANA, HERE, now) == 0
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LoginLimiter.MAX_WAIT
    assert attempt(limiter, BOB, HERE, now) == LoginLimiter.MAX_WAIT, "also for other names"
    assert attempt(limiter, BOB, "", now) == 0
    assert attempt(limiter, ANA, HERE, now + LoginLimiter.FORGET) == 0


def test_of_one_user_one_attempt_is_looked_at_at_a_time() -> None:
    limiter = LoginLimiter()
    with limiter.attempt(ANA, HERE, 10.0) as first:
        assert first.wait == 0
        assert attempt(limiter, ANA, "address b", 10.0) > 0
        assert attempt(limiter, BOB, HERE, 10.0) == 0
    assert attempt(limiter, ANA, HERE, 10.0) == 0


def test_attempts_in_flight_count_as_failures() -> None:
    """Of one address with many names, too: they are counted before any password is verified."""
    limiter, seen = LoginLimiter(), []

    def nested(left: int) -> None:
        with limiter.attempt(f"user {left}", HERE, 10.0) as found:
            seen.append(found.wait)
            if left:
                nested(left - 1)

    nested(9)
    assert seen == [0.0] * LoginLimiter.FREE + [LoginLimiter.FIRST_WAIT] * 5


def test_success_forgets_a_users_failures_and_not_the_addresss() -> None:
    limiter = LoginLimiter()
    for _ in range(LoginLimiter.FREE - 1):
        attempt(limiter, ANA, HERE, 10.0)
    assert attempt(limiter, ANA, HERE, 10.0, good=True) == 0
    assert attempt(limiter, ANA, "", 10.0) == 0
    assert attempt(limiter, BOB, HERE, 10.0) == 0
    assert attempt(limiter, BOB, HERE, 10.0) > 0


def test_its_memory_is_bounded() -> None:
    limiter = LoginLimiter()
    for number in range(LoginLimiter.MOST + 10):
        attempt(limiter, f"user {number}", "", 10.0)
    assert len(limiter._failures) == LoginLimiter.MOST
    assert not limiter._in_flight
