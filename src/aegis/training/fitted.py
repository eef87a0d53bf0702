"""A network learned from examples with torch, its temperature and its gate; written and read as checkpoints on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Recipe:
    """How a network is learned."""

    hidden: tuple[int, ...] = (96, 48)
    epochs: int = 24
    batch: int = 2048
    rate: float = 3e-3
    decay: float = 1e-3
    dropout: float = 0.1
    groups: tuple[tuple[int, ...], ...] = ()  # of features that are measured, or not, together
    absent: float = 0.1  # share of examples that a group is taken from
    jitter: tuple[float, ...] = ()  # standard deviation of what is added to each feature; empty: nothing
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


def weights_of(table: Table) -> Floats:
    """Return (N,) weights: every class alike, and every group of a class; mean 1."""
    _, place, counts = np.unique(table.class_id * 10_000 + table.group, return_inverse=True, return_counts=True)
    groups = np.array([len(np.unique(table.group[table.class_id == c])) for c in range(N_CLASSES)])
    weight = 1.0 / (counts[place] * np.maximum(groups[table.class_id], 1))
    weight = np.where(table.class_id == ClassId.UNKNOWN, UNKNOWN_WEIGHT, 1.0) * weight
    out: Floats = weight / weight.mean()
    return out


def fit(
    shown: Table,
    held_out: Table,
    recipe: Recipe,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> Fitted:
    """Learn a network.

    Args:
        shown: what it learns from; held_out: of other groups, for its temperature and its gate.
        recipe: how.
        checkpoint: file to go on from, and to write after each epoch; None: none.
        device: of torch.
        progress: show it.

    Raises:
        ModuleNotFoundError: torch is not installed.
    """
    try:
        import torch
        from torch import nn
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NEEDS_TORCH) from error
    torch.manual_seed(recipe.seed)
    raw = shown.features.astype(np.float64)
    never = np.isnan(raw).all(axis=0)  # measured by nobody: 0 stands for it
    low, centre, high = np.nanpercentile(np.where(never, 0.0, raw), (10.0, 50.0, 90.0), axis=0)
    scale = np.maximum((high - low) / 2.0, 1e-3)
    x = torch.tensor(raw.astype(np.float32), device=device)
    y = torch.tensor(shown.class_id, device=device)
    w = torch.tensor(weights_of(shown).astype(np.float32), device=device)
    mid = torch.tensor(centre.astype(np.float32), device=device)
    width = torch.tensor(scale.astype(np.float32), device=device)
    jitter = torch.tensor(recipe.jitter or [0.0] * raw.shape[1], device=device)
    sizes = [2 * raw.shape[1], *recipe.hidden, N_CLASSES]
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes[:-1]):
        parts += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(recipe.dropout)]
    net = nn.Sequential(*parts, nn.Linear(sizes[-2], sizes[-1])).to(device)
    steps = recipe.epochs * (len(x) // recipe.batch + 1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps + 1)
    history: list[dict[str, float]] = []
    first = 0
    if checkpoint is not None and checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device, weights_only=True)
        if kept["sizes"] == sizes and kept["examples"] == len(x) and kept["epochs"] == recipe.epochs:
            net.load_state_dict(kept["net"])
            optimizer.load_state_dict(kept["optimizer"])
            plan.load_state_dict(kept["plan"])
            first, history = kept["epoch"], kept["history"]
    draws = torch.Generator(device=device).manual_seed(recipe.seed + first)

    places = torch.arange(raw.shape[1], device=device)
    groups = [torch.isin(places, torch.tensor(group, device=device)) for group in recipe.groups]

    def inputs(values: torch.Tensor) -> torch.Tensor:
        there = torch.isfinite(values)
        scaled = ((torch.where(there, values, mid) - mid) / width).clamp(-6.0, 6.0)
        return torch.cat((scaled, there.float()), dim=1)

    def varied(values: torch.Tensor) -> torch.Tensor:
        values = values + jitter * torch.randn(values.shape, generator=draws, device=device)
        for group in groups:
            gone = torch.rand(len(values), generator=draws, device=device) < recipe.absent
            values[gone[:, None] & group] = torch.nan
        return values

    for epoch in trange(first, recipe.epochs, unit="epoch", disable=not progress or None):
        net.train()
        total = 0.0
        for index in torch.randperm(len(x), generator=draws, device=device).split(recipe.batch):
            loss = (
                nn.functional.cross_entropy(net(inputs(varied(x[index]))), y[index], reduction="none") * w[index]
            ).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            plan.step()
            total += float(loss.detach()) * len(index)
        history.append({"epoch": epoch + 1.0, "loss": total / len(x)})
        if checkpoint is not None:
            unfinished = checkpoint.with_suffix(".part")
            state = {
                "net": net.state_dict(), "optimizer": optimizer.state_dict(), "plan": plan.state_dict(), "epoch": epoch + 1,
                "history": history, "sizes": sizes, "examples": len(x), "epochs": recipe.epochs,
            }  # fmt: skip
            torch.save(state, unfinished)
            unfinished.replace(checkpoint)
    layers = [part for part in net if isinstance(part, nn.Linear)]
    plain = Network(
        centre, scale,
        tuple(layer.weight.detach().cpu().numpy().T.astype(np.float32).copy() for layer in layers),
        tuple(layer.bias.detach().cpu().numpy().astype(np.float32).copy() for layer in layers),
        1.0, np.zeros((1, sizes[-2])), np.eye(sizes[-2]), np.array([1e9, 2e9]),
    )  # fmt: skip
    return Fitted(finished(plain, shown, held_out), history)


def finished(network: Network, shown: Table, held_out: Table) -> Network:
    """Return a network with its temperature and its gate, from objects that it was not shown."""
    hidden, _ = network.hidden(shown.features.astype(np.float64))
    known = [c for c in ClassId if c != ClassId.UNKNOWN and (shown.class_id == c).any()]
    means = np.array([hidden[shown.class_id == c].mean(axis=0) for c in known])
    spread = np.zeros((hidden.shape[1], hidden.shape[1]))
    for c, mean in zip(known, means, strict=True):
        rest = hidden[shown.class_id == c] - mean
        spread += rest.T @ rest / len(rest) / len(known)
    spread += 1e-3 * np.trace(spread) / len(spread) * np.eye(len(spread))
    gated = Network(
        network.centre, network.scale, network.weights, network.biases, temperature_of(network, held_out), means.astype(np.float32),
        np.linalg.inv(spread).astype(np.float32), network.distance,
    )  # fmt: skip
    hidden, _ = gated.hidden(held_out.features[held_out.class_id != ClassId.UNKNOWN].astype(np.float64))
    near, far = np.quantile(gated.strangeness(hidden), GATE_QUANTILES)
    arrays = gated.arrays() | {"distance": np.array([near, max(GATE_WIDENED * far, 1.01 * near)])}
    return Network.of(arrays)


def temperature_of(network: Network, held_out: Table) -> float:
    """Return the temperature of least cross-entropy (Guo et al., On calibration of modern neural networks, 2017, 4.2)."""
    _, logits = network.hidden(held_out.features.astype(np.float64))
    weight = weights_of(held_out)
    rows = np.arange(len(logits))
    best, found = np.inf, 1.0
    for temperature in np.geomspace(0.4, 5.0, 60):
        scaled = logits / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        loss = float((weight * (np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, held_out.class_id])).mean())
        if loss < best:
            best, found = loss, float(temperature)
    return found
