"""How many examples Hypothesis draws, and how: no deadline, for a busy machine is no fault of the code.

`make test` draws the same examples each time: a change is judged by what it changed, and a failure is there
again when somebody looks. `make test-long` draws new ones, ten times as many, and prints how to repeat a
failure; what it finds is kept in the tests as a literal example.
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
    """So many examples in `make test`, more in `make test-long`."""
    return count * _MORE if settings.get_current_profile_name() == LONG else count
