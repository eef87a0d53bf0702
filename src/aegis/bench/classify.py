# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Classes of tracks by the trained network, beside gradient boosting on the same features; whole groups of examples left out.

Rows: the network that ships, on days that it was not shown; networks and peers learned here without one kind of each class, one
radar family and one day, on these alone; objects of no class; the time that a batch takes; birds called drones.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aegis.bench import BenchmarkError, Row, classify_birds
from aegis.core.classification.network import Network
from aegis.core.classification.track_memory import FEATURES, MEMORY, Looks, blank, features, remembered
from aegis.core.types import N_CLASSES, Floats
from aegis.models.store import KINEMATIC, SHIPPED, load
from aegis.training import kinematic
from aegis.training.fitted import fit, weights_of
from aegis.training.gathered import FIRST_DAY, STRANGER_DAY, days, gathered
from aegis.training.scored import auroc, score
from aegis.training.tracks import Examples

FOLDS = 2
LEAVES, TUNED_ON = (15, 31), 20_000  # of the peer; examples that its leaves are chosen by
SHOWN_DAYS = (FIRST_DAY, FIRST_DAY + 6)  # learned from; the next day calibrates
JUDGED_DAY = FIRST_DAY + 8
SCENES_A_RUN = 100
BATCHES = (50, 200)
BIRD_HOURS = 10.0

Answer = Callable[[Examples], Floats]


def run(runs: int, *, examples: Path | None = None) -> Iterator[Row]:
    """Yield the rows.

    Args:
        runs: a hundred simulated scenes a day each, of 9 days.
        examples: folder that keeps the examples, as `aegis train -o DIR` does in DIR/examples; None: a temporary one.

    Raises:
        BenchmarkError: torch or scikit-learn is not installed.
    """
    try:
        import torch
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: F401 - the peer
    except ModuleNotFoundError as error:
        raise BenchmarkError(f"{error}: pip install 'aegis[bench,train]'") from None
    torch.set_num_threads(1)
    network, card = load(SHIPPED, KINEMATIC, FEATURES)
    yield from _times(network)
    with tempfile.TemporaryDirectory() as temporary:
        folder = examples or Path(temporary)
        seen = gathered(days(SHOWN_DAYS[0], JUDGED_DAY, SCENES_A_RUN * runs), folder)
        strange = gathered(days(STRANGER_DAY, STRANGER_DAY, SCENES_A_RUN * runs), folder, strangers=True)
    judged = kinematic.known(seen.take(seen.day == JUDGED_DAY))
    shown, held_out = _until(seen, SHOWN_DAYS[1]), seen.take(seen.day == SHOWN_DAYS[1] + 1)
    peer = _boosted(shown, held_out)
    answers: dict[str, Answer] = {"network": _of(network), "peer": peer}
    for who, answer in answers.items():
        yield from _rows(
            f"{card.name}" if who == "network" else "gradient boosting", "a day not shown", answer(judged), judged
        )
        yield _strangers(card.name if who == "network" else "gradient boosting", answer, judged, strange)
    yield from _shifted(shown, held_out, judged)
    yield from classify_birds.rows(network, BIRD_HOURS)


def _shifted(shown: Examples, held_out: Examples, judged: Examples) -> Iterator[Row]:
    """Yield the rows with one kind of each class, one radar family and the day left out, folds taken together."""
    found: dict[str, list[Floats]] = {"network": [], "gradient boosting": []}
    truth: list[Examples] = []
    for fold in range(FOLDS):
        kinds, radar = kinematic.left_out(shown, fold, FOLDS)
        own, rest = _without(shown, kinds, radar), _without(held_out, kinds, radar)
        # All that is judged is of a left-out day, and of a left-out kind before any radar, or of any kind before the left-out one.
        asked = judged.take(np.isin(judged.kind, kinds) | (judged.radar == radar))
        fitted = fit(kinematic.table(own), kinematic.table(rest), kinematic.recipe(), progress=False)
        found["network"].append(_of(fitted.network)(asked))
        found["gradient boosting"].append(_boosted(own, rest)(asked))
        truth.append(asked)
    everything = Examples.joined(truth)
    for who, parts in found.items():
        probability = np.concatenate(parts)
        yield from _rows(who, "one kind of each class or the radar left out, and the day", probability, everything)


def _rows(who: str, where: str, probability: Floats, judged: Examples) -> Iterator[Row]:
    for looks, found in kinematic.scores(probability, judged).items():
        figures = {name: round(value, 4) for name, value in found._asdict().items()}
        yield {"bench": "classify", "model": who, "split": where, "looks": looks, **figures}


def _strangers(who: str, answer: Answer, judged: Examples, strange: Examples) -> Row:
    known, asked = judged.take(judged.looks == 10), strange.take(strange.looks == 10)
    p_known, p_strange = answer(known), answer(asked)
    return {
        "bench": "classify", "model": who, "split": "objects of no class, never shown", "looks": 10, "n": len(asked),
        "auroc": round(auroc(kinematic.strangeness(p_known), kinematic.strangeness(p_strange)), 4),
        "confidently_a_class": round(float((p_strange[:, 1:].max(axis=1) > 0.9).mean()), 4),
    }  # fmt: skip


def _of(network: Network) -> Answer:
    return lambda examples: kinematic.probabilities(network, examples)


def _until(examples: Examples, day: int) -> Examples:
    return examples.take(examples.day <= day)


def _without(examples: Examples, kinds: list[int], radar: int) -> Examples:
    return examples.take(~np.isin(examples.kind, kinds) & (examples.radar != radar))


def _boosted(shown: Examples, held_out: Examples) -> Answer:
    """Return a peer: the network's weights and absent features; its leaves are chosen on the held-out day."""
    rng = np.random.default_rng(1)
    few = shown.take(np.sort(rng.permutation(len(shown))[:TUNED_ON]))
    asked = kinematic.known(held_out)

    def macro(leaves: int) -> float:
        return score(_grown(few, leaves)(asked), asked.class_id, kinematic.THRESHOLD).macro_f1

    return _grown(shown, max(LEAVES, key=macro))


def _grown(shown: Examples, leaves: int) -> Answer:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=100,
        learning_rate=0.12,
        max_leaf_nodes=leaves,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=1,
    )
    model.fit(shown.features, shown.class_id, sample_weight=weights_of(kinematic.table(shown)))
    return _columns(model)


def _columns(model: object) -> Answer:
    def answer(examples: Examples) -> Floats:
        out = np.zeros((len(examples), N_CLASSES))
        out[:, model.classes_] = model.predict_proba(examples.features)  # type: ignore[attr-defined]
        return out

    return answer


def _times(network: Network) -> Iterator[Row]:
    """Yield what a scan costs: the memory of so many tracks advanced by a look, their features, and the network; CPU ms, median."""
    from aegis.models.on_gpu import GpuNetwork

    rng = np.random.default_rng(1)
    by_torch = GpuNetwork(network, "cpu")
    prior = np.ones(N_CLASSES)
    for targets in BATCHES:
        memory = blank(targets)
        for _ in range(5):
            memory = remembered(memory, _look(targets, rng))
        look = _look(targets, rng)
        asked = features(memory)

        def step(memory: NDArray[np.float64] = memory, look: Looks = look) -> None:
            network.posterior(features(remembered(memory, look)), prior)

        yield {
            "bench": "classify", "targets": targets, "ms": round(_median_ms(step), 3),
            "torch_ms": round(_median_ms(partial(by_torch.posterior, asked, prior)), 3),
            "parameters": sum(w.size + len(b) for w, b in zip(network.weights, network.biases, strict=True)), "memory": len(MEMORY),
        }  # fmt: skip


def _median_ms(step: Callable[[], object], times: int = 200) -> float:
    taken = []
    for _ in range(times):
        begin = time.process_time()
        step()
        taken.append(time.process_time() - begin)
    return float(np.median(taken) * 1e3)


def _look(n: int, rng: np.random.Generator) -> Looks:
    return Looks(
        np.full(n, 0.5), rng.normal(0.0, 100.0, (n, 6)), np.ones(n), rng.uniform(0.0, 500.0, n), np.ones(n), np.ones(n), np.ones(n),
        rng.normal(0.0, 10.0, n), rng.uniform(10.0, 30.0, n),
    )  # fmt: skip
