"""Training: a fixed time, on every core or a GPU, reproducible up to how fast the machine is.

On a CPU it is one process with one thread a core, whose gradients are added after each batch: in
the prototype two threads of one process were slower than one, since each waits for the other at
every operation. Matrices are trained by Muon (https://kellerjordan.github.io/posts/muon), the rest
by AdamW; the learning rate falls by a cosine of the time spent.
"""

from __future__ import annotations

import math
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch import distributed as group
from torch.nn import functional as F

from agent.errors import EngineError
from agent.understand.learn.pocket import meaning
from agent.understand.learn.pocket.data import Sampler
from agent.understand.learn.pocket.export import Trained
from agent.understand.learn.pocket.network import Network, Shape
from agent.understand.learn.pocket.recipe import HOLDOUT, Recipe
from agent.understand.learn.pocket.spelling import Encoded, Spelling, learn
from agent.understand.minilm import MiniLM
from agent.understand.pocket.layout import Layout
from agent.understand.pocket.reading import words_of
from hardware import reading

CAUSAL_SHARE = 0.15
"""Share of the batches read from left to right only."""
LOOSE_SHARE = 0.3
"""Share of the samples with words spelled anew."""
REAL_SHARE = 1 / 3
"""Share of real texts among the samples, when there are any."""
REAL_WEIGHT = 0.5
"""Weight of the intent of a real text beside that of a sample."""
INTENT_WEIGHT = 1.5
"""Weight of the first token of a call; the end of text, which is certain, has STOP_WEIGHT."""
STOP_WEIGHT = 0.1
DROPOUT = 0.1
WARM_UP = 0.03
"""Share of the time in which the learning rate rises."""
CHECKPOINT_S = 180.0
MOST_BYTES = 1 << 28
"""Longest file of real texts, 256 MiB."""
MUON_RATE, ADAM_RATE, DECAY = 0.02, 3e-3, 0.02

Report = Callable[[float, float, int], None]
"""Is told, about each second: the share of the time that is spent, the loss, samples seen."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to train."""

    minutes: float = 25.0
    """Time for training itself; making the tokenizer and the file takes half a minute more."""
    seed: int = 0
    """Where chance starts."""
    holdout: bool = False
    """Keep HOLDOUT of the templates for the evaluation, instead of learning all of them."""
    real: Path | None = None
    """Real utterances, one JSON object a line: {"text", "skill"}."""
    start: Path | None = None
    """A model of ours to go on from, a GGUF file; its tokenizer is kept."""
    batch: int = 2600
    """Tokens in a batch of all processes together."""
    processes: int = 0
    """0 is one for each core, at most eight, and one on a GPU."""
    checkpoint: Path | None = None
    """Where the model is put every CHECKPOINT_S while it is trained."""
    shape: tuple[int, int, int] = (256, 4, 512)
    """Width, layers and width of the feed-forward of a model that starts from nothing."""
    merges: int = 2600
    """Size of its tokenizer."""
    meaning: Path | None = None
    """MiniLM's file, for where the words of a model that starts from nothing begin."""


@dataclass(frozen=True, slots=True)
class _Job:
    recipe: Recipe
    options: Options
    layout: Layout
    model: str
    shape: Shape
    weights: dict[str, Any] | None
    table: Tensor | None
    """Embeddings to begin with, not a number where they are random."""
    processes: int
    meeting: str
    """Where the processes meet: a file that is not there yet."""


def train(recipe: Recipe, options: Options, report: Report) -> Trained:
    """Train a model of a recipe. Raises EngineError when a file cannot be used."""
    layout = Layout(
        {intent: tuple(slot.name for slot in slots) for intent, slots in recipe.slots.items()},
        recipe.fingerprint,
        HOLDOUT if options.holdout else 0.0,
    )
    weights = table = None
    if options.start is not None:
        before = Trained.load(options.start)
        spelling = Spelling(layout, before.model)
        weights, width = _carried(before, spelling), before.shape
        shape = Shape(len(spelling.texts), width.width, width.layers,
                      feed_forward=width.feed_forward)  # fmt: skip
    else:
        drawn = Sampler(recipe, _patterns(recipe, options), f"{options.seed} spelling")
        spelling = Spelling(layout, learn(islice(drawn, 25_000), options.merges))
        width_, layers, inner = options.shape
        shape = Shape(len(spelling.texts), width_, layers, feed_forward=inner)
        if options.meaning is not None:
            table = meaning.start(spelling.texts, width_, MiniLM(options.meaning))
    if options.real is not None:
        real_texts(options.real, spelling)  # complains now, not in another process
    gpu = torch.cuda.is_available()
    processes = 1 if gpu else options.processes or min(8, len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        job = _Job(recipe, options, layout, spelling.model, shape, weights, table, processes,
                   str(Path(folder, "meeting")))  # fmt: skip
        others = []
        for rank in range(1, processes):
            context = torch.multiprocessing.get_context("spawn")
            others.append(context.Process(target=_work, args=(rank, job), daemon=True))
            others[-1].start()
            stack.callback(others[-1].terminate)
        trained = _work(0, job, report)
        for other in others:
            other.join(timeout=30)
    return trained


def _patterns(recipe: Recipe, options: Options) -> Sequence[Any]:
    return recipe.split(options.seed)[0] if options.holdout else recipe.patterns


def _carried(before: Trained, spelling: Spelling) -> dict[str, Any]:
    """Return the weights of a trained model for a new vocabulary: tokens it lacks start anew."""
    old = {text: number for number, text in enumerate(before.texts)}
    rows = before.weights["token_embd.weight"]
    fresh = torch.randn(
        len(spelling.texts), rows.shape[1], generator=torch.Generator().manual_seed(0)
    )
    table = fresh * rows.std()
    for number, text in enumerate(spelling.texts):
        if text in old:
            table[number] = rows[old[text]]
    return {**before.weights, "token_embd.weight": table}


# -- one process ----------------------------------------------------------------------------------


def _work(rank: int, job: _Job, report: Report | None = None) -> Trained:
    """Train; every process does the same with samples of its own."""
    options = job.options
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(1)
    if job.processes > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        group.init_process_group(
            "gloo", init_method=f"file://{job.meeting}", rank=rank, world_size=job.processes
        )
    torch.manual_seed(options.seed)
    network = Network(job.shape)
    if job.weights is not None:
        network.load_state_dict(job.weights)
    if job.table is not None:
        with torch.no_grad():
            rows = network.token_embd.weight
            rows.copy_(torch.where(job.table.isnan(), rows, job.table))
    network.to(device).train()
    optimizer = _Optimizer(network, rank, job.processes, 0.4 if job.weights is not None else 1.0)
    torch.manual_seed(options.seed * 1000 + rank)
    spelling = Spelling(job.layout, job.model)
    batches = _batches(job, spelling, rank)
    batch = next(batches)
    if job.processes > 1:
        group.barrier()  # the clock starts when all are ready
    began, loss, seen, told = time.monotonic(), math.nan, 0, 0.0
    spent, kept = 0.0, began
    while spent < 1:
        now = batch.loss(network, device)
        torch.autograd.backward(now)
        share = (time.monotonic() - began) / (60 * options.minutes)
        spent = optimizer.step(share)
        loss = now.item() if math.isnan(loss) else 0.97 * loss + 0.03 * now.item()
        seen += batch.size * job.processes
        batch = next(batches)
        if report and (time.monotonic() - told > 1 or spent >= 1):
            told = time.monotonic()
            report(min(1.0, spent), loss, seen)
        if rank == 0 and options.checkpoint and time.monotonic() - kept > CHECKPOINT_S:
            kept = time.monotonic()
            _trained(network, job, spelling).save(options.checkpoint)
    if job.processes > 1:
        group.barrier()
        group.destroy_process_group()
    return _trained(network, job, spelling)


def _trained(network: Network, job: _Job, spelling: Spelling) -> Trained:
    weights = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    return Trained(weights, job.shape, job.layout, spelling.texts, spelling.model)


class _Optimizer:
    """Muon for the matrices within the blocks, AdamW for the rest, over all processes."""

    def __init__(self, network: Network, rank: int, processes: int, pace: float) -> None:
        named = dict(network.named_parameters())
        self._all = list(named.values())
        self._matrices = [p for n, p in named.items() if p.dim() == 2 and n.startswith("blk.")]
        rest = [p for n, p in named.items() if p.dim() != 2 or not n.startswith("blk.")]
        self._adam = torch.optim.AdamW(rest, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0)
        self._momenta = [torch.zeros_like(p) for p in self._matrices]
        self._rank, self._processes, self._pace = rank, processes, pace

    def step(self, share: float) -> float:
        """Apply the gradients; return the share of the time that all agree is spent."""
        share = self._agree(share)
        torch.nn.utils.clip_grad_norm_(self._all, 1.0)
        spent = min(1.0, share)
        rate = self._pace * min(spent / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * spent))
        rate = max(rate, 1e-4)
        for option in self._adam.param_groups:
            option["lr"] = ADAM_RATE * rate
        self._adam.step()
        with torch.no_grad():
            self._muon(MUON_RATE * rate)
        for parameter in self._all:
            parameter.grad = None
        return share

    def _agree(self, share: float) -> float:
        """Average the gradients, and the share, over the processes."""
        if self._processes == 1:
            return share
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self._all]
        flat = torch.cat([torch.tensor([share]), *(grad.reshape(-1) for grad in grads)])
        group.all_reduce(flat)
        flat /= self._processes
        at = 1
        for parameter in self._all:
            parameter.grad = flat[at : at + parameter.numel()].view_as(parameter)
            at += parameter.numel()
        return float(flat[0])

    def _muon(self, rate: float) -> None:
        """Each process works out a part of the matrices' steps, and all take every step."""
        steps = []
        for number, (matrix, momentum) in enumerate(
            zip(self._matrices, self._momenta, strict=True)
        ):
            grad = matrix.grad if matrix.grad is not None else torch.zeros_like(matrix)
            momentum.lerp_(grad, 0.05)
            if number % self._processes != self._rank:
                steps.append(torch.zeros_like(matrix))
                continue
            steps.append(_orthogonal(grad.lerp(momentum, 0.95)))
        if self._processes > 1:
            flat = torch.cat([step.reshape(-1) for step in steps])
            group.all_reduce(flat)
            parts = torch.split(flat, [step.numel() for step in steps])
            steps = [part.view_as(step) for part, step in zip(parts, steps, strict=True)]
        for matrix, step in zip(self._matrices, steps, strict=True):
            matrix.mul_(1 - rate * DECAY)
            matrix.add_(step, alpha=-rate * max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5)


def _orthogonal(matrix: Tensor) -> Tensor:
    """Return roughly the nearest orthogonal matrix: Newton and Schulz's steps, as Muon has them."""
    x: Tensor = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(4):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


# -- batches --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Batch:
    """Samples of about one length, and real texts, whose target is a set of intents."""

    tokens: Tensor
    prompts: Tensor | None
    places: Tensor
    targets: Tensor
    weights: Tensor
    real_places: Tensor
    real_sets: Tensor
    size: int

    def loss(self, network: Network, device: str) -> Tensor:
        """Return the mean loss of a target."""
        prompts = self.prompts.to(device) if self.prompts is not None else None
        wanted = torch.cat((self.places, self.real_places)).to(device)
        logits = network(self.tokens.to(device), prompts, wanted, DROPOUT)
        own = logits[: len(self.places)]
        each = F.cross_entropy(own, self.targets.to(device), reduction="none")
        total = (each * self.weights.to(device)).sum()
        if len(self.real_places):
            # The label is a skill: any of its intents will do (marginal likelihood).
            log_p = logits[len(self.places) :].log_softmax(-1)
            allowed = self.real_sets.to(device)
            total = total - REAL_WEIGHT * log_p.masked_fill(~allowed, -1e9).logsumexp(-1).sum()
        return total / (self.weights.sum().item() + REAL_WEIGHT * len(self.real_places))


Real = tuple[list[int], list[int]]
"""A prompt, and the tokens of the intents that its label allows."""


def real_texts(path: Path, spelling: Spelling) -> list[Real]:
    """Read real utterances; rows of skills that are not installed are left out.

    Raises EngineError naming the line that cannot be used.
    """
    found: list[Real] = []
    try:
        lines = reading.read_text(path, MOST_BYTES).split("\n")
    except (OSError, reading.Unreadable) as error:
        raise EngineError(f"{path}: cannot be read ({error})") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = reading.from_json(line)
            text, skill = str(row["text"]), str(row["skill"])
        except (ValueError, KeyError, TypeError):
            raise EngineError(
                f'{path}:{number}: is not {{"text": …, "skill": …}}: mend or remove the line'
            ) from None
        allowed = [
            token
            for intent, token in spelling.intents.items()
            if skill in (intent, intent.partition(".")[0])
        ]
        if allowed and (words := words_of(text)[:40]):
            found.append((spelling.prompt(words), allowed))
    return found


def _batches(job: _Job, spelling: Spelling, rank: int) -> Iterator[_Batch]:
    """Make batches for ever, each of samples of about one length."""
    options = job.options
    rng = random.Random(f"{options.seed} {rank} batches")
    patterns = _patterns(job.recipe, options)
    sampler = Sampler(job.recipe, patterns, f"{options.seed} {rank} samples")
    real = real_texts(options.real, spelling) if options.real else []
    budget = options.batch // job.processes
    while True:
        pool: list[tuple[Encoded, list[int] | None]] = []
        room = 10 * budget
        while room > 0:
            if real and rng.random() < REAL_SHARE:
                prompt, allowed = rng.choice(real)
                pool.append((Encoded(prompt, []), allowed))
            else:
                loose = rng.random() < LOOSE_SHARE
                pool.append((spelling.encode(sampler.draw(), loose), None))
            room -= len(pool[-1][0].prompt) + len(pool[-1][0].answer)
        pool.sort(key=lambda item: len(item[0].prompt) + len(item[0].answer))
        cut: list[list[tuple[Encoded, list[int] | None]]] = [[]]
        for item in pool:
            longest = len(item[0].prompt) + len(item[0].answer)
            if (len(cut[-1]) + 1) * longest > budget:
                cut.append([])
            cut[-1].append(item)
        whole = [one for one in cut if one]
        rng.shuffle(whole)
        for items in whole:
            yield _collate(items, spelling, rng.random() < CAUSAL_SHARE)


def _collate(
    items: list[tuple[Encoded, list[int] | None]], spelling: Spelling, causal: bool
) -> _Batch:
    """Lay samples side by side; a place predicts the token after it."""
    longest = max(len(encoded.prompt) + len(encoded.answer) for encoded, _ in items)
    tokens = torch.zeros(len(items), longest, dtype=torch.long)
    places: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    real_places: list[int] = []
    real_sets = torch.zeros(
        sum(allowed is not None for _, allowed in items), len(spelling.texts), dtype=torch.bool
    )
    for row, (encoded, allowed) in enumerate(items):
        whole = encoded.prompt + encoded.answer
        tokens[row, : len(whole)] = torch.tensor(whole)
        last = row * longest + len(encoded.prompt) - 1
        if allowed is not None:
            real_sets[len(real_places), allowed] = True
            real_places.append(last)
            continue
        count = len(encoded.answer)
        places += range(last, last + count)
        targets += encoded.answer
        weights += [INTENT_WEIGHT, *[1.0] * (count - 2), STOP_WEIGHT]
    return _Batch(
        tokens=tokens,
        prompts=None if causal else torch.tensor([len(encoded.prompt) for encoded, _ in items]),
        places=torch.tensor(places, dtype=torch.long),
        targets=torch.tensor(targets, dtype=torch.long),
        weights=torch.tensor(weights),
        real_places=torch.tensor(real_places, dtype=torch.long),
        real_sets=real_sets,
        size=len(items),
    )
