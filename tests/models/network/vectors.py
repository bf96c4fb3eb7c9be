"""Small vectors of our own making: what the PyTorch module gives for generated weights.

    python -m tests.models.network.vectors      writes vinet256.npz and vinet512.npz beside this file

They were written when the module matched every vector of the published network, and hold it there since.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from models.network.generated import generated_network
from models.network.vinet import SOURCE_OFFSETS, VINet

FOLDER = Path(__file__).parent
HEIGHT, WIDTH, FRAMES = 32, 48, 5


def moving_frames(
    count: int = FRAMES, height: int = HEIGHT, width: int = WIDTH
) -> tuple[np.ndarray, np.ndarray]:
    """8-bit frames (count, H, W, 3) of a drifting pattern, and masks (count, H, W) of a wandering hole."""
    ys, xs = np.mgrid[:height, :width]
    frames = np.empty((count, height, width, 3), np.uint8)
    masks = np.empty((count, height, width), np.uint8)
    for t in range(count):
        for channel, speed in enumerate((1.0, 2.0, 3.5)):
            wave = np.sin((xs + speed * t) / (4 + speed)) * np.cos((ys - t) / (9 - speed))
            frames[t, :, :, channel] = np.rint(127.5 + 120 * wave)
        masks[t] = (abs(xs - width / 2 + 3 * t) < width / 6) & (abs(ys - height / 2) < height / 5)
    return frames, masks


def mirrored(index: int, count: int) -> int:
    """An index past either end, mirrored about the end frame."""
    while not 0 <= index < count:
        index = -index if index < 0 else 2 * (count - 1) - index
    return index


def tensors(frames: np.ndarray, masks: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames (T, 3, H, W) in -1..1 and masks (T, 1, H, W)."""
    pictures = 2 * (torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255) - 1
    return pictures, torch.from_numpy(masks)[:, None].float()


def roll(network: VINet, frames: np.ndarray, masks: np.ndarray) -> dict[str, np.ndarray]:
    """Step through the frames: every output, and the last step's flow and memory."""
    pictures, holes = tensors(frames, masks)
    count = len(pictures)
    outputs = []
    with torch.no_grad():
        features = [network.encode_source(pictures[i, None], holes[i, None]) for i in range(count)]
        carry = network.start(pictures[:1], holes[:1])
        for t in range(count):
            sources = [features[mirrored(t + offset, count)] for offset in SOURCE_OFFSETS]
            result = network.step(pictures[t, None], holes[t, None], sources, carry)
            carry = result.carry
            outputs.append(result.output[0].numpy())
    return {
        "out": np.stack(outputs),
        "flow_s2": result.flow_s2[0].numpy(),
        "hidden": carry.hidden[0].numpy(),
        "cell": carry.cell[0].numpy(),
    }


def main() -> None:
    """Write the files."""
    frames, masks = moving_frames()
    for variant in (256, 512):
        found = roll(generated_network(variant), frames, masks)
        np.savez_compressed(FOLDER / f"vinet{variant}.npz", frames=frames, masks=masks, **found)


if __name__ == "__main__":
    main()
