"""Softmax regression in numpy, for texts whose label is only partly known.

A text of the wearer's may be marked with a skill and not with an action: then any of the skill's
actions is right, and the loss is minus the logarithm of their summed probability. Adam (Kingma & Ba
2015) with the decay of weights set apart (Loshchilov & Hutter 2019); seeded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = Callable[[NDArray[np.int64]], tuple[Floats, NDArray[np.int64] | None]]
"""Gives some rows as a dense matrix, with the features that its columns are; None is all."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How long and how fast to train."""

    rate: float = 0.01
    """Step size at the beginning; it falls to nothing as a cosine."""
    epochs: int = 10
    """How often each row is seen."""
    batch: int = 128
    """Rows a step."""
    decay: float = 0.0
    """Share of a weight that goes at each step, times the rate."""
    seed: int = 0
    """Of the order of rows."""


def softmax(scores: Floats) -> Floats:
    """Return probabilities along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


def fit(
    rows: Rows, columns: int, allowed: NDArray[np.bool_], weight: Floats, options: FitOptions
) -> tuple[Floats, Floats]:
    """Return weights (columns x labels) and biases.

    `allowed` says for each row which labels are right, `weight` how much it counts.
    """
    count, labels = allowed.shape
    weights = np.zeros((columns, labels), np.float32)
    bias = np.zeros(labels, np.float32)
    state = [(np.zeros_like(p), np.zeros_like(p)) for p in (weights, bias)]
    steps = options.epochs * -(-count // options.batch)
    for step, chosen in enumerate(_batches(count, options), start=1):
        x, active = rows(chosen)
        own = weights if active is None else weights[active]
        share = softmax(x @ own + bias)
        right = share * allowed[chosen]
        target = right / np.maximum(right.sum(axis=1, keepdims=True), 1e-9)
        error = (share - target) * weight[chosen, None] / len(chosen)
        rate = options.rate * (1 + math.cos(math.pi * step / steps)) / 2
        at = slice(None) if active is None else active
        _adam(weights, state[0], x.T @ error, at, rate, step, options.decay)
        _adam(bias, state[1], error.sum(axis=0), slice(None), rate, step, 0.0)
    return weights, bias


def _batches(count: int, options: FitOptions) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(options.seed)
    for _ in range(options.epochs):
        order = rng.permutation(count)
        for start in range(0, count, options.batch):
            yield order[start : start + options.batch]


def _adam(
    values: Floats,
    state: tuple[Floats, Floats],
    gradient: Floats,
    at: slice | NDArray[np.int64],
    rate: float,
    step: int,
    decay: float,
) -> None:
    """Move some rows of the values; rows that a batch does not touch keep still."""
    mean, square = state
    mean[at] = 0.9 * mean[at] + 0.1 * gradient
    square[at] = 0.99 * square[at] + 0.01 * gradient**2
    mean_now = mean[at] / (1 - 0.9**step)
    square_now = square[at] / (1 - 0.99**step)
    values[at] -= rate * (mean_now / (np.sqrt(square_now) + 1e-6) + decay * values[at])


def dense(matrix: Floats) -> Rows:
    """Give the rows of a matrix."""
    return lambda chosen: (matrix[chosen], None)


def sparse(places: Sequence[NDArray[np.int64]], idf: NDArray[np.uint8]) -> Rows:
    """Give rows of hashed features, weighed by idf, each of length 1."""

    def rows(chosen: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        listed = [places[at] for at in chosen]
        active, column = np.unique(np.concatenate(listed), return_inverse=True)
        row = np.repeat(np.arange(len(listed)), [len(one) for one in listed])
        x = np.zeros((len(listed), len(active)), np.float32)
        x[row, column] = idf[active[column]]
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
        return x, active

    return rows


def fit_pool(
    logs: Sequence[Floats], none: int, allowed: NDArray[np.bool_], steps: int = 400
) -> tuple[list[float], float]:
    """Return a weight for each opinion, and what is added for `none`.

    `logs` are logarithms of probabilities, rows x labels, about rows that no opinion was trained
    on. Few numbers are fitted on many rows, so there is nothing to decay.
    """
    values = np.array([1.0 / len(logs)] * len(logs) + [0.0], np.float32)
    state = (np.zeros_like(values), np.zeros_like(values))
    for step in range(1, steps + 1):
        scores = np.tensordot(values[:-1], np.stack(logs), axes=1)
        scores[:, none] += values[-1]
        share = softmax(scores)
        right = share * allowed
        error = (share - right / np.maximum(right.sum(axis=1, keepdims=True), 1e-9)) / len(share)
        gradient = np.array([*(float((error * log).sum()) for log in logs), error[:, none].sum()])
        rate = 0.05 * (1 + math.cos(math.pi * step / steps)) / 2
        _adam(values, state, gradient.astype(np.float32), slice(None), rate, step, 0.0)
    return [max(0.0, float(weight)) for weight in values[:-1]], float(values[-1])
