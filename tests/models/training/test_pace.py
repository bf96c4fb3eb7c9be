"""How long a run is, how its rate goes, and the average that follows it."""

from __future__ import annotations

import pytest
import torch

from models.training.pace import Limits, RunningAverage, Schedule, cosine


def test_a_run_ends_by_its_minutes_or_its_steps() -> None:
    limits = Limits(minutes=10, steps=100)
    assert not limits.over(99, 9.9)
    assert limits.over(100, 0) and limits.over(0, 10)
    assert not Limits(minutes=10).over(10**9, 9.9)
    assert Limits(minutes=10, steps=0).over(0, 0)


def test_the_rate_falls_over_the_schedules_steps_or_else_over_the_minutes() -> None:
    assert Limits(minutes=10, schedule=200).done(50, 9) == 0.25
    assert Limits(minutes=10, steps=200).done(50, 9) == 0.9
    assert Limits(minutes=10, schedule=200).done(500, 9) == 1


def test_a_rate_rises_over_the_first_steps_and_falls_to_its_floor() -> None:
    schedule = Schedule(1e-3, warm=10, fall=cosine(0.02))
    assert schedule.at(0, 0) == pytest.approx(1e-4)
    assert schedule.at(9, 0) == schedule.at(50, 0) == pytest.approx(1e-3)
    assert schedule.at(50, 0.5) == pytest.approx(0.51e-3)
    assert schedule.at(50, 1) == pytest.approx(2e-5)


def test_an_average_begins_as_the_mean_of_all_steps_and_becomes_a_long_one() -> None:
    average = RunningAverage({"w": torch.zeros(1)}, decay=0.9, early=1)
    values = [4.0, 2.0, 6.0]
    for step, value in enumerate(values, 1):
        average.follow({"w": torch.tensor([value])}, step)
    # The start counts as one more value.
    assert average.tensors["w"].item() == pytest.approx(sum(values) / 4)
    average.follow({"w": torch.tensor([13.0])}, 1000)
    assert average.tensors["w"].item() == pytest.approx(3 + 0.1 * 10)
