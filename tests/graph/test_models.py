# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The class models on disk: those that ship, and what happens where one is not what its card says."""

import json
import shutil

import numpy as np
import pytest

from aegis.core.classification.dwell import DWELL
from aegis.core.classification.settings import TrackClassificationSettings
from aegis.core.classification.signature import SIGNATURE
from aegis.core.classification.track_memory import FEATURES
from aegis.core.classification.track_model import Measured, TableModel
from aegis.core.health import Level
from aegis.core.params import ConfigError
from aegis.core.types import N_CLASSES, ClassId
from aegis.models.store import DOPPLER, DWELLS, KINEMATIC, LARGEST_BYTES, SHIPPED, ModelError, load, track_model

MODELS = [(KINEMATIC, FEATURES), (DOPPLER, SIGNATURE), (DWELLS, DWELL)]


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SHIPPED, tmp_path / "weights")


@pytest.mark.parametrize(("name", "features"), MODELS)
def test_what_ships_is_whole_and_small_and_read_once(name, features):
    network, card = load(SHIPPED, name, features)
    assert card.features == features
    assert load(SHIPPED, name, features)[0] is network
    said = json.loads((SHIPPED / f"{name}.json").read_text())
    assert {"data", "made_by", "never_shown", "limits", "temperature"} <= said.keys()
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= LARGEST_BYTES


def spoil(folder, how):
    weights, card = folder / "kinematic.npz", folder / "kinematic.json"
    if how == "corrupt":
        data = bytearray(weights.read_bytes())
        data[len(data) // 2] ^= 1
        weights.write_bytes(data)
    elif how == "foreign":
        np.savez(weights, centre=np.zeros(3))
    elif how == "missing":
        weights.unlink()
    elif how == "no card":
        card.unlink()
    elif how == "empty card":
        card.write_text("{}")
    elif how == "of other features":
        card.write_text(json.dumps(json.loads(card.read_text()) | {"features": ["speed"]}))


SPOILT = {
    "corrupt": "has SHA-256", "foreign": "has SHA-256", "missing": "No such file", "no card": "No such file",
    "empty card": "no card of a class model", "of other features": "other features",
}  # fmt: skip


@pytest.mark.parametrize(("how", "says"), SPOILT.items())
def test_a_model_that_is_not_what_its_card_says_is_refused_and_the_table_stands_in(folder, how, says):
    spoil(folder, how)
    found = track_model(TrackClassificationSettings(classifier="trained", model_cache_dir=str(folder)))
    assert isinstance(found.model, TableModel)
    assert says in found.trouble
    assert "stated table" in found.trouble


def test_priors_of_a_model_that_is_refused_are_not_the_tables(folder):
    # Where nothing is measured the probabilities are the priors; the table's own are all alike.
    told = {"classes": ("VESSEL", "CLUTTER"), "priors": {"CLUTTER": 0.15}}
    spoil(folder, "missing")
    ratio = {}
    for classifier in ("trained", "table"):
        settings = TrackClassificationSettings(classifier=classifier, model_cache_dir=str(folder), **told)
        nothing = Measured(*(np.full(1, np.nan) for _ in range(6)))
        p = track_model(settings).model.probability(nothing, np.empty((0, 1)))[0]
        ratio[classifier] = p[ClassId.CLUTTER] / p[ClassId.VESSEL]
    assert ratio == pytest.approx({"trained": 1.0, "table": 0.15})


def test_what_ships_is_taken_and_has_no_trouble():
    found = track_model(TrackClassificationSettings(classifier="trained"))
    assert found.trouble == ""
    assert found.model.name.startswith("kinematic")


def test_the_stage_runs_on_and_says_so_everywhere(folder, stage_of):
    spoil(folder, "corrupt")
    stage = stage_of({"classification.classifier": "trained", "classification.model_cache_dir": str(folder)})
    (info,) = stage.start(1)
    assert info.message.model.startswith("physical")
    assert "refused" in info.message.basis
    assert "class model refused" in stage.health().text  # also without data
    stage.counters.received += 1
    assert stage.health().level == Level.WARN
    assert "class model refused" in stage.health().text
    assert "refused" in stage.detail()["class_model"]["trouble"]


def test_the_stage_names_the_model_that_ships(stage_of):
    stage = stage_of({"classification.classifier": "trained"})
    (info,) = stage.start(1)
    assert info.message.model.startswith("kinematic")
    assert np.isclose(sum(info.message.prior), 1.0)
    assert stage.detail()["class_model"] == {"name": info.message.model, "trouble": ""}


@pytest.fixture
def stage_of():
    from aegis.core.tracking.settings import TrackingSettings
    from aegis.ros.stages.base import StageContext
    from aegis.ros.stages.tracking import TrackingStage

    return lambda values: TrackingStage(TrackingSettings.load(values), StageContext())


def test_a_device_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="model_device"):
        TrackClassificationSettings.load({"model_device": "tpu"})


@pytest.fixture(scope="module")
def onnx_model(tmp_path_factory):
    """Return a user's model: it knows two classes, and tells a drone by a low speed."""
    pytest.importorskip("onnxruntime", reason="ONNX models need the extra onnx")
    onnx = pytest.importorskip("onnx", reason="this test writes an ONNX model with onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weight = np.zeros((len(FEATURES), 2), np.float32)
    weight[FEATURES.index("speed")] = [-3.0, 3.0]
    graph = helper.make_graph(
        [
            helper.make_node("IsNaN", ["features"], ["absent"]),
            helper.make_node("Where", ["absent", "zero", "features"], ["known"]),
            helper.make_node("Gemm", ["known", "weight", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "users",
        [helper.make_tensor_value_info("features", kind, ["n", len(FEATURES)])],
        [helper.make_tensor_value_info("probabilities", kind, ["n", 2])],
        [
            onnx.numpy_helper.from_array(weight, "weight"),
            onnx.numpy_helper.from_array(np.array([9.0, -9.0], np.float32), "bias"),
            onnx.numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entry = model.metadata_props.add()
    entry.key, entry.value = "classes", "DRONE, AIRCRAFT"
    path = tmp_path_factory.mktemp("onnx") / "users.onnx"
    onnx.save(model, path)
    return path


def test_a_users_own_model_is_a_plug_in(onnx_model):
    found = track_model(TrackClassificationSettings(classifier=str(onnx_model)))
    assert found.trouble == ""
    assert found.model.name.startswith("users (")
    asked = np.full((2, len(FEATURES)), np.nan)
    asked[:, FEATURES.index("speed")] = np.arcsinh([2.0, 200.0])
    probability = found.model._network.posterior(asked, np.ones(N_CLASSES))
    assert probability.argmax(axis=1).tolist() == [ClassId.DRONE, ClassId.AIRCRAFT]
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    np.testing.assert_allclose(probability[0, ClassId.DRONE], 1 / (1 + np.exp(6 * np.arcsinh(2.0) - 18)), rtol=1e-4)


def test_what_is_no_onnx_model_is_refused(tmp_path):
    pytest.importorskip("onnxruntime", reason="ONNX models need the extra onnx")
    path = tmp_path / "none.onnx"
    path.write_bytes(b"nothing")
    assert "is no ONNX model" in track_model(TrackClassificationSettings(classifier=str(path))).trouble
    assert "No such file" in track_model(TrackClassificationSettings(classifier="/nowhere.onnx")).trouble


def test_a_model_too_large_is_refused(folder):
    (folder / "kinematic.npz").write_bytes(b"0" * (LARGEST_BYTES + 1))
    with pytest.raises(ModelError, match="larger than"):
        load(folder, KINEMATIC, FEATURES)
