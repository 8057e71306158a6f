"""Trains the classifier of expressions. Interrupted, it goes on from its last epoch; a finished run starts anew with --again."""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from expression import curves, places
from expression.augmentation import harmed, moved
from expression.faces import Faces
from expression.network import SIDE, Network

SEED = 2026
BATCH = 128
EPOCHS = 100
WARM_UP_EPOCHS = 1
PEAK_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
DROPOUT = 0.2
AVERAGE_DECAY = 0.998
# Faces are drawn with n_class ** -BALANCE, and the loss moves the logits by PRIOR_SHARE of the log of what is left of the
# prior (Menon et al. 2021, arXiv 2007.07314), so that disgust, one face in seventy, is not given up.
BALANCE = 0.3
PRIOR_SHARE = 0.4
SMOOTHING = 0.05
REFERENCES = 64
# How much of the loss a teacher gives, and how much its answers are softened (Hinton et al. 2015, arXiv 1503.02531).
TEACHER_SHARE = 0.6
TEACHER_TEMPERATURE = 2.0
VIEWS = 8


class Stage(NamedTuple):
    """Part of a training."""

    until: float
    """share of the epochs"""
    side: int
    """of the faces, pixels"""
    strength: float
    """of the augmentation"""


# What is learnt on small faces holds on large ones, for half the work (Tan & Le 2021, arXiv 2104.00298). The strong
# augmentation of the start kept so small a network from fitting even its training faces.
STAGES = (Stage(0.4, 32, 0.4), Stage(0.8, 40, 0.4), Stage(1.0, 48, 0.4))
STAGES_FROM_WEIGHTS = (Stage(0.7, 40, 0.25), Stage(1.0, 48, 0.25))


def main() -> None:
    """From the prepared faces to a checkpoint and its curves."""
    parser = argparse.ArgumentParser(prog="pipeline.py train", description=__doc__)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--again", action="store_true", help="start anew instead of going on")
    parser.add_argument("--start-from", type=Path, help="weights to begin with, such as the released ones, instead of random ones")
    parser.add_argument("--teacher", type=Path, help="answers of an earlier run to learn from beside the labels; a run leaves its own in answers.npz")
    arguments = parser.parse_args()
    places.RUN.mkdir(parents=True, exist_ok=True)
    training = Training(Faces.load(places.DATA / "train.npz"), arguments.epochs)
    if arguments.teacher:
        training.learn_from(arguments.teacher)
    validation = Faces.load(places.DATA / "validation.npz")
    checkpoint = places.RUN / "checkpoint.pt"
    if checkpoint.is_file() and not arguments.again:
        training.restore(checkpoint)
    elif arguments.start_from:
        training.start_from(arguments.start_from)
    if arguments.start_from:
        training.stages = STAGES_FROM_WEIGHTS
    while training.epoch < arguments.epochs:
        started = time.monotonic()
        row = training.run_epoch() | measured(training.average, validation, training.device)
        row["seconds"] = round(time.monotonic() - started, 1)
        training.history.append(row)
        print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
        training.store(checkpoint)
        (places.RUN / "history.json").write_text(json.dumps(training.history, indent=1) + "\n")
        curves.draw(training.history, places.RUN / "curves.png")
    training.write_weights(places.WEIGHTS, validation)
    training.write_answers(places.ANSWERS)
    print(f"written to {places.WEIGHTS}")


class Training:
    """Everything that an interrupted run needs to go on as if nothing had happened."""

    def __init__(self, faces: Faces, epochs: int) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(SEED)
        self.pixels = torch.from_numpy(faces.pixels).unsqueeze(1)
        self.emotions = torch.from_numpy(faces.emotions)
        self.votes = torch.from_numpy(faces.votes)
        counts = self.emotions.sum(0)
        self.weights = (self.emotions / counts**BALANCE).sum(1).double()
        prior = counts ** (1 - BALANCE)
        self.log_prior = torch.log(prior / prior.sum()).to(self.device)
        self.network = Network(DROPOUT).to(self.device, memory_format=torch.channels_last)
        # Instead of the last weights, their running average: flatter, and better by a point (Izmailov et al. 2018, arXiv 1803.05407).
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE_DECAY), use_buffers=True
        )
        kernels = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.SGD(
            [{"params": kernels, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
            lr=PEAK_RATE, momentum=MOMENTUM, nesterov=True,
        )
        self.taught = None
        self.epochs, self.epoch, self.history = epochs, 0, []
        self.stages = STAGES
        self.draws = torch.Generator().manual_seed(SEED)
        self.chances = torch.Generator(self.device).manual_seed(SEED)

    def run_epoch(self) -> dict:
        """One pass over as many faces as there are; returns the losses."""
        self.network.train()
        drawn = torch.multinomial(self.weights, len(self.weights), replacement=True, generator=self.draws)
        steps = len(drawn) // BATCH
        stage = next(stage for stage in self.stages if self.epoch < stage.until * self.epochs)
        sums = np.zeros(2)
        for step in range(steps):
            rate = learning_rate(self.epoch + step / steps, self.epochs)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            chosen = drawn[step * BATCH : (step + 1) * BATCH]
            pixels = moved(self.pixels[chosen].to(self.device).float() / 255, stage.side, self.chances)
            pixels = harmed(pixels, stage.strength, self.chances)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=computes_in_bfloat16(self.device)):
                emotions, votes = self.network(normalised(pixels))
            by_label, by_votes = losses(
                emotions.float() + PRIOR_SHARE * self.log_prior, votes.float(),
                self.emotions[chosen].to(self.device), self.votes[chosen].to(self.device),
            )
            loss = by_label + by_votes
            if self.taught is not None:
                loss = (1 - TEACHER_SHARE) * loss + TEACHER_SHARE * self._disagreement(chosen, emotions, votes)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
            self.average.update_parameters(self.network)
            sums += by_label.item(), by_votes.item()
        self.epoch += 1
        loss_label, loss_votes = sums / steps
        return {"epoch": self.epoch, "loss_emotions": round(float(loss_label), 4), "loss_votes": round(float(loss_votes), 4)}

    def _disagreement(self, chosen: torch.Tensor, *heads: torch.Tensor) -> torch.Tensor:
        """How far both heads are from what the teacher said of the same faces before light and camera harmed them."""
        return sum(
            F.kl_div(
                F.log_softmax(head.float() / TEACHER_TEMPERATURE, 1),
                F.log_softmax(answers[chosen].to(self.device) / TEACHER_TEMPERATURE, 1),
                reduction="batchmean", log_target=True,
            ) * TEACHER_TEMPERATURE**2
            for head, answers in zip(heads, self.taught, strict=True)
        )

    def store(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        partial = path.with_suffix(".partial")
        torch.save({
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "epoch": self.epoch, "epochs": self.epochs, "history": self.history,
            "draws": self.draws.get_state(), "chances": self.chances.get_state(), "torch": torch.get_rng_state(),
        }, partial)
        partial.replace(path)

    def write_weights(self, path: Path, faces: Faces) -> None:
        """The averaged weights without torch, with what they answer for some faces, so that the export can prove itself."""
        self.average.eval()
        pixels = torch.from_numpy(faces.pixels[:REFERENCES]).unsqueeze(1).to(self.device).float() / 255
        with torch.no_grad():
            emotions, votes = (head.cpu().numpy() for head in self.average(normalised(pixels)))
        arrays = {name: value.cpu() for name, value in self.average.module.state_dict().items() if value.ndim}
        # Half precision is far finer than the int8 that follows; what scales whole channels stays exact.
        stored = {name: (value.half() if value.ndim > 1 else value).numpy() for name, value in arrays.items()}
        np.savez(path, **stored, reference_emotions=emotions, reference_votes=votes)

    def start_from(self, path: Path) -> None:
        """Begin with weights that `write_weights` wrote instead of random ones."""
        with np.load(path) as stored:
            weights = {name: torch.from_numpy(stored[name]).float() for name in stored if not name.startswith("reference_")}
        self.network.load_state_dict(weights, strict=False)
        self.average.module.load_state_dict(weights, strict=False)

    @torch.no_grad()
    def write_answers(self, path: Path) -> None:
        """The mean logits of both heads for every training face in several places, for a later run to learn from."""
        self.average.eval()
        chances = torch.Generator(self.device).manual_seed(SEED)
        heads = []
        for start in range(0, len(self.pixels), 256):
            pixels = self.pixels[start : start + 256].to(self.device).float() / 255
            views = [self.average(normalised(moved(pixels, SIDE, chances))) for _ in range(VIEWS)]
            heads.append([torch.stack(head).mean(0).float().cpu() for head in zip(*views, strict=True)])
        emotions, votes = (torch.cat(parts).half().numpy() for parts in zip(*heads, strict=True))
        np.savez_compressed(path, emotions=emotions, votes=votes)

    def learn_from(self, path: Path) -> None:
        """Have the answers that `write_answers` wrote for the same faces as a teacher."""
        with np.load(path) as stored:
            taught = [torch.from_numpy(stored[head]).float() for head in ("emotions", "votes")]
        if any(len(answers) != len(self.pixels) for answers in taught):
            raise SystemExit(f"{path} answers {len(taught[0])} faces, not the {len(self.pixels)} of the training split")
        self.taught = taught

    def restore(self, path: Path) -> None:
        """Take up a checkpoint where it ended."""
        stored = torch.load(path, map_location=self.device, weights_only=True)
        if stored["epochs"] != self.epochs:
            raise SystemExit(f"{path} is of a run of {stored['epochs']} epochs, not {self.epochs}: --epochs {stored['epochs']} goes on, --again starts anew")
        self.network.load_state_dict(stored["network"])
        self.average.load_state_dict(stored["average"])
        self.optimiser.load_state_dict(stored["optimiser"])
        self.epoch, self.history = stored["epoch"], stored["history"]
        self.draws.set_state(stored["draws"].cpu())
        self.chances.set_state(stored["chances"].cpu())
        torch.set_rng_state(stored["torch"].cpu())


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32: without the instructions it is emulated, 15 times slower."""
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001: torch has no public question


def learning_rate(epoch: float, epochs: int) -> float:
    """Up in a line, then down to 0 in half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983)."""
    if epoch < WARM_UP_EPOCHS:
        return PEAK_RATE * epoch / WARM_UP_EPOCHS
    return PEAK_RATE / 2 * (1 + math.cos(math.pi * (epoch - WARM_UP_EPOCHS) / (epochs - WARM_UP_EPOCHS)))


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """0..1 to what the box feeds: (pixel - 128) / 128."""
    return ((pixels * 255 - 128) / 128).contiguous(memory_format=torch.channels_last)


def losses(emotions, votes, emotion_shares, vote_shares) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy of both heads; a face without votes teaches the first alone."""
    smooth = emotion_shares * (1 - SMOOTHING) + SMOOTHING / emotion_shares.shape[1]
    by_label = -(smooth * F.log_softmax(emotions, 1)).sum(1).mean()
    rated = vote_shares.sum(1)
    by_votes = -(vote_shares * F.log_softmax(votes, 1)).sum() / rated.sum().clamp(min=1)
    return by_label, by_votes


@torch.no_grad()
def measured(network: torch.nn.Module, faces: Faces, device: torch.device) -> dict:
    """Accuracy of both heads, and the mean recall of the first, on faces as they are."""
    network.eval()
    outputs = [
        network(normalised(torch.from_numpy(faces.pixels[start : start + 256]).unsqueeze(1).to(device).float() / 255))
        for start in range(0, len(faces), 256)
    ]
    emotions, votes = (torch.cat(heads).float().cpu().numpy().argmax(1) for heads in zip(*outputs, strict=True))
    labels, leading = faces.emotions.argmax(1), faces.votes.argmax(1)
    right, rated = emotions == labels, faces.votes.sum(1) > 0
    return {
        "accuracy": round(float(right.mean()), 4),
        "balanced": round(float(np.mean([right[labels == label].mean() for label in np.unique(labels)])), 4),
        "votes": round(float((votes == leading)[rated].mean()), 4),
    }


if __name__ == "__main__":
    main()
