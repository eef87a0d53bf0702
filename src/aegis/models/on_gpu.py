# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A network's layers by torch on a GPU (or, to compare, on the CPU)."""

from __future__ import annotations

import numpy as np
import torch

from aegis.core.classification.network import Network, answered
from aegis.core.types import Floats


class GpuNetwork:
    """Answers as the network does."""

    def __init__(self, network: Network, device: str = "cuda") -> None:
        """Take the weights to a device.

        Raises:
            RuntimeError: torch finds no such device.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("model_device is cuda, and torch finds no GPU")
        self._network, self._device = network, device
        self._layers = [
            (torch.tensor(weight, device=device), torch.tensor(bias, device=device))
            for weight, bias in zip(network.weights, network.biases, strict=True)
        ]

    def posterior(self, features: Floats, prior: Floats) -> Floats:
        """Return (n, N_CLASSES) probabilities, as `Network.posterior`."""
        with torch.inference_mode():
            values = torch.tensor(self._network.inputs(features).astype(np.float32), device=self._device)
            for weight, bias in self._layers[:-1]:
                values = torch.relu(values @ weight + bias)
            logits = (values @ self._layers[-1][0] + self._layers[-1][1]).double() / self._network.temperature
        return answered(self._network, values.double().cpu().numpy(), logits.cpu().numpy(), prior)
