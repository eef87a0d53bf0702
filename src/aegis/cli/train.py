# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis train`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "-o", "--output", "folder", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="Folder for the models, their cards and plots; one that was stopped goes on.",
)  # fmt: skip
@click.option("--scenes", type=click.IntRange(min=20), default=240, show_default=True, help="Simulated scenes a day.")
@click.option("--days", type=click.IntRange(3, 15), default=9, show_default=True, help="Days (families of seeds).")
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes that simulate.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Of torch.")
def train(folder: Path, scenes: int, days: int, workers: int, device: str) -> None:
    """Learn the class models anew, from our simulator alone.

    Needs the extra `train` (torch, matplotlib). What ships was made with the defaults, in about a quarter of an hour on
    two cores. `tracking.classification.model_cache_dir` (MODEL_CACHE_DIR) makes the graph take the models of FOLDER.
    """
    from aegis.training.train import train_all

    try:
        for path in train_all(folder, scenes=scenes, days=days, workers=workers, device=device):
            click.echo(path)
    except ModuleNotFoundError as error:
        click.echo(f"aegis train: {error}", err=True)
        sys.exit(1)
