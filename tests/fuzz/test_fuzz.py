"""Two thousand files and messages that a stranger may send: one sentence each, or they are taken.

More of them, and others each time: ``python -m tests.benchmarks.soak --files 100000``.
"""

from __future__ import annotations

import pytest

from .run import try_target
from .targets import TARGETS, Target

pytestmark = pytest.mark.slow

EXAMPLES = 1000


def test_the_shares_make_a_whole():
    assert sum(target.share for target in TARGETS) == 100


@pytest.mark.usefixtures("no_sync")
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name.replace(" ", "-"))
def test_strangers(target: Target, tmp_path):
    tried = try_target(target, EXAMPLES, tmp_path, seed=None)
    assert tried.taken + tried.refused >= EXAMPLES * target.share // 100
    assert tried.refused > 0 and (tried.taken > 0 or target.is_always_refused), "both ways are tried"
