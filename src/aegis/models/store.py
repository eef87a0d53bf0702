# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The class models on disk: what ships in `weights`, what `aegis train` wrote, or a user's own ONNX model.

A trained model is two files: NAME.npz, its weights, and NAME.json, its card, which says what it rests on and the weights'
SHA-256. Weights of another hash are refused. Whoever asks for a model gets one: the stated table in the place of one that is
refused, and why.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aegis.core.classification.dwell import DWELL
from aegis.core.classification.network import Network
from aegis.core.classification.settings import TrackClassificationSettings
from aegis.core.classification.signature import SIGNATURE
from aegis.core.classification.track_memory import FEATURES
from aegis.core.classification.track_model import NetworkModel, Posterior, TableModel, TrackModel
from aegis.core.types import N_CLASSES, ClassId, Floats

SHIPPED = Path(__file__).parent / "weights"
KINEMATIC = "kinematic"
DOPPLER = "doppler"
DWELLS = "dwell"
FORMAT = "aegis class model 1"
LARGEST_BYTES = 1_000_000


class ModelError(ValueError):
    """A model cannot be used; the message says why."""


class Card(NamedTuple):
    """What a model's card says that we need."""

    name: str
    basis: str
    sha256: str
    features: tuple[str, ...]


class TrackModelFound(NamedTuple):
    """A model, and why it is not the one that was asked for; empty where it is."""

    model: TrackModel
    trouble: str


def track_model(settings: TrackClassificationSettings) -> TrackModelFound:
    """Return the model that the parameters ask for, or the stated table where that one is refused."""
    classes, priors = settings.class_ids(), settings.class_priors()
    table = TableModel(classes, priors, remembers=True)
    if settings.classifier == "table":
        return TrackModelFound(table, "")
    try:
        if settings.classifier == "trained":
            folder = Path(settings.model_cache_dir) if settings.model_cache_dir else SHIPPED
            network, card = load(folder, KINEMATIC, FEATURES)
            answer: Posterior = network if settings.model_device != "cuda" else _on_gpu(network)
        else:
            answer, card = _onnx(Path(settings.classifier))
    except ModelError as error:
        return TrackModelFound(table, f"class model refused, the stated table ({table.name}) stands in: {error}")
    return TrackModelFound(NetworkModel(answer, card.name, card.basis, classes, priors), "")


def doppler_model(folder: Path | None = None) -> tuple[Network, Card]:
    """Return the micro-Doppler model, of a folder or that which ships.

    Raises:
        ModelError: it is refused.
    """
    return load(folder or SHIPPED, DOPPLER, SIGNATURE)


def dwell_model(folder: Path | None = None) -> tuple[Network, Card]:
    """Return the model of a radar's dwells, of a folder or that which ships.

    Raises:
        ModelError: it is refused.
    """
    return load(folder or SHIPPED, DWELLS, DWELL)


@cache
def load(folder: Path, name: str, features: tuple[str, ...]) -> tuple[Network, Card]:
    """Return a trained model and its card; read once.

    Raises:
        ModelError: a file is missing, damaged, not the one of the card, or takes other features.
    """
    card = read_card(folder / f"{name}.json")
    data = _bytes(folder / f"{name}.npz")
    found = hashlib.sha256(data).hexdigest()
    if found != card.sha256:
        raise ModelError(f"{folder / name}.npz has SHA-256 {found[:16]}..., its card says {card.sha256[:16]}...")
    if card.features != features:
        raise ModelError(f"{folder / name}.json is of a model with other features than this version of Aegis has")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        network = Network.of(arrays)
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{folder / name}.npz: {error}") from None
    if len(network.centre) != len(features):
        raise ModelError(f"{folder / name}.npz takes {len(network.centre)} features, not {len(features)}")
    return network, card


def read_card(path: Path) -> Card:
    """Return what a card says.

    Raises:
        ModelError: it is missing, or no card.
    """
    try:
        said = json.loads(_bytes(path))
        if said["format"] != FORMAT:
            raise ModelError(f"{path} is of format '{said['format']}', not '{FORMAT}'")
        return Card(str(said["name"]), str(said["basis"]), str(said["sha256"]), tuple(map(str, said["features"])))
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path} is no card of a class model: {error!r}") from None


def write(folder: Path, name: str, network: Network, card: Mapping[str, object]) -> Path:
    """Write a model and its card, of which format and hash are added; return the card's path."""
    folder.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    small = {key: value.astype(np.float32) for key, value in network.arrays().items()}
    np.savez_compressed(out, **small)  # type: ignore[arg-type]
    data = out.getvalue()
    (folder / f"{name}.npz").write_bytes(data)
    whole = {"format": FORMAT, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), **card}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return path


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelError(f"{path} is larger than {LARGEST_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None


class _OnnxAnswer:
    """A user's own model: input `features` (n, F) float32, NaN where unknown; output probabilities (n, classes)."""

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError:
            raise ModelError(f"{path}: an ONNX model needs onnxruntime: pip install 'aegis[onnx]'") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(_bytes(path), options, providers=["CPUExecutionProvider"])
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001 - the runtime raises classes of its own for a file that is none
            raise ModelError(f"{path} is no ONNX model: {str(error).splitlines()[0]}") from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or list(inputs[0].shape[1:]) != [len(FEATURES)]:
            raise ModelError(f"{path} takes {[i.shape for i in inputs]}; one input (n, {len(FEATURES)}) is expected")
        labels = self._session.get_modelmeta().custom_metadata_map.get("classes", "")
        names = [name.strip() for name in labels.split(",") if name.strip()] or list(ClassId.__members__)
        strange = [name for name in names if name not in ClassId.__members__]
        if strange:
            raise ModelError(f"{path} has classes {', '.join(strange)}; known are {', '.join(ClassId.__members__)}")
        if list(outputs[0].shape[1:]) != [len(names)]:
            raise ModelError(f"{path} gives {outputs[0].shape}; probabilities (n, {len(names)}) are expected")
        self._input, self._output = inputs[0].name, outputs[0].name
        self._columns = [int(ClassId[name]) for name in names]

    def posterior(self, features: Floats, prior: Floats) -> Floats:
        """Return (n, N_CLASSES) probabilities, as `Network.posterior`."""
        (answer,) = self._session.run([self._output], {self._input: features.astype(np.float32)})
        out = np.zeros((len(features), N_CLASSES))
        out[:, self._columns] = np.clip(np.nan_to_num(np.asarray(answer, np.float64)), 0.0, 1.0)
        out *= prior
        total = out.sum(axis=1)
        out[:, ClassId.UNKNOWN] += total <= 0.0
        return np.asarray(out / out.sum(axis=1, keepdims=True))


@cache
def _onnx(path: Path) -> tuple[_OnnxAnswer, Card]:
    answer = _OnnxAnswer(path)
    digest = hashlib.sha256(_bytes(path)).hexdigest()
    return answer, Card(f"{path.stem} ({digest[:12]})", f"a model of the user's own, {path.name}", digest, FEATURES)


def _on_gpu(network: Network) -> Posterior:
    """Return a network whose layers are computed by torch on a GPU.

    Raises:
        ModelError: there is no torch, or no GPU.
    """
    try:
        from aegis.models.on_gpu import GpuNetwork
    except ModuleNotFoundError:
        raise ModelError("model_device cuda needs torch: pip install 'aegis[train]'") from None
    try:
        return GpuNetwork(network)
    except RuntimeError as error:
        raise ModelError(str(error)) from None
