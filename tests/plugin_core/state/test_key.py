"""What a state is valid for: which settings a key names, and what it means that one is missing."""

from __future__ import annotations

import pytest

from plugin_core.errors import StateError
from plugin_core.job.settings import Settings, Shot
from plugin_core.state.key import check_key, chosen, differences, same_choice, settings_key

SHOT = {"plate": "p.####.exr", "matte": "m.####.png", "output": "o.####.exr"}

FIRST_DEFAULTS = {
    "grow": "0",
    "feather": "0",
    "feather side": "outside",
    "matte channel": "auto",
    "matte invert": "False",
    "matte threshold": "0.05",
    "matte soft": "False",
    "matte union": "0",
    "propagate": "48",
    "grain": "off",
    "border match": "auto",
    "warmup": "0",
    "region": "auto",
    "context": "None",
    "working size": "None",
    "exposure": "auto",
    "pre roll": "None",
}
"""The settings of the first release, which spelled all of them out in its keys, as they were by default."""

FIRST = {"grow": 0, "feather": 0, "paint": "network"}
"""What settings without a default of their own were at first."""


def test_only_settings_without_their_default_are_named():
    assert settings_key(Settings(**FIRST)) == {}
    named = settings_key(Settings(**FIRST | {"grow": 4}, matte_soft=True, working_size=512))
    assert named == {"grow": "4", "matte soft": "True", "working size": "512"}


def test_a_default_that_has_changed_is_named_and_its_absence_is_what_it_was():
    """grow and feather were 0 until 0.2, and paint the network's: a state of then is refused for more."""
    assert settings_key(Settings()) == {"grow": "2", "feather": "2", "paint": "auto"}
    check_key({}, settings_key(Settings(**FIRST)), "It")
    check_key(FIRST_DEFAULTS, settings_key(Settings(**FIRST)), "It")
    with pytest.raises(
        StateError, match=r"feather is 0, .*; grow is 0, .*; paint is network, this render has auto"
    ):
        check_key({}, settings_key(Settings()), "It")
    now = {"grow": 2, "feather": 2, "paint": "auto"}
    assert same_choice(now, Settings()) and not same_choice({}, Settings())
    assert chosen(Settings()) == now and chosen(Settings(**FIRST)) == {}


def test_without_the_search_nothing_is_painted_whatever_is_asked_for():
    assert settings_key(Settings(**FIRST | {"paint": "auto"}, propagate=0)) == {"propagate": "0"}
    assert "paint" in settings_key(Settings(**FIRST | {"paint": "off"}, propagate=0))


def test_what_a_missing_setting_means_never_changes():
    """A key that does not name a setting was made with these values, by whatever version."""
    assert differences(FIRST_DEFAULTS, {}) == []


def test_a_key_that_spells_all_out_is_as_good_as_one_that_does_not():
    ours = {"model": "a", **settings_key(Settings(**FIRST | {"grow": 4}))}
    theirs = {"model": "a", **FIRST_DEFAULTS, "grow": "4"}
    check_key(theirs, ours, "It")
    check_key(ours, theirs, "It")


def test_what_differs_is_told_with_the_default_that_was_not_written_down():
    ours = settings_key(Settings(**FIRST, grain="auto"))
    assert differences(FIRST_DEFAULTS, ours) == [("grain", "off", "auto")]
    assert differences({}, ours) == [("grain", "off", "auto")]
    assert differences(ours, {}) == [("grain", "auto", "off")]
    with pytest.raises(StateError, match="It belongs to another render: grain is off, this render has auto"):
        check_key(FIRST_DEFAULTS, ours, "It")


def test_a_setting_that_this_version_does_not_know_is_refused_where_it_was_used():
    with pytest.raises(StateError, match="glaze is auto, this render has none"):
        check_key({"glaze": "auto"}, settings_key(Settings(**FIRST)), "It")


def test_a_choice_is_the_same_with_and_without_its_defaults():
    asked = Shot(**SHOT, cuts=(12,))
    assert chosen(asked) == {**SHOT, "cuts": [12]}
    assert same_choice(chosen(asked), asked)
    assert same_choice(asked.model_dump(mode="json"), asked)
    assert not same_choice({**SHOT}, asked) and not same_choice({**SHOT, "cuts": [12], "lens": 1}, asked)
    assert same_choice({}, Settings(**FIRST)) and not same_choice({}, Settings(**FIRST | {"grow": 1}))
    assert not same_choice(None, Settings())
