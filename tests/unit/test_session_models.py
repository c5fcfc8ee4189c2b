"""Records: what is kept, what is refused, and that the published schema is theirs."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from trackcore.errors import InputError, RecordError
from trackcore.frame_regions import REGIONS
from trackcore.session import models, schema, text
from trackcore.session.models import Session, vocabulary

PROJECT = Path(__file__).resolve().parents[2]
SMALLEST = {"timestamp": "2026-01-02T03:04:05", "resolution": [1920, 1080], "fps": 30,
            "success": True}  # fmt: skip
INTRINSICS = {
    "POLYNOMIAL": ("k1", "k2", "k3"),
    "DIVISION": ("division_k1", "division_k2"),
    "NUKE": ("nuke_k1", "nuke_k2"),
    "BROWN": ("brown_k1", "brown_k2", "brown_k3", "brown_k4", "brown_p1", "brown_p2"),
}


def session(**fields):
    return {**SMALLEST, **fields}


def read(**fields):
    return text.parse(Session, json.dumps(session(**fields)).encode())


def test_unknown_fields_are_kept_at_every_level():
    fields = session(
        future={"deep": [1, {"er": None}]},
        settings={"pattern_size": 15, "new_setting": "x"},
        tracks=[{"region": "center", "colour": [0.1, 0.2]}],
        region_stats={"center": {"total_tracks": 1, "sigma": 0.5}},
        visual_features={"contrast_stats": {"center": {"snr": 3}}},
        healing_attempts=[{"heal_success": True, "why": "looked right"}],
    )
    record = read(**fields)
    assert text.parse(Session, text.render(record.checked())).to_dict() == {
        "schema_version": 1, **fields,
    }  # fmt: skip


def test_what_was_not_recorded_is_not_written_and_null_stays_null():
    record = read(frame_of_failure=None)
    assert record.to_dict() == {"schema_version": 1, **SMALLEST, "frame_of_failure": None}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("solve_error", lambda bad: {"solve_error": bad}),
        ("tracks.0.trajectory.0.1",
         lambda bad: {"tracks": [{"region": "center", "trajectory": [[0.1, bad]]}]}),
        ("tracks.0.trajectory_confidence.0",
         lambda bad: {"tracks": [{"region": "center", "trajectory_confidence": [bad]}]}),
        ("ours", lambda bad: {"ours": {"deep": [bad]}}),
        ("diagnosis.evidence", lambda bad: {"diagnosis": {"evidence": [{"a": bad}]}}),
    ],
)  # fmt: skip
def test_nan_and_infinity_are_refused_wherever_they_are(bad, place, fields):
    with pytest.raises(RecordError, match=place):
        text.checked(Session, session(**fields(bad)))


def test_nan_that_was_put_into_a_record_later_is_refused_too():
    record = read(ours=[1.0], dead_zones=[], global_motion_vector=[0.0, 0.0])
    for change in ({"ours": [math.nan]}, {"solve_error": math.inf}):
        with pytest.raises(RecordError, match="finite"):
            text.checked(Session, record.model_copy(update=change))


def test_nan_in_a_file_of_others_is_read_as_null():
    data = json.dumps(session(solve_error=math.nan, ours=[math.inf, 1])).encode()
    assert b"NaN" in data
    data = data.replace(b'"fps": 30', b'"fps": 30, "huge": 1e999')
    record = text.parse(Session, data)
    assert record.solve_error is None
    assert record.to_dict()["ours"] == [None, 1]
    assert record.to_dict()["huge"] is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"fps": "30"}, "fps: Input should be a valid number"),
        ({"success": 1}, "success: Input should be a valid boolean"),
        ({"resolution": [1920]}, "resolution.1: Field required"),
        ({"tracks": [{"region": "center", "lifespan": "long"}]}, r"tracks.0.lifespan"),
        ({"tracks": [{}]}, "tracks.0.region: Field required"),
        ({"schema_version": 2}, "version 2 is unknown to this release, which reads 1"),
        ({"schema_version": "1"}, "schema_version"),
    ],
)
def test_wrong_types_and_versions_are_refused_with_the_place(fields, reason):
    with pytest.raises(RecordError, match=reason):
        read(**fields)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": ' + b"[" * 100_000, b"1" * 5000,
     b'{"timestamp": "x"}'],
)  # fmt: skip
def test_what_is_no_record_is_refused_with_a_reason(data):
    with pytest.raises(RecordError) as refused:
        text.parse(Session, data)
    assert len(str(refused.value)) > 10
    assert isinstance(refused.value, InputError)


def test_a_number_without_fraction_may_stand_for_a_whole_one_and_bom_for_nothing():
    data = (
        b"\xef\xbb\xbf" + json.dumps(session(frame_count=240.0, resolution=[1920.0, 1080])).encode()
    )
    record = text.parse(Session, data)
    assert (record.frame_count, record.resolution) == (240, (1920, 1080))


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"motion_class": "FAST"}, "motion_class: expected one of LOW, MEDIUM, HIGH"),
        ({"failure_type": "motion_blur"}, "failure_type"),
        ({"dead_zones": ["middle"]}, "dead_zones.0"),
        ({"region_stats": {"middle": {}}}, "region_stats.middle"),
        ({"tracks": [{"region": "unknown"}]}, "tracks.0.region"),
        ({"settings": {"motion_model": "Wobble"}}, "settings.motion_model"),
        ({"tracks": [{"region": "center", "jitter_score": 1.5}]}, "jitter_score: expected 0 .. 1"),
        ({"tracks": [{"region": "center", "trajectory_confidence": [0.5, 2]}]}, "expected 0 .. 1"),
        ({"solve_error": -1}, "solve_error: expected at least 0"),
        ({"motion_consistency": 1.01}, "motion_consistency"),
    ],
)
def test_undocumented_words_and_ranges_are_kept_when_read_and_refused_when_written(fields, place):
    record = read(**fields)
    assert record.to_dict() == {"schema_version": 1, **session(**fields)}
    assert text.checked(Session, record, strict=False) == record
    with pytest.raises(RecordError, match=place):
        text.checked(Session, record)


def test_good_is_read_as_high():
    record = read(motion_probe_results={"texture_class": "GOOD"})
    assert record.motion_probe_results.texture_class == "HIGH"


@pytest.mark.parametrize(("model", "names"), INTRINSICS.items())
def test_each_distortion_model_has_its_coefficients(model, names):
    lens = {"distortion_model": model, **{name: 0.01 * i for i, name in enumerate(names)}}
    record = text.checked(Session, session(camera_intrinsics=lens))
    assert record.camera_intrinsics.model_extra == {}
    assert record.to_dict()["camera_intrinsics"] == lens


def test_whole_numbers_stay_whole():
    made = text.render(read(settings={"pattern_size": 15}, iteration=1)).decode()
    assert '"fps": 30,' in made
    assert '{"pattern_size":15}' in made


def test_records_are_immutable():
    with pytest.raises(ValueError, match="frozen"):
        read().success = False


def test_the_words_are_those_of_the_rest_of_trackcore():
    from trackcore.options import MotionModel

    assert vocabulary.REGIONS is REGIONS
    models_known = schema.schema(Session)["$defs"]["Settings"]["properties"]["motion_model"]["enum"]
    assert models_known == [*(model.value for model in MotionModel), None]


def test_each_field_says_what_it_is():
    silent = [
        f"{name}.{field}"
        for name, kind in vars(models).items()
        if isinstance(kind, type) and issubclass(kind, models.Record)
        for field, info in kind.model_fields.items()
        if not info.description
    ]
    assert silent == []


def test_docs_schema_is_what_the_models_say():
    folder = PROJECT / "docs" / "schema"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.*")}
    assert written == schema.files(), "run python .ci/schema.py"


def test_all_references_of_the_schema_lead_somewhere():
    for kind in (*schema.KINDS.values(), *schema.PARTS.values()):
        made = schema.schema(kind)
        names = {part.rsplit("/", 1)[1] for part in _references(made)}
        assert names == set(made.get("$defs", {}))


def _references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = list(node.values())
    for part in node if isinstance(node, list) else []:
        yield from _references(part)


def test_listing_and_journal_do_without_pydantic():
    script = (
        "import sys, trackcore as tc; tc.SessionStore().list(); tc.load_sessions;"
        " print({'pydantic', 'filelock'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
