"""Training a network on labelled faces; the same code on a CPU and a GPU."""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from expression import arrays, curves
from expression.augmentation import harmed, moved
from expression.faces import Faces
from expression.network import SIDE, Network, Plan

BATCH = 256
# Faces that are moved and harmed together. The harms of a whole picture, such as blur, draw their numbers once for all of them.
TOGETHER = 4 * BATCH
WARM_UP_EPOCHS = 2
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
AVERAGE_DECAY = 0.996
# A young average takes in more of each step: (1 + n) / (AVERAGE_WARM_UP + n) of it stays, so that it forgets the weights that it began with
# also where a small folder makes few steps.
AVERAGE_WARM_UP = 10
# Faces are drawn with n_class ** -BALANCE, and the loss moves the logits by PRIOR_SHARE of the log of what is left of the
# prior (Menon et al. 2021, arXiv 2007.07314), so that disgust, one face in seventy, is not given up.
BALANCE = 0.3
PRIOR_SHARE = 0.4
SMOOTHING = 0.05
# How much the answers of a teacher are softened (Hinton et al. 2015, arXiv 1503.02531).
TEACHER_TEMPERATURE = 2.0
VIEWS = 8
MEASURED_AT_ONCE = 512


class Stage(NamedTuple):
    """Part of a training."""

    until: float
    """share of the epochs"""
    side: int
    """of the faces, pixels"""
    strength: float
    """of the augmentation, 0..1"""


class Recipe(NamedTuple):
    """What is trained, and how."""

    plan: Plan
    epochs: int
    stages: tuple[Stage, ...]
    dropout: float
    peak_rate: float = 0.15
    mixing: float = 0.0
    """alpha of the Beta distribution of mixup's shares (Zhang et al. 2018, arXiv 1710.09412); 0: faces are not mixed"""
    teacher_share: float = 0.0
    """of the loss, where there are a teacher's answers"""


class Answers(NamedTuple):
    """Logits of both heads for some faces."""

    emotions: torch.Tensor
    """[n, 7]"""
    votes: torch.Tensor
    """[n, 8]"""


class Training:
    """A run, and all that it needs to go on when it was interrupted: as if, but for rounding, nothing had happened. (On a GPU it has seen a few
    faces more, with which its graph is made anew.)"""

    def __init__(self, faces: Faces, recipe: Recipe, seed: int, taught: Answers | None = None) -> None:
        if taught and recipe.mixing:
            raise ValueError("a teacher answers the faces as they are, not mixtures of them")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # Its choice of algorithms is worth the seconds of trying them; every size of a face comes thousands of times.
        torch.backends.cudnn.benchmark = True
        torch.manual_seed(seed)
        self.recipe, self.seed = recipe, seed
        self.made_from = {"train": faces.digest}
        """digests of the faces, of what a teacher says of them and of the weights that it began with, where there were such"""
        self.pixels = torch.from_numpy(faces.pixels).unsqueeze(1).to(self.device)
        self.emotions = torch.from_numpy(faces.emotions).to(self.device)
        self.votes = torch.from_numpy(faces.votes).to(self.device)
        self.taught = taught and Answers(*(answers.to(self.device) for answers in taught))
        if taught:
            self.made_from["teacher"] = arrays.digest(answers.numpy() for answers in taught)
        counts = faces.emotions.sum(0)
        self.weights = torch.from_numpy((faces.emotions / counts**BALANCE).sum(1).astype(np.float64))
        prior = torch.from_numpy(counts ** (1 - BALANCE))
        self.log_prior = torch.log(prior / prior.sum()).to(self.device)
        self.network = Network(recipe.plan, recipe.dropout).to(self.device, memory_format=torch.channels_last)
        # Instead of the last weights, their running average: flatter, and better by a point (Izmailov et al. 2018, arXiv 1803.05407).
        self.average = copy.deepcopy(self.network).eval()
        self.averaged = [
            [value for value in network.state_dict().values() if value.is_floating_point()] for network in (self.average, self.network)
        ]
        kernels = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.SGD(
            [{"params": kernels, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
            lr=recipe.peak_rate, momentum=MOMENTUM, nesterov=True, fused=True,
        )
        self.epoch, self.history = 0, []
        self.draws = torch.Generator().manual_seed(seed)
        self.chances = torch.Generator(self.device).manual_seed(seed)
        self.forward, self.captured_side = self.network, None

    def begin_with(self, values: dict[str, torch.Tensor]) -> None:
        """Weights instead of random ones."""
        wanted = [name for name, value in self.average.state_dict().items() if value.ndim]
        for network in (self.network, self.average):
            network.load_state_dict({name: values[name] for name in wanted}, strict=False)
        self.made_from["start"] = arrays.digest(values[name].cpu().numpy() for name in wanted)

    def run(self, validation: Faces, checkpoint: Path) -> None:
        """All epochs that are left, each with a line, a checkpoint, and curves beside it."""
        folder = checkpoint.parent
        folder.mkdir(parents=True, exist_ok=True)
        while self.epoch < self.recipe.epochs:
            started = time.monotonic()
            row = self.run_epoch() | measured(self.answers(validation), validation)
            row["seconds"] = round(time.monotonic() - started, 1)
            self.history.append(row)
            print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
            self.store(checkpoint)
            (folder / "history.json").write_text(json.dumps(self.history, indent=1) + "\n")
            curves.draw(self.history, folder / "curves.png")

    def run_epoch(self) -> dict:
        """One pass over as many faces as there are; returns the losses."""
        self.network.train()
        stage = next(stage for stage in self.recipe.stages if self.epoch < stage.until * self.recipe.epochs)
        # At least one batch, for a folder of one's own may hold fewer faces.
        steps = max(1, len(self.weights) // BATCH)
        drawn = torch.multinomial(self.weights, steps * BATCH, replacement=True, generator=self.draws).to(self.device)
        self._capture(self.pixels[drawn[:BATCH]], stage.side)
        mixes = np.random.default_rng([self.seed, self.epoch])
        losses, step = torch.zeros(2, device=self.device), 0
        for together in drawn.split(TOGETHER):
            pixels = moved(self.pixels[together].float() / 255, stage.side, self.chances)
            pixels = harmed(pixels, stage.strength, self.chances)
            for chosen, batch in zip(together.split(BATCH), pixels.split(BATCH), strict=True):
                self._set_rate(self.epoch + step / steps)
                losses += self._step(chosen, batch, mixes)
                self._take_into_average(self.epoch * steps + step)
                step += 1
        self.epoch += 1
        by_label, by_votes = (losses / steps).tolist()
        return {"epoch": self.epoch, "loss_emotions": round(by_label, 4), "loss_votes": round(by_votes, 4)}

    def _step(self, chosen: torch.Tensor, pixels: torch.Tensor, mixes: np.random.Generator) -> torch.Tensor:
        emotion_shares, vote_shares = self.emotions[chosen], self.votes[chosen]
        if self.recipe.mixing:
            alpha = self.recipe.mixing
            share = torch.from_numpy(mixes.beta(alpha, alpha, (len(chosen), 1)).astype(np.float32)).to(self.device)
            pixels = mixed(pixels, share[:, :, None, None])
            emotion_shares, vote_shares = mixed(emotion_shares, share), mixed(vote_shares, share)
        with self._autocast():
            emotions, votes = self.forward(normalised(pixels))
        emotions, votes = emotions.float(), votes.float()
        by_label, by_votes = cross_entropies(emotions + PRIOR_SHARE * self.log_prior, votes, emotion_shares, vote_shares)
        loss = by_label + by_votes
        if self.taught is not None:
            share = self.recipe.teacher_share
            loss = (1 - share) * loss + share * self._disagreement(chosen, Answers(emotions, votes))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        return torch.stack((by_label, by_votes)).detach()

    def _take_into_average(self, steps_before: int) -> None:
        decay = min(AVERAGE_DECAY, (1 + steps_before) / (AVERAGE_WARM_UP + steps_before))
        torch.optim.swa_utils.get_ema_multi_avg_fn(decay)(*self.averaged, None)

    def _disagreement(self, chosen: torch.Tensor, answers: Answers) -> torch.Tensor:
        """How far both heads are from what the teacher said of the same faces before light and camera harmed them."""
        return sum(
            F.kl_div(
                F.log_softmax(said / TEACHER_TEMPERATURE, 1), F.log_softmax(taught[chosen] / TEACHER_TEMPERATURE, 1),
                reduction="batchmean", log_target=True,
            ) * TEACHER_TEMPERATURE**2
            for said, taught in zip(answers, self.taught, strict=True)
        )

    def _capture(self, sample: torch.Tensor, side: int) -> None:
        """On a GPU, make one graph of the network for faces of this size: to launch its many small kernels one by one would take longer than they run."""
        if self.device.type != "cuda" or self.captured_side == side:
            return
        sample = F.interpolate(sample.float() / 255, (side, side), mode="bilinear")
        # The graph takes the place of a module's forward: that of a wrapper, so that the next size begins with the network itself.
        self.forward = nn.Sequential(self.network)
        with self._autocast():
            torch.cuda.make_graphed_callables(self.forward, (normalised(sample),))
        self.captured_side = side

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=computes_in_bfloat16(self.device), cache_enabled=self.device.type != "cuda"
        )

    def _set_rate(self, epoch: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(epoch, self.recipe)

    @torch.no_grad()
    def answers(self, faces: Faces, views: int = 1) -> Answers:
        """The averaged network's logits for faces as they are, or the mean over some number of random cuts."""
        chances = torch.Generator(self.device).manual_seed(self.seed)
        parts = []
        for start in range(0, len(faces), MEASURED_AT_ONCE):
            pixels = torch.from_numpy(faces.pixels[start : start + MEASURED_AT_ONCE]).unsqueeze(1).to(self.device).float() / 255
            cuts = [pixels] if views == 1 else [moved(pixels, SIDE, chances) for _ in range(views)]
            heads = zip(*(self.average(normalised(cut)) for cut in cuts), strict=True)
            parts.append([torch.stack(head).mean(0).float().cpu() for head in heads])
        return Answers(*(torch.cat(head) for head in zip(*parts, strict=True)))

    def _of_dropout(self) -> torch.Generator:
        """Where dropout draws."""
        return torch.cuda.default_generators[torch.cuda.current_device()] if self.device.type == "cuda" else torch.default_generator

    def store(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        partial = path.with_suffix(".partial")
        torch.save({
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "epoch": self.epoch, "epochs": self.recipe.epochs, "history": self.history,
            "made_from": self.made_from, "settings": settings(self.recipe, self.seed), "draws": self.draws.get_state(),
            "device": self.device.type, "chances": self.chances.get_state(), "dropout": self._of_dropout().get_state(),
        }, partial)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        """Take up a checkpoint where it ended."""
        stored = torch.load(path, map_location=self.device, weights_only=True)
        if stored["epochs"] != self.recipe.epochs:
            raise SystemExit(
                f"{path} is of a run of {stored['epochs']} epochs, not {self.recipe.epochs}: --epochs {stored['epochs']} goes on, and without that file it starts anew"
            )
        if (stored.get("made_from"), stored.get("settings")) != (self.made_from, settings(self.recipe, self.seed)):
            raise SystemExit(f"{path} is of other faces or settings, of another teacher or began with other weights: without that file it starts anew")
        self.network.load_state_dict(stored["network"])
        self.average.load_state_dict(stored["average"])
        self.optimiser.load_state_dict(stored["optimiser"])
        self.epoch, self.history = stored["epoch"], stored["history"]
        self.draws.set_state(stored["draws"].cpu())
        # A GPU draws in its own way: on another kind of device the rest of the training has other chances.
        if stored["device"] == self.device.type:
            self.chances.set_state(stored["chances"].cpu())
            self._of_dropout().set_state(stored["dropout"].cpu())


def settings(recipe: Recipe, seed: int) -> str:
    """All that decides beside what a network is made from."""
    constants = (BATCH, WARM_UP_EPOCHS, MOMENTUM, WEIGHT_DECAY, AVERAGE_DECAY, AVERAGE_WARM_UP, BALANCE, PRIOR_SHARE, SMOOTHING, TEACHER_TEMPERATURE)
    return repr((recipe, seed, constants))


def epochs(word: str) -> int:
    """An argument: how many epochs."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} is no number of epochs, of 1 or more")
    return int(word)


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32: without the instructions it is emulated, 15 times slower."""
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001: torch has no public question


def learning_rate(epoch: float, recipe: Recipe) -> float:
    """Up in a line, then down to 0 in half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983)."""
    if epoch < WARM_UP_EPOCHS:
        return recipe.peak_rate * epoch / WARM_UP_EPOCHS
    return recipe.peak_rate / 2 * (1 + math.cos(math.pi * (epoch - WARM_UP_EPOCHS) / (recipe.epochs - WARM_UP_EPOCHS)))


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """0..1 to what the box feeds: (pixel - 128) / 128."""
    return ((pixels * 255 - 128) / 128).contiguous(memory_format=torch.channels_last)


def mixed(rows: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Each row with the one before it, which is some other face: rows are drawn at random."""
    return rows * share + rows.roll(1, 0) * (1 - share)


def cross_entropies(emotions, votes, emotion_shares, vote_shares) -> tuple[torch.Tensor, torch.Tensor]:
    """Of both heads; a face without votes teaches the first alone."""
    smooth = emotion_shares * (1 - SMOOTHING) + SMOOTHING / emotion_shares.shape[1]
    by_label = -(smooth * F.log_softmax(emotions, 1)).sum(1).mean()
    rated = vote_shares.sum(1)
    by_votes = -(vote_shares * F.log_softmax(votes, 1)).sum() / rated.sum().clamp(min=1)
    return by_label, by_votes


def measured(answers: Answers, faces: Faces) -> dict:
    """Accuracy of both heads, and the mean recall of the first."""
    emotions, votes = (head.numpy().argmax(1) for head in answers)
    labels, leading = faces.emotions.argmax(1), faces.votes.argmax(1)
    right, rated = emotions == labels, faces.votes.sum(1) > 0
    figures = {
        "accuracy": round(float(right.mean()), 4),
        "balanced": round(float(np.mean([right[labels == label].mean() for label in np.unique(labels)])), 4),
    }
    return figures | {"votes": round(float((votes == leading)[rated].mean()), 4)} if rated.any() else figures
