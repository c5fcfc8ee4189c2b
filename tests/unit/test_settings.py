from __future__ import annotations

import json

import pytest

import trackcore as tc
from trackcore.settings import SETTING_NAMES


def test_the_names_are_the_documented_ones() -> None:
    documented = ("pattern_size", "search_size", "correlation", "threshold", "motion_model")
    assert documented == SETTING_NAMES
    assert tuple(tc.Settings().to_dict()) == documented


def test_ranges_are_those_of_the_training_data_guide() -> None:
    ranges = {k.name: (k.lo, k.hi) for k in tc.Settings.knobs() if k.lo is not None}
    assert ranges == {
        "pattern_size": (5, 31),
        "search_size": (25, 151),
        "correlation": (0.5, 0.95),
        "threshold": (0.1, 0.5),
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("pattern_size", 33), ("pattern_size", 14), ("search_size", 23), ("correlation", 0.4),
     ("threshold", 0.6), ("motion_model", "Rigid"), ("threshold", float("nan"))],
)  # fmt: skip
def test_settings_outside_the_documents_do_not_exist(name: str, value: object) -> None:
    with pytest.raises(tc.InputError, match=name):
        tc.Settings(**{name: value})


def test_presets_outside_are_clamped_and_even_sizes_rounded_up() -> None:
    # What the superseded add-on makes of a drone shot.
    settings = tc.Settings.clamped(
        pattern_size=24, search_size=152.4, correlation=0.45, threshold=0.081, motion_model="affine"
    )
    assert settings.to_dict() == {
        "pattern_size": 25,
        "search_size": 151,
        "correlation": 0.5,
        "threshold": 0.1,
        "motion_model": "Affine",
    }


@pytest.mark.parametrize("size", [4.0, 5.0, 5.2, 6, 30, 30.5, 31.0, 400])
def test_a_clamped_size_is_odd_and_never_smaller_than_asked_unless_at_the_limit(
    size: float,
) -> None:
    clamped = tc.Settings.clamped(pattern_size=size).pattern_size
    assert clamped % 2 == 1
    assert min(size, 31) <= clamped <= max(size + 2, 5)


def test_settings_survive_json() -> None:
    settings = tc.Settings(pattern_size=21, correlation=0.55, motion_model=tc.MotionModel.AFFINE)
    assert tc.Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_a_missing_key_has_its_default_and_an_unknown_one_is_refused() -> None:
    assert tc.Settings.from_dict({"threshold": 0.2}) == tc.Settings(threshold=0.2)
    with pytest.raises(tc.InputError, match="patern_size"):
        tc.Settings.from_dict({"patern_size": 15})


@pytest.mark.parametrize("value", ["15", None, True, float("inf"), float("nan")])
def test_what_is_no_number_is_refused_not_clamped(value: object) -> None:
    with pytest.raises(tc.InputError, match="pattern_size"):
        tc.Settings.from_dict({"pattern_size": value})
