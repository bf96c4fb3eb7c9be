"""Paths as another machine names them."""

from __future__ import annotations

import json

import pytest

from plugin_core.errors import SettingsError
from plugin_core.job.job import Job
from plugin_core.job.path_map import mapped, mapped_job, read_rules
from plugin_core.job.settings import Run, Shot


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        (["/show=/mnt/show"], "/show/sh010/plate.####.exr", "/mnt/show/sh010/plate.####.exr"),
        (["/show=/mnt/show"], "/showreel/plate.####.exr", "/showreel/plate.####.exr"),
        (["/show=/a", "/show/sh010=/b"], "/show/sh010/x.exr", "/b/x.exr"),
        (["/show=/a"], "/show", "/a"),
        ([r"P:\show=/mnt/show"], r"p:\Show\sh010\plate.%04d.exr", "/mnt/show/sh010/plate.%04d.exr"),
        ([r"\\server\share=/mnt"], r"\\server\share\a b\x.exr", "/mnt/a b/x.exr"),
        ([], "relative/x.exr", "relative/x.exr"),
    ],
)
def test_folder_by_folder(rules, path, expected):
    assert mapped(path, read_rules(rules)) == expected


def test_rules_as_open_job_description_hands_them_over(tmp_path):
    rule = {"source_path_format": "WINDOWS", "source_path": "P:\\show", "destination_path": "/mnt/show"}
    path = tmp_path / "rules=1.json"
    path.write_text(json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [rule]}))
    assert mapped("P:/show/x.exr", read_rules([str(path)])) == "/mnt/show/x.exr"
    path.write_text("{}")
    assert read_rules([str(path)]) == []


def test_every_path_of_a_job():
    shot = Shot(
        plate="/s/p.####.exr", matte="/s/m.png", output="/s/out", frames="1-9", ocio_config="/s/config.ocio"
    )
    run = Run(model="vinet", state_in="/s/a.state", cancel_file="/s/stop", debug="/s/look")
    job = Job(shot=shot, run=run)
    there = mapped_job(job, read_rules(["/s=/t"]))
    assert (there.shot.plate, there.shot.matte, there.shot.output) == ("/t/p.####.exr", "/t/m.png", "/t/out")
    assert there.shot.ocio_config == "/t/config.ocio"
    assert (there.run.model, there.run.state_in, there.run.cancel_file) == ("vinet", "/t/a.state", "/t/stop")
    assert there.run.debug == "/t/look"
    assert there.shot.frames == "1-9" and there.run.state_out is None


@pytest.mark.parametrize("text", ["/none", "=/x", "/x="])
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(SettingsError, match="--path-map takes FROM=TO"):
        read_rules([text])


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "rules.json").write_text('{"path_mapping_rules": [{"source": 1}]}')
    with pytest.raises(SettingsError, match="is not a file of path mapping rules"):
        read_rules([str(tmp_path / "rules.json")])
