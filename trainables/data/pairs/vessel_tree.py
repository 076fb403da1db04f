"""Drawing contrast as it fills a small vessel tree: geometry and pixels of the generated angiograms.

`angiogram` decides which segments are narrowed and calls `render`; nothing here knows reports or splits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Corner points of each segment in a unit square, x to the right and y down, from the ostium outwards.
_COURSES: dict[str, tuple[tuple[float, float], ...]] = {
    "left main artery": ((0.10, 0.16), (0.30, 0.22)),
    "proximal left anterior descending artery": ((0.30, 0.22), (0.42, 0.14), (0.56, 0.16)),
    "mid left anterior descending artery": ((0.56, 0.16), (0.70, 0.22), (0.80, 0.34)),
    "distal left anterior descending artery": ((0.80, 0.34), (0.88, 0.50), (0.90, 0.70)),
    "first diagonal branch": ((0.56, 0.16), (0.58, 0.34), (0.68, 0.54)),
    "proximal left circumflex artery": ((0.30, 0.22), (0.28, 0.36), (0.30, 0.50)),
    "distal left circumflex artery": ((0.30, 0.50), (0.24, 0.68), (0.14, 0.86)),
    "first obtuse marginal branch": ((0.30, 0.50), (0.42, 0.66), (0.48, 0.88)),
}
_RADII = (0.062, 0.054, 0.048, 0.044, 0.044, 0.054, 0.046, 0.046)
# Where contrast arrives at a segment's start and end, as a share of the time until the tree is full.
_ARRIVALS = (
    (0.0, 0.15), (0.15, 0.4), (0.4, 0.65), (0.65, 0.95), (0.4, 0.8), (0.15, 0.45), (0.45, 0.9), (0.45, 0.9),
)  # fmt: skip
_POINTS_PER_SEGMENT = 12
_CHUNK = 64

SEGMENTS: tuple[str, ...] = tuple(_COURSES)
"""Names of the segments; a number is a place in this list."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the pictures come out.

    Attributes:
        num_frames: frames of a video.
        size: height and width in pixels.
        noise: standard deviation of the pixel noise.
    """

    num_frames: int
    size: int
    noise: float


def render(narrowing_NS: Array, *, look: Look, rng: np.random.Generator) -> Array:
    """Videos (items, frames, size, size) in [0, 1]: dark vessels on a bright ground, seen by an unsteady camera.

    Args: narrowing_NS: share of the diameter that is lost in each segment; 0 is a healthy one.
    """
    chunks = [narrowing_NS[i : i + _CHUNK] for i in range(0, len(narrowing_NS), _CHUNK)]
    return np.concatenate([_render_chunk(chunk, look, rng) for chunk in chunks])


def _render_chunk(narrowing_NS: Array, look: Look, rng: np.random.Generator) -> Array:
    num = len(narrowing_NS)
    points_NK2 = _through_camera(num, rng)
    radii_NK = _radii(narrowing_NS, rng)
    depth_NP, nearest_NP = _thickness(points_NK2, radii_NK, look.size)
    arrival_NP = _along(_ARRIVALS)[nearest_NP]
    # Contrast fills the tree during the first half to three quarters of the video.
    pace_N = rng.uniform(0.5, 0.75, (num, 1, 1)).astype(np.float32)
    time_T = np.linspace(0, 1, look.num_frames, dtype=np.float32)[None, :, None]
    opacity_NTP = np.clip((time_T - pace_N * arrival_NP[:, None]) / 0.12 + 1, 0, 1)
    brightness_N = rng.uniform(0.75, 0.95, (num, 1, 1)).astype(np.float32)
    strength_N = rng.uniform(0.55, 0.7, (num, 1, 1)).astype(np.float32)
    ground_NP = _uneven_ground(num, look.size, rng)
    grey = brightness_N + ground_NP[:, None] - strength_N * depth_NP[:, None] * opacity_NTP
    grey += look.noise * rng.standard_normal(grey.shape, dtype=np.float32)
    return np.clip(grey, 0, 1).astype(np.float32).reshape(num, look.num_frames, look.size, look.size)


def _along(ends: tuple[tuple[float, float], ...]) -> Array:
    """Values at the points of all segments, even steps from each segment's start to its end."""
    return np.concatenate([np.linspace(a, b, _POINTS_PER_SEGMENT, dtype=np.float32) for a, b in ends])


def _centre_lines() -> Array:
    """Points (segments x points, 2) at even steps along each course."""
    steps = np.linspace(0, 1, _POINTS_PER_SEGMENT)
    lines = []
    for course in _COURSES.values():
        corners = np.array(course)
        lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
        at = steps * lengths[-1]
        lines.append(np.stack([np.interp(at, lengths, corners[:, axis]) for axis in (0, 1)], axis=1))
    return np.concatenate(lines).astype(np.float32)


def _through_camera(num: int, rng: np.random.Generator) -> Array:
    """The centre lines, turned, scaled and shifted a little for each item."""
    angle_N = rng.uniform(-0.08, 0.08, num)
    scale_N = rng.uniform(0.95, 1.05, num)
    turn_N22 = scale_N[:, None, None] * np.stack(
        [np.stack([np.cos(angle_N), -np.sin(angle_N)], -1), np.stack([np.sin(angle_N), np.cos(angle_N)], -1)], -2
    )
    shift_N = 0.5 + rng.uniform(-0.03, 0.03, (num, 1, 2))
    moved: NDArray[np.float64] = (_centre_lines() - 0.5) @ turn_N22.transpose(0, 2, 1) + shift_N
    return moved.astype(np.float32)


def _radii(narrowing_NS: Array, rng: np.random.Generator) -> Array:
    """Radius at each point: the lesion sits near the middle of its segment and fades to both sides."""
    place_S = np.linspace(0, 1, _POINTS_PER_SEGMENT, dtype=np.float32)
    centre_NS = rng.uniform(0.4, 0.6, narrowing_NS.shape).astype(np.float32)
    lesion_NSK = np.exp(-(((place_S - centre_NS[..., None]) / 0.3) ** 4))
    healthy_S1 = np.array(_RADII, dtype=np.float32)[:, None]
    radii: Array = healthy_S1 * (1 - narrowing_NS[..., None] * lesion_NSK)
    return radii.reshape(len(narrowing_NS), -1)


def _thickness(points_NK2: Array, radii_NK: Array, size: int) -> tuple[Array, NDArray[np.intp]]:
    """How much vessel lies behind each pixel (1 = the widest one's diameter), and the point that it belongs to."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    pixels_P2 = np.stack(np.meshgrid(centres, centres, indexing="xy"), -1).reshape(-1, 2)
    # |p - q|^2 = |p|^2 + |q|^2 - 2 p.q: one matrix product instead of a large difference array.
    squared_NPK = (
        (pixels_P2**2).sum(-1)[None, :, None]
        + (points_NK2**2).sum(-1)[:, None, :]
        - 2 * pixels_P2 @ points_NK2.transpose(0, 2, 1)
    )
    # A blurred chord: its height follows the radius, its width never falls below that of a pixel.
    width_NK = np.maximum(radii_NK, 0.5 / size) ** 2
    chord_NPK = radii_NK[:, None] / max(_RADII) * np.exp(-squared_NPK / width_NK[:, None])
    nearest_NP = chord_NPK.argmax(-1)
    return np.take_along_axis(chord_NPK, nearest_NP[..., None], -1)[..., 0], nearest_NP


def _uneven_ground(num: int, size: int, rng: np.random.Generator) -> Array:
    """A slow brightness gradient over each picture, (items, pixels)."""
    slope_N2 = rng.uniform(-0.08, 0.08, (num, 2)).astype(np.float32)
    centres = np.linspace(-1, 1, size, dtype=np.float32)
    ground: Array = slope_N2[:, 0, None, None] * centres[:, None] + slope_N2[:, 1, None, None] * centres
    return ground.reshape(num, -1)
