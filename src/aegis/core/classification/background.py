# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a recording of slow time has from its first to its last look, and nothing that moves makes: found, and taken out.

Tones of the sensor itself (hum of the mains, switched supplies, a bus) stay as strong and at the same frequency. Nothing that
moves stays as strong while its Doppler says that it goes a long way. What stands in a comb, as the blades of a steady rotor do, or
close to others, as those of several do, is left.

Flicker of the sensor, and what sways in the wind, lie about zero Doppler.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from aegis.core.types import Floats, Ints

LEAST_LOOKS = 4
BLOCK_LOOKS = 120
AROUND_BINS = 81  # over which the floor beside a tone is taken
DRIFT_SHARE = 3e-4  # of its frequency, that a tone drifts within a look or from one to the next
LEAST_SNR = 20.0  # of a tone, above the floor
STEADY, MAINS_STEADY = 0.1, 0.3  # relative standard deviation of a tone's amplitude, beside what noise adds
LEAST_WAY_M = 20.0  # that what has this Doppler goes within the recording
MAINS_HZ, MAINS_HARMONICS, MAINS_SHARE = (50.0, 60.0), 24, 2e-3
COMB = 5  # lines of even spacing
ALONE_SHARE, ALONE_BELOW = (
    0.1,
    0.01,
)  # so near to a tone, in shares of its frequency, nothing has this part of its power
SKIRT_HZ, SKIRT_SHARE = 12.0, 1e-2  # that a tone takes to each side, at most
SKIRT_ABOVE = 3.0  # the floor
SLOW_MPS, SLOW_HZ = 0.2, 120.0  # what lies below both may be no more than flicker and sway
ABOVE_NOISE = 9.0  # that stands out
QUARTILE_OF_MEAN = -np.log(0.75)  # of the power of noise


def without_tones(
    x: NDArray[np.complex128] | Floats, prf_hz: float, wavelength_m: float, samples: int
) -> tuple[NDArray[np.complex128] | Floats, Floats]:
    """Return a recording without the sensor's own tones, and their frequencies [Hz].

    Args:
        x: (S,) samples, complex or real.
        prf_hz: samples a second.
        wavelength_m: of the carrier [m].
        samples: of a look. Of fewer looks than LEAST_LOOKS nothing is known, and nothing taken.
    """
    looks = x[: len(x) // samples * samples].reshape(-1, samples)
    if len(looks) < LEAST_LOOKS:
        return x, np.empty(0)
    step = prf_hz / samples
    power = _powers(looks)
    middle = np.median(power, axis=0)
    floor = median_filter(middle, min(AROUND_BINS, samples), mode="wrap") + 1e-300
    frequency = np.asarray(np.fft.fftfreq(samples, 1.0 / prf_hz), np.float64)
    reach = np.minimum(2 + np.ceil(DRIFT_SHARE * np.abs(frequency) / step), samples // 8).astype(int)
    around = _summed(power, reach)
    amplitude = np.sqrt(np.maximum(around, 0.0))
    snr = np.median(around, axis=0) / ((2 * reach + 1) * floor)
    spread = amplitude.std(axis=0) / (amplitude.mean(axis=0) + 1e-300)
    peak = middle >= np.max([np.roll(middle, k) for k in (-3, -2, -1, 1, 2, 3)], axis=0)
    mains = _of_mains(frequency, step)
    most = np.where(mains, MAINS_STEADY, STEADY) + 1.0 / np.sqrt(2.0 * np.maximum(snr, 1.0))
    steady = peak & (snr > LEAST_SNR) & (spread < most)
    seconds = len(looks) * samples / prf_hz
    far = np.abs(frequency) * wavelength_m / 2.0 * seconds > LEAST_WAY_M
    found = np.flatnonzero(steady & (far | mains))
    lone = ~_in_comb(np.abs(frequency[found]), step) & _is_alone(middle, found, frequency, step)
    found = found[lone | mains[found]]
    if not len(found):
        return x, np.empty(0)
    spectrum = np.fft.fft(x)
    whole = np.fft.fftfreq(len(x), 1.0 / prf_hz)
    high = middle > SKIRT_ABOVE * floor
    for k in found.tolist():
        tone = frequency[k]
        widest = max(SKIRT_HZ, SKIRT_SHARE * abs(tone))
        below, above = _reach(high, k, -1, int(widest / step)), _reach(high, k, 1, int(widest / step))
        inside = (whole >= tone - (below + 1) * step) & (whole <= tone + (above + 1) * step)
        if not np.iscomplexobj(x):
            inside |= (whole <= -tone + (below + 1) * step) & (whole >= -tone - (above + 1) * step)
        spectrum[inside] = 0.0
    out = np.fft.ifft(spectrum)
    return out if np.iscomplexobj(x) else np.asarray(out.real), np.unique(np.abs(frequency[found]))


def without_flicker(
    x: NDArray[np.complex128] | Floats, prf_hz: float, wavelength_m: float, samples: int
) -> NDArray[np.complex128] | Floats:
    """Return a recording in which what hardly moves, in three of four looks or more, is no stronger than the noise.

    Args: as of `without_tones`.
    """
    looks = x[: len(x) // samples * samples].reshape(-1, samples)
    if len(looks) < LEAST_LOOKS:
        return x
    power = _powers(looks)
    noise = np.median(power) / np.log(2.0)
    there = np.quantile(power, 0.25, axis=0) / QUARTILE_OF_MEAN
    there = (np.roll(there, 1) + there + np.roll(there, -1)) / 3.0
    frequency = np.abs(np.fft.fftfreq(len(x), 1.0 / prf_hz))
    slow = frequency <= min(SLOW_HZ, SLOW_MPS * 2.0 / wavelength_m)
    place = np.round(np.fft.fftfreq(len(x)) * samples).astype(int)
    gain = np.where(slow, np.minimum(np.sqrt(noise / np.maximum(there[place], 1e-300)), 1.0), 1.0)
    out = np.fft.ifft(np.fft.fft(x - x.mean()) * gain)
    return out if np.iscomplexobj(x) else np.asarray(out.real)


def by_blocks(
    change: Callable[[NDArray[np.complex128] | Floats], NDArray[np.complex128] | Floats],
    x: NDArray[np.complex128] | Floats,
    samples: int,
) -> NDArray[np.complex128] | Floats:
    """Return samples changed in blocks of BLOCK_LOOKS looks, the last one longer: an hour takes no more memory than a minute."""
    ends = [*range(BLOCK_LOOKS * samples, len(x) - BLOCK_LOOKS * samples + 1, BLOCK_LOOKS * samples), len(x)]
    return np.concatenate([change(x[begin:end]) for begin, end in pairwise([0, *ends])])


def is_empty_above(x: NDArray[np.complex128] | Floats, samples: int) -> bool:
    """Tell whether nothing stands out of the noise in the upper half of the frequencies of looks of so many samples."""
    looks = x[: len(x) // samples * samples].reshape(-1, samples)
    high = np.abs(np.fft.fftfreq(samples)) >= 0.25
    above = np.array([_powers(one[None])[0, high].astype(np.float32) for one in looks])
    noise = np.median(above) / np.log(2.0)
    return bool(above.max() <= noise * (np.log(above.size) + ABOVE_NOISE))


def halved(x: NDArray[np.complex128] | Floats) -> NDArray[np.complex128] | Floats:
    """Return samples at half the rate: the lower half of the frequencies."""
    half = len(x) // 2
    if not np.iscomplexobj(x):
        return np.asarray(np.fft.irfft(np.fft.rfft(x)[: half // 2 + 1], half) * half / len(x))
    whole = np.fft.fft(x)
    low = np.concatenate([whole[: half - half // 2], whole[len(x) - half // 2 :]])
    return np.asarray(np.fft.ifft(low) * half / len(x))


def _powers(looks: NDArray[np.complex128] | Floats) -> Floats:
    """Return (L, S) power spectra under a Hann window, of looks without their means."""
    window = np.hanning(looks.shape[1] + 2)[1:-1]
    return np.array([np.abs(np.fft.fft((one - one.mean()) * window)) ** 2 for one in looks])


def _summed(power: Floats, reach: Ints) -> Floats:
    """Return (L, S) the power of so many bins (S,) to each side together, around the circle."""
    samples, most = power.shape[1], int(reach.max())
    total = np.cumsum(np.pad(power, ((0, 0), (most + 1, most)), mode="wrap"), axis=1)
    place = np.arange(samples) + most + 1
    return np.asarray(total[:, place + reach] - total[:, place - reach - 1])


def _of_mains(frequency: Floats, step: float) -> NDArray[np.bool_]:
    out = np.zeros(len(frequency), np.bool_)
    for mains in MAINS_HZ:
        order = np.round(np.abs(frequency) / mains)
        off = np.abs(np.abs(frequency) - order * mains)
        out |= (
            (order > 0) & (order <= MAINS_HARMONICS) & (off <= np.maximum(MAINS_SHARE * np.abs(frequency), 0.5 * step))
        )
    return out


def _in_comb(frequency: Floats, step: float) -> NDArray[np.bool_]:
    """Tell which of some frequencies are among COMB of even spacing."""
    lines = np.unique(np.round(frequency / step)) * step
    out = np.zeros(len(frequency), np.bool_)
    order = np.arange(COMB)
    near = (1.0 + order[:, None]) * step  # the spacing is known to a bin
    for first in range(len(lines)):
        for second in range(first + 1, len(lines)):
            wanted = lines[first] + (lines[second] - lines[first]) * order[:, None]
            if (np.abs(lines - wanted).min(axis=1) <= near[:, 0]).all():
                out |= (np.abs(frequency - wanted) <= near).any(axis=0)
    return out


def _is_alone(middle: Floats, found: Ints, frequency: Floats, step: float) -> NDArray[np.bool_]:
    """Tell of which lines nothing is near that is nearly as strong, as the lines of a drone's other rotors are."""
    out = np.ones(len(found), np.bool_)
    for place, k in enumerate(found.tolist()):
        off = np.abs(frequency - frequency[k])
        tone = abs(float(frequency[k]))
        near = (off > max(4.0 * step, SKIRT_SHARE * tone)) & (off <= ALONE_SHARE * tone)
        out[place] = not (middle[near] > ALONE_BELOW * middle[k]).any()
    return out


def _reach(high: NDArray[np.bool_], k: int, way: int, most: int) -> int:
    """Return over how many bins from k on what is high goes on, at most so many."""
    reach = 0
    while reach < most and high[(k + way * (reach + 1)) % len(high)]:
        reach += 1
    return reach
