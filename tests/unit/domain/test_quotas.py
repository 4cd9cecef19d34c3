"""Quotas: windows of China's clock, judged as by a list of everything that was asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.quotas import QuotasSection
from node.domain.quotas import DAYS, DayUse, Measure, Moment, Window, add_use, judge, used_in
from node.governance.quotas import limits_of

CHINA = ZoneInfo("Asia/Shanghai")  # the oracle's: not our fixed offset
POINTS, SENSITIVE = Measure.POINTS, Measure.SENSITIVE_POINTS
SMALL = {(POINTS, Window.HOUR): 10, (POINTS, Window.DAY): 25, (POINTS, Window.DAYS_30): 60}
START = datetime(2026, 2, 26, 15, 50, tzinfo=UTC)  # 23:50 in China
DEFAULTS = limits_of(QuotasSection(), ())
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 59, 600, 3_599, 3_600, 7_200, 43_200, 86_400, 5 * 86_400, 29 * 86_400]),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=40,
)


def put(uses: dict[int, DayUse], amount: int, at: datetime) -> None:
    new = add_use(uses.values(), amount, at)
    uses[new.day] = new


def recent(uses: dict[int, DayUse], at: datetime) -> list[DayUse]:
    return [use for use in uses.values() if use.day > Moment(at).day - DAYS]


def total_in(window: Window, asked: list[tuple[datetime, int]], at: datetime) -> int:
    """By everything that was asked, with a calendar of our oracle's own."""
    local = at.astimezone(CHINA)

    def is_in(moment: datetime) -> bool:
        other = moment.astimezone(CHINA)
        if window is Window.HOUR:
            return (other.date(), other.hour) == (local.date(), local.hour)
        if window is Window.DAY:
            return other.date() == local.date()
        return timedelta(0) <= local.date() - other.date() <= timedelta(days=29)

    return sum(amount for moment, amount in asked if is_in(moment))


@given(STEPS)
def test_windows_are_those_of_a_list_of_everything(steps: list[tuple[int, int]]) -> None:
    now, uses, asked = START, dict[int, DayUse](), list[tuple[datetime, int]]()
    for seconds, amount in steps:
        now += timedelta(seconds=seconds)
        found = recent(uses, now)
        for window in Window:
            assert used_in(window, found, Moment(now)) == total_in(window, asked, now)
        over = [w for w in Window if total_in(w, asked, now) + amount > SMALL[POINTS, w]]
        verdict = judge(POINTS, amount, SMALL, found, now)
        assert (verdict.refusal is None) == (not over)
        if verdict.refusal is None:
            asked.append((now, amount))
            put(uses, amount, now)
        else:
            assert verdict.refusal.window in over


@given(STEPS)
def test_a_peer_that_comes_back_when_told_is_served_and_not_before(steps: list[tuple[int, int]]) -> None:
    now, uses = START, dict[int, DayUse]()
    for seconds, amount in steps:
        now += timedelta(seconds=seconds)
        refusal = judge(POINTS, amount, SMALL, recent(uses, now), now).refusal
        if refusal is None:
            put(uses, amount, now)
        elif refusal.retry_after is None:
            assert amount > SMALL[POINTS, Window.HOUR]
        else:
            later = now + refusal.retry_after
            assert judge(POINTS, amount, SMALL, recent(uses, later), later).refusal is None
            early = later - timedelta(microseconds=1)
            if early > now:
                assert judge(POINTS, amount, SMALL, recent(uses, early), early).refusal is not None


@given(STEPS)
def test_alerts_name_the_share_that_is_used(steps: list[tuple[int, int]]) -> None:
    now, uses, asked = START, dict[int, DayUse](), list[tuple[datetime, int]]()
    for seconds, amount in steps:
        now += timedelta(seconds=seconds)
        verdict = judge(POINTS, amount, SMALL, recent(uses, now), now)
        levels = {}
        for window in Window:
            share = (total_in(window, asked, now) + amount) / SMALL[POINTS, window]
            level = max((level for level in (50, 80, 100) if share >= level / 100), default=0)
            if level and (verdict.refusal is None or share > 1):
                levels[window] = level
        assert {alert.window: alert.level for alert in verdict.alerts} == levels
        if verdict.refusal is None:
            asked.append((now, amount))
            put(uses, amount, now)


MIDNIGHT = datetime(2026, 2, 26, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "window", "retry"),
    [
        (MIDNIGHT - timedelta(minutes=10), Window.DAY, timedelta(minutes=10)),
        (MIDNIGHT - timedelta(microseconds=1), Window.DAY, timedelta(seconds=1)),
        (MIDNIGHT, Window.DAY, timedelta(days=1)),
        (MIDNIGHT, Window.HOUR, timedelta(hours=1)),
        (MIDNIGHT + timedelta(minutes=59, seconds=30), Window.HOUR, timedelta(seconds=30)),
    ],
)
def test_windows_end_at_midnight_and_at_full_hours_of_china(
    at: datetime, window: Window, retry: timedelta
) -> None:
    uses = [add_use((), 10, at)]
    refusal = judge(POINTS, 1, {(POINTS, window): 10}, uses, at).refusal
    assert refusal is not None
    assert (refusal.window, refusal.retry_after) == (window, retry)
    assert refusal.rule == f"quota.points.{window}"
    assert judge(POINTS, 1, {(POINTS, window): 10}, uses, at + retry).refusal is None


def test_what_was_used_thirty_days_ago_is_free_again() -> None:
    limits = {(POINTS, Window.DAYS_30): 30}
    uses = [add_use((), 10, START + timedelta(days=day)) for day in (0, 1, 29)]
    now = START + timedelta(days=29)
    for amount, day in ((10, 30), (11, 31), (20, 31), (21, 59)):
        refusal = judge(POINTS, amount, limits, uses, now).refusal
        assert refusal is not None
        assert refusal.retry_after is not None
        back = now + refusal.retry_after
        assert back == datetime(2026, 2, 25, 16, tzinfo=UTC) + timedelta(days=day)


def test_the_longest_wait_is_told() -> None:
    evening = START - timedelta(hours=3)
    found = judge(POINTS, 1, SMALL, [add_use((), 25, evening)], evening).refusal
    assert found is not None
    assert (found.window, found.retry_after) == (Window.DAY, timedelta(hours=3, minutes=10))
    never = judge(POINTS, 26, SMALL, (), START).refusal
    assert never is not None
    assert (never.retry_after, never.window in (Window.HOUR, Window.DAY)) == (None, True)


def test_a_process_whose_clock_is_behind_does_not_begin_the_hour_again() -> None:
    """Two processes of a node, the second a moment behind at a full hour."""
    ahead, behind = START + timedelta(minutes=70), START + timedelta(minutes=69, seconds=59)
    use = add_use([add_use((), 4, ahead)], 4, behind)
    use = add_use([use], 2, ahead)
    assert used_in(Window.HOUR, [use], Moment(ahead)) == 10
    assert judge(POINTS, 1, SMALL, [use], behind).refusal is not None


@pytest.mark.parametrize("limit", [0, 1])
def test_a_quota_of_nothing_refuses_everything(limit: int) -> None:
    refusal = judge(POINTS, 2, {(POINTS, Window.HOUR): limit}, (), START).refusal
    assert refusal is not None
    assert refusal.retry_after is None


# ---- the defaults


def charged(queries: list[tuple[Measure, int]], at: datetime = MIDNIGHT) -> list[str]:
    """The rules that refuse queries of so many points, one after another."""
    refused, uses = [], dict[Measure, dict[int, DayUse]]()
    for measure, amount in queries:
        for each in {POINTS, measure}:
            refusal = judge(each, amount, DEFAULTS, recent(uses.setdefault(each, {}), at), at).refusal
            if refusal is None:
                put(uses[each], amount, at)
            else:
                refused.append(refusal.rule)
    return refused


def test_the_defaults_are_those_of_the_design() -> None:
    assert {f"{measure}.{window}": amount for (measure, window), amount in DEFAULTS.items()} == {
        "points.hour": 150_000,
        "points.day": 300_000,
        "points.30_days": 3_000_000,
        "sensitive_points.30_days": 600_000,
        "sums.30_days": 6,
        "sum_points.30_days": 300_000,
        "bytes.day": 20_000_000_000,
    }


def test_an_honest_list_of_100_000_passes_in_one_hour() -> None:
    assert charged([(POINTS, 102_400)]) == []


def test_a_batch_of_60_000_in_two_classes_passes_in_one_hour() -> None:
    assert charged([(POINTS, 61_440), (SENSITIVE, 61_440)]) == []


def test_a_county_of_22_million_numbers_does_not() -> None:
    sweep = [(POINTS, 10_240)] * 40
    refused = charged(sweep)
    assert set(refused) == {"quota.points.hour"}
    assert (len(sweep) - len(refused)) * 10_240 <= 150_000
    days = 22_000_000 / (DEFAULTS[POINTS, Window.DAYS_30] / 30)
    assert days > 200


@pytest.mark.parametrize("wrong", [{"points_hour": 300_001}, {"points_day": 3_000_001}, {"sums_30_days": -1}])
def test_quotas_that_do_not_fit_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must not decrease|greater than or equal"):
        QuotasSection(**wrong)


def test_use_is_kept_by_day() -> None:
    use = add_use((), 3, MIDNIGHT)
    assert use == DayUse(Moment(MIDNIGHT).day, 3, 0, 3)
    assert add_use([use], 4, MIDNIGHT) == replace(use, amount=7, in_hour=7)
    assert add_use([use], 4, MIDNIGHT + timedelta(hours=2)) == DayUse(use.day, 7, 2, 4)
    assert add_use([use], 4, MIDNIGHT + timedelta(days=1)) == DayUse(use.day + 1, 4, 0, 4)
