# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cells of a range-Doppler map above the statistic of their reference, and the peaks among them; see `signal.cfar`."""

import cython

CHUNK = cython.declare(
    cython.Py_ssize_t, 8
)  # rows of the map that `ordered` looks at together: they stay in the fastest cache
TOP = cython.declare(cython.int, 126)  # of the codes; a level is at most one more, in 8 bits
BLOCK = cython.declare(cython.Py_ssize_t, 120)  # cells that are counted in 8 bits; a multiple of eight
SUM, GREATEST = cython.declare(cython.int, 0), cython.declare(cython.int, 1)
SIDELOBE_MARGIN = cython.declare(
    cython.double, 2.0
)  # power; sidelobes may be so much higher: targets move, radars drift


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_rows(
    power: cython.float[:, ::1], first: cython.Py_ssize_t, end: cython.Py_ssize_t,
    total: cython.float[:, ::1], to: cython.Py_ssize_t,
) -> cython.void:  # fmt: skip
    """Add the rows first to end - 1 of `power` to total[to], four at a time."""
    n = total.shape[1]
    i: cython.Py_ssize_t = first
    while i + 4 <= end:
        for j in range(n):
            total[to, j] += (power[i, j] + power[i + 1, j]) + (power[i + 2, j] + power[i + 3, j])
        i += 4
    for row in range(i, end):
        for j in range(n):
            total[to, j] += power[row, j]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_shifted(
    values: cython.float[:, ::1], row: cython.Py_ssize_t, first: cython.Py_ssize_t, end: cython.Py_ssize_t,
    total: cython.float[:, ::1], to: cython.Py_ssize_t,
) -> cython.void:  # fmt: skip
    """Add values[row], shifted left by first to end - 1 cells, to total[to], four at a time."""
    n = total.shape[1]
    i: cython.Py_ssize_t = first
    while i + 4 <= end:
        for j in range(n):
            total[to, j] += (values[row, i + j] + values[row, i + 1 + j]) + (
                values[row, i + 2 + j] + values[row, i + 3 + j]
            )
        i += 4
    for shift in range(i, end):
        for j in range(n):
            total[to, j] += values[row, shift + j]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def across(
    sums: cython.float[:, ::1], left: cython.Py_ssize_t, middle: cython.Py_ssize_t, right: cython.Py_ssize_t,
    half: cython.Py_ssize_t, guard: cython.Py_ssize_t, weight: cython.float, level: cython.float[:, ::1], to: cython.Py_ssize_t,
) -> cython.void:  # fmt: skip
    """Sum sums[middle] over the guard columns, [left] and [right] over the reference columns beside them; scale, as level[to]."""
    for j in range(level.shape[1]):
        level[to, j] = 0.0
    add_shifted(sums, left, 0, half - guard, level, to)
    add_shifted(sums, middle, half - guard, half + guard + 1, level, to)
    add_shifted(sums, right, half + guard + 1, 2 * half + 1, level, to)
    for j in range(level.shape[1]):
        level[to, j] *= weight


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def copy_row(values: cython.float[:, ::1], row: cython.Py_ssize_t, to: cython.Py_ssize_t) -> cython.void:
    """Copy a row."""
    for j in range(values.shape[1]):
        values[to, j] = values[row, j]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def average(
    power: cython.float[:, ::1], half_range: cython.Py_ssize_t, half_doppler: cython.Py_ssize_t,
    guard_range: cython.Py_ssize_t, guard_doppler: cython.Py_ssize_t, mode: cython.longlong[::1],
    weight: cython.float[:, ::1], unbias: cython.double[::1], sums: cython.float[:, ::1], level: cython.float[:, ::1],
    found: cython.longlong[::1], noise: cython.double[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write what is above the weighted sums of its reference, and its noise; return the number.

    A half is far rows, of which all columns belong to the reference, and near rows, of which the guard columns do not; the
    cell's own row is near, one side of it for each half.

    Args:
        power: the map with its margins of half_range and half_doppler; mode, weight, unbias: of each row, see `signal.cfar`.
        sums: (3, columns with margin), level: (2, columns) scratch.
        found, noise: one entry a cell of the map, to be written.
    """
    dopplers = level.shape[1]
    MIDDLE, SIDE, WITH_ROW = 0, 1, 2  # rows of `sums`
    n: cython.Py_ssize_t = 0
    above: cython.int
    for r in range(mode.shape[0]):
        i = r + half_range
        first, last = i - half_range, i + half_range + 1
        near, near_end = i - guard_range, i + guard_range + 1
        for j in range(sums.shape[1]):
            sums[MIDDLE, j] = 0.0
        add_rows(power, first, near, sums, MIDDLE)
        if mode[r] == SUM:
            add_rows(power, near_end, last, sums, MIDDLE)
            copy_row(sums, MIDDLE, SIDE)
            add_rows(power, near, near_end, sums, SIDE)
            across(sums, SIDE, MIDDLE, SIDE, half_doppler, guard_doppler, weight[r, 0], level, 0)
        else:
            copy_row(sums, MIDDLE, SIDE)
            add_rows(power, near, i, sums, SIDE)
            copy_row(sums, SIDE, WITH_ROW)
            add_rows(power, i, i + 1, sums, WITH_ROW)
            across(sums, WITH_ROW, MIDDLE, SIDE, half_doppler, guard_doppler, weight[r, 0], level, 0)
            for j in range(sums.shape[1]):
                sums[MIDDLE, j] = 0.0
            add_rows(power, near_end, last, sums, MIDDLE)
            copy_row(sums, MIDDLE, SIDE)
            add_rows(power, i + 1, near_end, sums, SIDE)
            copy_row(sums, SIDE, WITH_ROW)
            add_rows(power, i, i + 1, sums, WITH_ROW)
            across(sums, SIDE, MIDDLE, WITH_ROW, half_doppler, guard_doppler, weight[r, 1], level, 1)
            if mode[r] == GREATEST:
                for j in range(dopplers):
                    level[0, j] = max(level[0, j], level[1, j])
            else:
                for j in range(dopplers):
                    level[0, j] = min(level[0, j], level[1, j])
        above = 0
        for j in range(dopplers):
            above += power[i, half_doppler + j] > level[0, j]
        if above > 0:
            for j in range(dopplers):
                if power[i, half_doppler + j] > level[0, j] and level[0, j] > 0.0:
                    found[n] = r * dopplers + j
                    noise[n] = level[0, j] * unbias[r]
                    n += 1
    return n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def coded(bits: cython.int, base: cython.int) -> cython.schar:
    """Return a power, by its bits, as eighths of an octave above a base, 0 to TOP: never less for a larger power."""
    eighths: cython.int = (bits >> 20) - base
    if eighths < 0:
        eighths = 0
    return TOP if eighths > TOP else eighths


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def count_below(
    code: cython.schar[::1], begin: cython.Py_ssize_t, share: cython.longlong[::1], level: cython.schar[::1],
    part: cython.schar[::1], count: cython.short[::1], n: cython.Py_ssize_t,
) -> cython.void:  # fmt: skip
    """Count, for n cells from `begin` on, how many cells of their share have a code below the level; the share is in eights."""
    total = share.shape[0]
    for j in range(n):
        count[j] = 0
    for block in range((total + BLOCK - 1) // BLOCK):  # in 8 bits as long as they last
        for j in range(n):
            part[j] = 0
        for eighth in range(block * BLOCK // 8, min((block + 1) * BLOCK, total) // 8):
            q = 8 * eighth
            a, b, c, d = begin + share[q], begin + share[q + 1], begin + share[q + 2], begin + share[q + 3]
            e, f, g, h = begin + share[q + 4], begin + share[q + 5], begin + share[q + 6], begin + share[q + 7]
            for j in range(n):
                x = level[j]
                part[j] += (
                    cython.cast(cython.schar, code[a + j] < x) + cython.cast(cython.schar, code[b + j] < x)
                    + cython.cast(cython.schar, code[c + j] < x) + cython.cast(cython.schar, code[d + j] < x)
                    + cython.cast(cython.schar, code[e + j] < x) + cython.cast(cython.schar, code[f + j] < x)
                    + cython.cast(cython.schar, code[g + j] < x) + cython.cast(cython.schar, code[h + j] < x)
                )  # fmt: skip
        for j in range(n):
            count[j] += part[j]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def smallest(bits: cython.int[::1], rank: cython.longlong, high: cython.int) -> cython.int:
    """Return the `rank`-th smallest of `bits`, which is at least 0 and at most `high`, by bisection."""
    low: cython.int = 0
    n: cython.int
    middle: cython.int
    largest: cython.int = 0
    while low < high:
        middle = low + ((high - low) >> 1)
        n = 0
        for i in range(bits.shape[0]):
            n += bits[i] <= middle
        if n == rank:  # then it is the largest of these
            for i in range(bits.shape[0]):
                largest = max(largest, bits[i] if bits[i] <= middle else 0)
            return largest
        if n > rank:
            high = middle
        else:
            low = middle + 1
    return low


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def ordered(
    bits: cython.int[::1], limit: cython.int[:, ::1], half_range: cython.Py_ssize_t, half_doppler: cython.Py_ssize_t,
    offset: cython.longlong[::1], share: cython.longlong[::1], need: cython.short[::1], rank: cython.longlong[::1],
    code: cython.schar[::1], level: cython.schar[::1], part: cython.schar[::1], count: cython.short[::1],
    reference: cython.int[::1], found: cython.longlong[::1], statistic: cython.int[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write what is above alpha times its k-th smallest reference cell, and that one; return the number.

    Powers are never negative, so that their bits, read as integers, are in the same order.

    Args:
        bits: of the map with its margins of half_range and half_doppler; limit: (R, D) bits of each power over alpha.
        offset: of the reference cells; share: of some of them, in eights; need, rank: of each row, see `signal.cfar`.
        code: one entry a cell of the map with margins; level, part, count: CHUNK rows of it; reference: one a reference cell:
            scratch.
        found, statistic: one a cell, to be written.
    """
    ranges, dopplers = limit.shape[0], limit.shape[1]
    width = dopplers + 2 * half_doppler
    n: cython.Py_ssize_t = 0
    rows: cython.Py_ssize_t
    sum_of_bits: cython.longlong
    not_zero: cython.longlong
    base: cython.int
    candidates: cython.int
    below: cython.int
    smallest_one: cython.int
    for chunk in range((ranges + CHUNK - 1) // CHUNK):
        first = chunk * CHUNK
        rows = min(CHUNK, ranges - first)
        begin = (first + half_range) * width + half_doppler
        # Codes about the mean level, in decibels, of these rows.
        sum_of_bits, not_zero = 0, 0
        for k in range(rows):
            for j in range(dopplers):
                sum_of_bits += limit[first + k, j] >> 20
                not_zero += limit[first + k, j] > 0
        base = cython.cast(cython.int, sum_of_bits // max(not_zero, 1)) - TOP // 2
        for i in range(first * width, (first + rows + 2 * half_range) * width):
            code[i] = coded(bits[i], base)
        for k in range(rows):
            for j in range(dopplers):
                level[k * width + j] = coded(limit[first + k, j], base) + 1
        count_below(code, begin, share, level, part, count, (rows - 1) * width + dopplers)
        for k in range(rows):
            r = first + k
            candidates = 0
            for j in range(dopplers):
                candidates += count[k * width + j] >= need[r]
            if candidates == 0:
                continue
            for j in range(dopplers):
                if count[k * width + j] < need[r]:
                    continue
                cell = begin + k * width + j
                below = 0
                for q in range(offset.shape[0]):
                    reference[q] = bits[cell + offset[q]]
                    below += reference[q] < limit[r, j]
                if below >= rank[r]:
                    smallest_one = smallest(reference, rank[r], limit[r, j])
                    if smallest_one > 0:
                        found[n] = r * dopplers + j
                        statistic[n] = smallest_one
                        n += 1
    return n


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def local_maxima(
    power: cython.float[:, ::1], rows: cython.longlong[::1], cols: cython.longlong[::1], out: cython.uchar[::1]
) -> cython.void:
    """Write of each cell (N,) whether no one of its eight neighbours is stronger; of equals, the first. Doppler is circular."""
    R, D = power.shape[0], power.shape[1]
    col: cython.longlong
    for i in range(rows.shape[0]):
        r, d = rows[i], cols[i]
        value = power[r, d]
        out[i] = True
        for row in range(max(r - 1, 0), min(r + 2, R)):
            for step in range(-1, 2):
                col = d + step
                if col < 0:
                    col += D
                elif col >= D:
                    col -= D
                if row == r and col == d:
                    continue
                other = power[row, col]
                if other > value or (other == value and (row < r or (row == r and col < d))):
                    out[i] = False


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def above_sidelobes(
    rows: cython.longlong[::1], cols: cython.longlong[::1], strength: cython.double[::1], excess: cython.double[::1],
    columns: cython.longlong, by_range: cython.double[::1], by_doppler: cython.double[::1], kept: cython.longlong[::1],
) -> tuple[cython.Py_ssize_t, cython.Py_ssize_t]:  # fmt: skip
    """Write the peaks that stronger ones do not explain, at most as many as `kept` has room for; see `signal.peaks`.

    Returns:
        Their number, and how many are explained.
    """
    n: cython.Py_ssize_t = 0
    explained: cython.Py_ssize_t = 0
    alone: cython.bint
    dd: cython.longlong
    for i in range(rows.shape[0]):
        if n == kept.shape[0]:
            break
        alone = True
        for k in range(n):
            j = kept[k]
            dr, dd = abs(rows[i] - rows[j]), abs(cols[i] - cols[j])
            dd = min(dd, columns - dd)
            if dr >= by_range.shape[0] or dd >= by_doppler.shape[0]:
                continue
            if excess[i] < SIDELOBE_MARGIN * (strength[j] * by_range[dr] * by_doppler[dd]):
                alone = False
                break
        if alone:
            kept[n] = i
            n += 1
        else:
            explained += 1
    return n, explained
