"""The help of the evaluation: its table of examples keeps its lines."""

from __future__ import annotations

import pytest

from models.evaluation.evaluate import parse


def test_examples_stand_one_a_line(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"])
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("examples (python -m models.evaluate --clips DIR ...):")
    examples = lines[start + 1 : lines.index("", start)]
    assert len(examples) == 5 and all(line.startswith("  --") for line in examples)
    assert len({line.rindex("  ") for line in examples}) == 1, "what it does begins in one column"
