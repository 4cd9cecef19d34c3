"""How many examples Hypothesis draws; without a deadline, since a slow machine is not a fault of the code.

`make test` draws the same examples each time, so that only a change of the code changes the result, and a
failure can be repeated. `make test-long` draws new ones, ten times as many, and prints how to repeat a
failure; its findings are added to the tests as literal examples.
"""

from hypothesis import HealthCheck, settings

LONG = "long"
_MORE = 10


def register() -> None:
    """The two profiles; the second is chosen with --hypothesis-profile=long."""
    slow = [HealthCheck.too_slow]
    settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=slow)
    settings.register_profile(
        LONG, deadline=None, max_examples=1000, print_blob=True, suppress_health_check=slow
    )
    settings.load_profile("steady")


def examples(count: int) -> int:
    """Settings for a number of examples in `make test`, more in `make test-long`."""
    return count * _MORE if settings.get_current_profile_name() == LONG else count
