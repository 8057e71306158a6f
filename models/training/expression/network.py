"""The classifier of expressions: a small residual network on a grey face of 48x48 pixels.

Plain 3x3 convolutions throughout: XNNPACK runs them at the full rate of its int8 kernels, and a depthwise network of
the same accuracy trains no faster on a CPU. One trunk, two heads: the seven classes of FER2013 and the eight of
FERPlus, whose ten raters a face are the better truth but not the same one.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

SIDE = 48


class Plan(NamedTuple):
    """How wide and how deep."""

    stem: int
    """channels at the full size"""
    widths: tuple[int, ...]
    """channels of each stage, at half of the stage's before from the second on"""
    blocks: tuple[int, ...]
    """how many a stage"""


BOX = Plan(16, (32, 64, 128, 256), (1, 2, 2, 1))
# 5.4 times the box's multiply-accumulates, 7 times its weights.
TEACHER = Plan(32, (64, 128, 256, 512), (2, 2, 2, 2))
# 3.0 times, and 3.7 times.
ASSISTANT = Plan(32, (64, 96, 192, 384), (1, 2, 2, 2))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016, arXiv 1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, inputs, h, w] to [n, outputs, h / stride, w / stride]."""
        y = F.relu(self.first_norm(self.first(x)), inplace=True)
        y = self.second_norm(self.second(y))
        y = y + (x if self.shortcut is None else self.shortcut_norm(self.shortcut(x)))
        return F.relu(y, inplace=True)


class Network(nn.Module):
    """Grey faces [n, 1, 48, 48] in -1..1 to logits of FER2013's classes [n, 7] and of FERPlus' [n, 8]."""

    def __init__(self, plan: Plan, dropout: float) -> None:
        super().__init__()
        # At the full size first: a face of 48 pixels has no detail to spare.
        self.stem = nn.Conv2d(1, plan.stem, 3, 1, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(plan.stem)
        self.halve = nn.Conv2d(plan.stem, plan.widths[0], 3, 2, 1, bias=False)
        self.halve_norm = nn.BatchNorm2d(plan.widths[0])
        blocks, inputs = [], plan.widths[0]
        for stage, (width, count) in enumerate(zip(plan.widths, plan.blocks, strict=True)):
            for place in range(count):
                blocks.append(Block(inputs, width, 2 if stage and place == 0 else 1))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.emotions = nn.Linear(inputs, 7)
        self.votes = nn.Linear(inputs, 8)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of both heads."""
        x = F.relu(self.stem_norm(self.stem(x)), inplace=True)
        x = F.relu(self.halve_norm(self.halve(x)), inplace=True)
        x = self.dropout(self.blocks(x).mean((2, 3)))
        return self.emotions(x), self.votes(x)
