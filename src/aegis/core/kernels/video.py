# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A turning radar's video, spoke by spoke: the threshold that follows the clutter, and cells joined to blobs over the spokes."""

import cython
from cython.cimports.libc.math import floor, sqrt

FAR = cython.declare(cython.double, 1e300)
# Columns of a blob's row; `core.video.blobs` names them alike.
CELLS = cython.declare(cython.int, 0)
WEIGHT = cython.declare(cython.int, 1)
CELL_SUM = cython.declare(cython.int, 2)  # weighted, as the others
CELL_SQUARES = cython.declare(cython.int, 3)
ANGLE_SUM = cython.declare(cython.int, 4)  # from the blob's first angle on
ANGLE_SQUARES = cython.declare(cython.int, 5)
TIME_SUM = cython.declare(cython.int, 6)  # from the blob's first time on
FIRST_CELL = cython.declare(cython.int, 7)
LAST_CELL = cython.declare(cython.int, 8)
FIRST_SPOKE = cython.declare(cython.int, 9)
LAST_SPOKE = cython.declare(cython.int, 10)
FIRST_ANGLE = cython.declare(cython.int, 11)
LAST_ANGLE = cython.declare(cython.int, 12)
FIRST_TIME = cython.declare(cython.int, 13)
PEAK = cython.declare(cython.int, 14)
APPROACHING = cython.declare(cython.int, 15)  # cells so marked
RECEDING = cython.declare(cython.int, 16)
SECTOR = cython.declare(cython.int, 17)  # of its box
ECHO = cython.declare(cython.int, 18)  # that it is part of
COLUMNS = cython.declare(cython.int, 19)
TURN = cython.declare(cython.double, 6.283185307179586)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def slide(
    ring: cython.uchar[:, ::1], sums: cython.longlong[:, :, ::1], region: cython.longlong, enters: cython.longlong,
    leaves: cython.longlong,
) -> cython.void:  # fmt: skip
    """Move one region of the window on by a spoke: add a row of the ring to its sums, take one away; -1: none.

    Args:
        ring: (R, M) levels; sums: (3, 2, M) of the regions' levels and squares; region: which.
    """
    v: cython.longlong
    for i in range(ring.shape[1]):
        if enters >= 0:
            v = cython.cast(cython.longlong, ring[enters, i])
            sums[region, 0, i] += v
            sums[region, 1, i] += v * v
        if leaves >= 0:
            v = cython.cast(cython.longlong, ring[leaves, i])
            sums[region, 0, i] -= v
            sums[region, 1, i] -= v * v


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def span(
    prefix: cython.longlong[:, :, ::1], region: cython.longlong, begin: cython.longlong, end: cython.longlong,
    spokes: cython.longlong, least: cython.longlong, moments: cython.double[::1],
) -> cython.bint:  # fmt: skip
    """Write mean and variance of a region's cells begin to end; return whether there are enough."""
    begin = max(begin, 0)
    end = min(end, prefix.shape[2] - 1)
    n: cython.double = (end - begin) * spokes
    if end <= begin or n < least:
        return False
    total: cython.double = prefix[region, 0, end] - prefix[region, 0, begin]
    squares: cython.double = prefix[region, 1, end] - prefix[region, 1, begin]
    moments[0] = total / n
    moments[1] = max(squares / n - moments[0] * moments[0], 0.0)
    return True


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def threshold(
    levels: cython.uchar[::1], sums: cython.longlong[:, :, ::1], spokes: cython.longlong[::1], prefix: cython.longlong[:, :, ::1],
    moments: cython.double[::1], guard: cython.longlong, reference: cython.longlong, along: cython.longlong, least: cython.longlong,
    floor: cython.double, factor: cython.double, mask: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Write which cells of a spoke stand out of the second lowest of the regions before, behind, nearer and farther.

    Args:
        levels: (M,); sums: (3, 2, M) over the spokes before, around and behind; spokes: (3,) how many these are.
        prefix: (3, 2, M + 1) scratch; moments: (2,) scratch.
        guard, reference: cells left out and taken, nearer and farther; along: cells on each side, before and behind.
        least: cells that a region must have; floor: level below which nothing is; factor: standard deviations.
        mask: (M,) to be written.
    """
    M = levels.shape[0]
    total: cython.longlong
    for region in range(3):
        for k in range(2):
            total = 0
            prefix[region, k, 0] = 0
            for j in range(M):
                total += sums[region, k, j]
                prefix[region, k, j + 1] = total
    lowest: cython.double
    second: cython.double
    lowest_variance: cython.double
    second_variance: cython.double
    i: cython.longlong
    found: cython.bint
    for i in range(M):
        mask[i] = 0
        if levels[i] < floor:
            continue
        lowest = second = FAR
        lowest_variance = second_variance = 0.0
        for side in range(4):
            if side == 0:
                found = span(prefix, 0, i - along, i + along + 1, spokes[0], least, moments)
            elif side == 1:
                found = span(prefix, 2, i - along, i + along + 1, spokes[2], least, moments)
            elif side == 2:
                found = span(prefix, 1, i - guard - reference, i - guard, spokes[1], least, moments)
            else:
                found = span(prefix, 1, i + guard + 1, i + guard + reference + 1, spokes[1], least, moments)
            if not found:
                continue
            if moments[0] < lowest:
                second, second_variance = lowest, lowest_variance
                lowest, lowest_variance = moments[0], moments[1]
            elif moments[0] < second:
                second, second_variance = moments[0], moments[1]
        if second == FAR:
            second, second_variance = lowest, lowest_variance
        if second == FAR or levels[i] > second + factor * sqrt(second_variance):
            mask[i] = 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def root(parents: cython.longlong[::1], blob: cython.longlong) -> cython.longlong:
    """Return the blob that a blob was joined to."""
    while parents[blob] != blob:
        blob = parents[blob]
    return blob


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge(blobs: cython.double[:, ::1], into: cython.longlong, other: cython.longlong) -> cython.void:
    """Add a blob's row to another's, whose first angle and time stay what the sums count from."""
    w: cython.double = blobs[other, WEIGHT]
    shift: cython.double = blobs[other, FIRST_ANGLE] - blobs[into, FIRST_ANGLE]
    later: cython.double = blobs[other, FIRST_TIME] - blobs[into, FIRST_TIME]
    blobs[into, ANGLE_SQUARES] += (
        blobs[other, ANGLE_SQUARES] + 2.0 * shift * blobs[other, ANGLE_SUM] + shift * shift * w
    )
    blobs[into, ANGLE_SUM] += blobs[other, ANGLE_SUM] + shift * w
    blobs[into, TIME_SUM] += blobs[other, TIME_SUM] + later * w
    blobs[into, WEIGHT] += w
    blobs[into, CELLS] += blobs[other, CELLS]
    blobs[into, CELL_SUM] += blobs[other, CELL_SUM]
    blobs[into, CELL_SQUARES] += blobs[other, CELL_SQUARES]
    blobs[into, FIRST_CELL] = min(blobs[into, FIRST_CELL], blobs[other, FIRST_CELL])
    blobs[into, LAST_CELL] = max(blobs[into, LAST_CELL], blobs[other, LAST_CELL])
    blobs[into, FIRST_SPOKE] = min(blobs[into, FIRST_SPOKE], blobs[other, FIRST_SPOKE])
    blobs[into, LAST_SPOKE] = max(blobs[into, LAST_SPOKE], blobs[other, LAST_SPOKE])
    blobs[into, LAST_ANGLE] = max(blobs[into, LAST_ANGLE], blobs[other, LAST_ANGLE])
    blobs[into, PEAK] = max(blobs[into, PEAK], blobs[other, PEAK])
    blobs[into, APPROACHING] += blobs[other, APPROACHING]
    blobs[into, RECEDING] += blobs[other, RECEDING]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def unite(
    echoes: cython.double[:, ::1], parents: cython.longlong[::1], one: cython.longlong, other: cython.longlong
) -> cython.longlong:
    """Make two echoes one; return which of the two it is."""
    one = root(parents, one)
    other = root(parents, other)
    if one == other:
        return one
    echoes[one, 0] = min(echoes[one, 0], echoes[other, 0])
    echoes[one, 1] = max(echoes[one, 1], echoes[other, 1])
    echoes[one, 2] = min(echoes[one, 2], echoes[other, 2])
    echoes[one, 3] = max(echoes[one, 3], echoes[other, 3])
    echoes[one, 4] = max(echoes[one, 4], echoes[other, 4])
    parents[other] = one
    return one


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def join(
    codes: cython.uchar[::1], levels: cython.uchar[::1], mask: cython.uchar[::1], spoke: cython.longlong, angle: cython.double,
    time: cython.double, approaching: cython.uchar, receding: cython.uchar, gap: cython.longlong, piece: cython.longlong,
    sectors: cython.longlong[::1], labels: cython.longlong[:, ::1], parents: cython.longlong[::1], free: cython.longlong[::1],
    blobs: cython.double[:, ::1], echo_parents: cython.longlong[::1], echo_free: cython.longlong[::1],
    echoes: cython.double[:, ::1], counts: cython.longlong[::1],
) -> cython.void:  # fmt: skip
    """Put the cells of a spoke that stand out into the blobs and echoes that they touch; see `core.video.blobs.Blobs`.

    An echo is what touches; a blob is the part of it in a box of a fixed grid over range and angle.

    Args:
        codes, levels, mask: (M,) as sent, without marks, and which stand out.
        spoke, angle, time: of the spoke; the angle grows from spoke to spoke.
        approaching, receding: codes that mark such echoes; 0: none.
        gap: cells of a run that may be missing; piece: length of a box [cells].
        sectors: (M / piece + 1,) boxes in a turn, of each range.
        labels: (S + 1, M) blob + 1 of each cell of the last S spokes, the newest first; row 0 is to be written.
        parents: (B,) blob that each was joined to, itself where to none; free: (B,) stack of rows not in use.
        blobs: (B, COLUMNS) their rows.
        echo_parents, echo_free, echoes: the same of echoes, (E, 5): first and last cell, first and last angle, last spoke.
        counts: (3,) rows on the stack of blobs; cells that found no row; rows on the stack of echoes.
    """
    M = mask.shape[0]
    rows = labels.shape[0]
    i: cython.longlong = 0
    j: cython.longlong
    end: cython.longlong
    stop: cython.longlong
    box: cython.longlong
    sector: cython.longlong
    blob: cython.longlong
    other: cython.longlong
    echo: cython.longlong
    w: cython.double
    for c in range(M):
        labels[0, c] = 0
    while i < M:
        if not mask[i]:
            i += 1
            continue
        # A run: cells that stand out, with gaps.
        end = i + 1
        j = end
        while j < M and j - end <= gap:
            if mask[j]:
                end = j + 1
            j += 1
        if counts[2] == 0:
            counts[1] += end - i
            i = end
            continue
        counts[2] -= 1
        echo = echo_free[counts[2]]
        echo_parents[echo] = echo
        echoes[echo, 0], echoes[echo, 1] = i, end - 1
        echoes[echo, 2] = echoes[echo, 3] = angle
        echoes[echo, 4] = spoke
        while i < end:
            box = i // piece
            stop = min((box + 1) * piece, end)
            if counts[0] == 0:
                counts[1] += stop - i
                i = stop
                continue
            sector = cython.cast(cython.longlong, floor(angle * sectors[box] / TURN))
            counts[0] -= 1
            blob = free[counts[0]]
            parents[blob] = blob
            for column in range(COLUMNS):
                blobs[blob, column] = 0.0
            blobs[blob, FIRST_CELL], blobs[blob, LAST_CELL] = i, stop - 1
            blobs[blob, FIRST_SPOKE] = blobs[blob, LAST_SPOKE] = spoke
            blobs[blob, FIRST_ANGLE] = blobs[blob, LAST_ANGLE] = angle
            blobs[blob, FIRST_TIME] = time
            blobs[blob, SECTOR] = sector
            blobs[blob, ECHO] = echo
            for c in range(i, stop):
                if not mask[c]:
                    continue
                w = cython.cast(cython.double, levels[c])
                blobs[blob, CELLS] += 1.0
                blobs[blob, WEIGHT] += w
                blobs[blob, CELL_SUM] += w * c
                blobs[blob, CELL_SQUARES] += w * c * c
                blobs[blob, PEAK] = max(blobs[blob, PEAK], w)
                if approaching and codes[c] == approaching:
                    blobs[blob, APPROACHING] += 1.0
                if receding and codes[c] == receding:
                    blobs[blob, RECEDING] += 1.0
            # What it touches, also at a corner. Of two blobs the older stays; the younger's row is freed when it closes, as cells
            # of the last spokes still name it.
            for row in range(1, rows):
                for c in range(max(i - 1, 0), min(stop + 1, M)):
                    if labels[row, c] == 0:
                        continue
                    other = root(parents, labels[row, c] - 1)
                    if other == blob:
                        continue
                    echo = unite(echoes, echo_parents, echo, cython.cast(cython.longlong, blobs[other, ECHO]))
                    if blobs[other, SECTOR] != sector or blobs[other, FIRST_CELL] // piece != box:
                        continue
                    if blobs[other, FIRST_SPOKE] <= blobs[blob, FIRST_SPOKE]:
                        merge(blobs, other, blob)
                        parents[blob] = other
                        blobs[blob, LAST_SPOKE] = spoke
                        blob = other
                    else:
                        merge(blobs, blob, other)
                        parents[other] = blob
                        blobs[other, LAST_SPOKE] = spoke
            for c in range(i, stop):
                if mask[c]:
                    labels[0, c] = blob + 1
            i = stop
