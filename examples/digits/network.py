"""The network, as training and scoring both need it."""

import torch
from torch import nn

PIXELS = [f"p{row}{column}" for row in range(8) for column in range(8)]


class Network(nn.Module):
    """Two convolutions over 8 x 8 pixels from 0 to 16, and a layer for the ten digits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 10),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 64) pixels to (n, 10) logits."""
        return self.layers(pixels.view(-1, 1, 8, 8) / 16)
