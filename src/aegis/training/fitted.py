# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A network learned from examples with torch, its temperature and its gate; written and read as checkpoints on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import trange

from aegis.core.classification.network import Network
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints

if TYPE_CHECKING:
    import torch

NEEDS_TORCH = "training needs torch: pip install 'aegis[train]'"
UNKNOWN_WEIGHT = 0.5  # of objects of no class, beside a class
GATE_QUANTILES = (0.995, 0.9995)  # of known objects that training was not shown, for the two distances of the gate
GATE_WIDENED = 1.25
NARROWEST_BIN = 1e-3


@dataclass(frozen=True)
class Recipe:
    """How a network is learned."""

    hidden: tuple[int, ...] = (96, 48)
    bins: int = 0  # of each feature
    epochs: int = 24
    batch: int = 2048
    rate: float = 3e-3
    decay: float = 1e-3
    dropout: float = 0.1
    averaged: float = 1.0  # weights are means over so many steps, the last counts most (Polyak and Juditsky 1992)
    groups: tuple[tuple[int, ...], ...] = ()  # of features that are measured, or not, together
    absent: float = 0.1  # share of examples that a group is taken from
    jitter: tuple[float, ...] = ()  # standard deviation of what is added to each feature; empty: nothing
    unknown_weight: float = UNKNOWN_WEIGHT
    doubt: float = 0.0  # of `Network`
    seed: int = 1


@dataclass
class Table:
    """Examples to learn from."""

    features: NDArray[np.float32]  # (N, F)
    class_id: Ints  # (N,)
    group: Ints  # (N,) examples of one group weigh as much as those of another of the class


@dataclass
class Fitted:
    """What was learned, and how it went."""

    network: Network
    history: list[dict[str, float]] = field(default_factory=list)  # an epoch each


def weights_of(table: Table, unknown_weight: float = UNKNOWN_WEIGHT) -> Floats:
    """Return (N,) weights: every class alike, and every group of a class; mean 1."""
    _, place, counts = np.unique(table.class_id * 10_000 + table.group, return_inverse=True, return_counts=True)
    groups = np.array([len(np.unique(table.group[table.class_id == c])) for c in range(N_CLASSES)])
    weight = 1.0 / (counts[place] * np.maximum(groups[table.class_id], 1))
    weight = np.where(table.class_id == ClassId.UNKNOWN, unknown_weight, 1.0) * weight
    out: Floats = weight / weight.mean()
    return out


def blank_of(table: Table, recipe: Recipe) -> Network:
    """Return a network without weights: how it scales features and bins them, by quantiles of the examples."""
    raw = table.features.astype(np.float64)
    never = np.isnan(raw).all(axis=0)  # measured by nobody: 0 stands for it
    raw = np.where(never, 0.0, raw)
    low, centre, high = np.nanpercentile(raw, (10.0, 50.0, 90.0), axis=0)
    edges = np.empty((raw.shape[1], 0))
    if recipe.bins:
        edges = np.nanquantile(raw, np.linspace(0.0, 1.0, recipe.bins + 1), axis=0).T
        for k in range(1, recipe.bins + 1):
            edges[:, k] = np.maximum(edges[:, k], edges[:, k - 1] + NARROWEST_BIN)
    last = recipe.hidden[-1]
    return Network(
        centre,
        np.maximum((high - low) / 2.0, 1e-3),
        edges,
        (),
        (),
        1.0,
        np.zeros((1, last)),
        np.eye(last),
        np.array([1e9, 2e9]),
    )


def fit(
    shown: Table,
    held_out: Table,
    recipe: Recipe,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    progress: bool = True,
    watch: Callable[[int, Network], None] | None = None,
) -> Fitted:
    """Learn a network.

    Args:
        shown: what it learns from; held_out: of other groups, for its temperature and its gate.
        recipe: how.
        checkpoint: file to go on from, and to write after each epoch; None: none.
        device: of torch.
        progress: show it.
        watch: called after each epoch with its number and the network as it is.

    Raises:
        ModuleNotFoundError: torch is not installed.
    """
    try:
        import torch
        from torch import nn
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NEEDS_TORCH) from error
    torch.manual_seed(recipe.seed)
    plain = blank_of(shown, recipe)

    def on_device(values: Floats | NDArray[np.float32]) -> torch.Tensor:
        return torch.tensor(values.astype(np.float32), device=device)

    x = on_device(shown.features)
    y = torch.tensor(shown.class_id, device=device)
    w = on_device(weights_of(shown, recipe.unknown_weight))
    features = x.shape[1]
    mid, width, low, step = (
        on_device(v) for v in (plain.centre, plain.scale, plain.edges[:, :-1], np.diff(plain.edges))
    )
    jitter = torch.tensor(recipe.jitter or [0.0] * features, device=device)
    sizes = [(2 + recipe.bins) * features, *recipe.hidden, N_CLASSES]
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes[:-1]):
        parts += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(recipe.dropout)]
    net = nn.Sequential(*parts, nn.Linear(sizes[-2], sizes[-1])).to(device)
    mean = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(1.0 - 1.0 / recipe.averaged)
    )
    steps = recipe.epochs * (len(x) // recipe.batch + 1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps + 1)
    history: list[dict[str, float]] = []
    first = 0
    same = {"sizes": sizes, "examples": len(x), "epochs": recipe.epochs}
    if checkpoint is not None and checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device, weights_only=True)
        if all(kept.get(key) == value for key, value in same.items()):
            for part, name in ((net, "net"), (mean, "mean"), (optimizer, "optimizer"), (plan, "plan")):
                part.load_state_dict(kept[name])
            first, history = kept["epoch"], kept["history"]
    draws = torch.Generator(device=device).manual_seed(recipe.seed + first)
    places = torch.arange(features, device=device)
    groups = [torch.isin(places, torch.tensor(group, device=device)) for group in recipe.groups]

    def inputs(values: torch.Tensor) -> torch.Tensor:  # as Network.inputs
        there = torch.isfinite(values)
        known = torch.where(there, values, mid)
        out = [((known - mid) / width).clamp(-6.0, 6.0), there.float()]
        if recipe.bins:
            bins = ((known[:, :, None] - low) / step).clamp(0.0, 1.0) * there[:, :, None]
            out.append(bins.flatten(1))
        return torch.cat(out, dim=1)

    def varied(values: torch.Tensor) -> torch.Tensor:
        values = values + jitter * torch.randn(values.shape, generator=draws, device=device)
        for group in groups:
            gone = torch.rand(len(values), generator=draws, device=device) < recipe.absent
            values[gone[:, None] & group] = torch.nan
        return values

    def learned() -> Network:
        layers = [part for part in mean.module if isinstance(part, nn.Linear)]
        arrays = [[v.detach().cpu().numpy().astype(np.float32) for v in (one.weight, one.bias)] for one in layers]
        return replace(plain, weights=tuple(a.T.copy() for a, _ in arrays), biases=tuple(b.copy() for _, b in arrays))

    for epoch in trange(first, recipe.epochs, unit="epoch", disable=not progress or None):
        net.train()
        total = 0.0
        for index in torch.randperm(len(x), generator=draws, device=device).split(recipe.batch):
            loss = nn.functional.cross_entropy(net(inputs(varied(x[index]))), y[index], reduction="none")
            loss = (loss * w[index]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            plan.step()
            mean.update_parameters(net)
            total += float(loss.detach()) * len(index)
        history.append({"epoch": epoch + 1.0, "loss": total / len(x)})
        if watch is not None:
            watch(epoch + 1, learned())
        if checkpoint is not None:
            unfinished = checkpoint.with_suffix(".part")
            state = {
                "net": net.state_dict(), "mean": mean.state_dict(), "optimizer": optimizer.state_dict(), "plan": plan.state_dict(),
                "epoch": epoch + 1, "history": history, **same,
            }  # fmt: skip
            torch.save(state, unfinished)
            unfinished.replace(checkpoint)
    return Fitted(finished(learned(), shown, held_out, recipe.doubt), history)


def finished(network: Network, shown: Table, held_out: Table, doubt: float = 0.0) -> Network:
    """Return a network with its doubt, and with its temperature and its gate, from objects that it was not shown."""
    network = _without_unlearned(network, shown)
    hidden, _ = network.hidden(shown.features.astype(np.float64))
    known = [c for c in ClassId if c != ClassId.UNKNOWN and (shown.class_id == c).any()]
    means = np.array([hidden[shown.class_id == c].mean(axis=0) for c in known])
    spread = np.zeros((hidden.shape[1], hidden.shape[1]))
    for c, mean in zip(known, means, strict=True):
        rest = hidden[shown.class_id == c] - mean
        spread += rest.T @ rest / len(rest) / len(known)
    spread += 1e-3 * np.trace(spread) / len(spread) * np.eye(len(spread))
    gated = replace(
        network, temperature=temperature_of(network, held_out, doubt), means=means.astype(np.float32),
        precision=np.linalg.inv(spread).astype(np.float32), doubt=doubt,
    )  # fmt: skip
    hidden, _ = gated.hidden(held_out.features[held_out.class_id != ClassId.UNKNOWN].astype(np.float64))
    near, far = np.quantile(gated.strangeness(hidden), GATE_QUANTILES)
    arrays = gated.arrays() | {"distance": np.array([near, max(GATE_WIDENED * far, 1.01 * near)])}
    return Network.of(arrays)


def _without_unlearned(network: Network, shown: Table) -> Network:
    """Return a network in which a feature that no example has, or all alike, says nothing: its weights are as they were drawn."""
    raw = shown.features.astype(np.float64)
    measured = np.isfinite(raw)
    count, features = measured.sum(axis=0), raw.shape[1]
    spread = np.where(measured, raw, -np.inf).max(axis=0) - np.where(measured, raw, np.inf).min(axis=0)
    unlearned = (count == 0) | ~(spread > NARROWEST_BIN)
    first = network.weights[0].copy()
    bins = max(network.edges.shape[1] - 1, 0)
    first[:features][unlearned] = 0.0
    first[features : 2 * features][unlearned] = 0.0
    first[2 * features :][np.repeat(unlearned, bins)] = 0.0
    return replace(network, weights=(first, *network.weights[1:]))


def temperature_of(network: Network, held_out: Table, doubt: float = 0.0) -> float:
    """Return the temperature of least cross-entropy (Guo et al., On calibration of modern neural networks, 2017, 4.2), where so
    much of an answer is doubted.
    """
    _, logits = network.hidden(held_out.features.astype(np.float64))
    weight = weights_of(held_out)
    rows = np.arange(len(logits))
    best, found = np.inf, 1.0
    for temperature in np.geomspace(0.4, 5.0, 60):
        scaled = logits / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        said = np.exp(scaled[rows, held_out.class_id]) / np.exp(scaled).sum(axis=1)
        loss = -float((weight * np.log((1.0 - doubt) * said + doubt / N_CLASSES + 1e-300)).mean())
        if loss < best:
            best, found = loss, float(temperature)
    return found
