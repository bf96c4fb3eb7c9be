"""What fields say of themselves: all say it, and once."""

from __future__ import annotations

import typing

import pytest

from plugin_core.job.about import GROUPS, Group, abouts, paths_of
from plugin_core.job.catalog import catalog
from plugin_core.job.settings import PARTS, Run, Shot

FIELDS = [(name, about) for part in PARTS.values() for name, about in abouts(part).items()]


def test_no_two_parts_have_a_field_of_the_same_name():
    assert len({name for name, _ in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize(("name", "about"), FIELDS, ids=[name for name, _ in FIELDS])
def test_a_field_says_in_one_or_two_sentences_what_it_is(name, about):
    assert about.text[0].isupper() or about.text.startswith("auto"), about.text
    assert about.text.endswith(".")
    assert len(about.text) < 260
    assert about.label and about.group in GROUPS


def test_class_docstrings_do_not_repeat_the_fields():
    for part in PARTS.values():
        assert "Attributes" not in (part.__doc__ or "")


def test_the_groups_are_those_of_the_type():
    assert tuple(GROUPS) == typing.get_args(Group)
    assert {about.group for _, about in FIELDS} == set(GROUPS)


def test_choices_are_explained_one_by_one():
    for name, field in catalog()["fields"].items():
        about = dict(FIELDS)[name]
        assert tuple(about.choices) == tuple(field.get("choices", {})), name
        assert (field["kind"] == "choice") == bool(about.choices), name
        assert (field["kind"] in ("switch", "choice")) != bool(about.metavar), name


def test_sliders_stand_inside_what_is_allowed():
    for field in catalog()["fields"].values():
        if "slider" in field:
            low, high = field["slider"]
            assert field["minimum"] <= low <= field["default"] <= high <= field["maximum"]


def test_the_paths_of_a_job():
    paths = ("plate", "matte", "output", "reference", "ocio_config", "shadow_matte", "sample_matte", "patch")
    assert paths_of(Shot) == paths
    assert paths_of(Run) == ("state_in", "state_out", "progress_file", "cancel_file", "debug")
