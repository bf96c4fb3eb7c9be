"""What the ONNX operators lack or do slowly: the cost volume and the two warps.

Pictures that are sampled at computed places are handled as *rows*, a tensor (pixels, channels): one gathered
index then copies all channels of a pixel at once. All index tensors here depend on the input's height and
width only, so ONNX Runtime turns them into constants when the size is fixed as the session opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .graph import GraphWriter

RADIUS = 4
TILE = 8
REACH = TILE + 2 * RADIUS
VOLUME = (2 * RADIUS + 1) ** 2


@dataclass(frozen=True)
class Level:
    """Height and width of one scale, as int64 scalars of the graph."""

    height: str
    width: str


class Levels:
    """Sizes of the scales below a picture (1, 3, H, W), by how many input pixels one of theirs spans."""

    def __init__(self, graph: GraphWriter, picture: str) -> None:
        shape = graph.op("Shape", picture)
        self._graph = graph
        self._full = [graph.op("Gather", shape, graph.scalar(axis)) for axis in (2, 3)]
        self._known: dict[int, Level] = {}

    def __getitem__(self, scale: int) -> Level:
        if scale not in self._known:
            self._known[scale] = Level(
                *(self._graph.op("Div", size, self._graph.scalar(scale)) for size in self._full)
            )
        return self._known[scale]


def to_rows(graph: GraphWriter, planes: str, channels: int) -> str:
    """(1, C, h, w) to (h*w, C)."""
    return graph.reshape(graph.transpose(planes, 0, 2, 3, 1), -1, channels)


def to_planes(graph: GraphWriter, rows: str, channels: int, level: Level) -> str:
    """(h*w, C) to (1, C, h, w)."""
    return graph.reshape(graph.transpose(rows, 1, 0), 1, channels, level.height, level.width)


def _range(graph: GraphWriter, stop: str | int, *shape: int) -> str:
    """0, 1, ... stop - 1 as int64 of the given shape."""
    end = graph.scalar(stop) if isinstance(stop, int) else stop
    return graph.reshape(graph.op("Range", graph.scalar(0), end, graph.scalar(1)), *shape)


class Warp:
    """Bilinear sampling of one level's pictures at (x + flow_x, y + flow_y).

    `zeros` reads 0 outside (the feature warp), `border` repeats the edge (the image warp). The position is
    clamped to one pixel outside the picture (zeros) or to its edge (border) and the picture padded to match,
    so that no corner needs a test and nothing divides by the size.
    """

    def __init__(self, graph: GraphWriter, level: Level, padding: Literal["zeros", "border"]) -> None:
        self._graph = graph
        self._level = level
        self._before, self._after = (1, 2) if padding == "zeros" else (0, 1)
        self._mode = "constant" if padding == "zeros" else "edge"
        ys = _range(graph, level.height, 1, -1, 1)
        xs = _range(graph, level.width, 1, 1, -1)
        zero = graph.scalar(0)
        grid = graph.op(
            "Concat",
            graph.op("Add", xs, graph.op("Mul", ys, zero)),
            graph.op("Add", ys, graph.op("Mul", xs, zero)),
            axis=0,
        )
        self._grid = graph.op("Unsqueeze", graph.cast(grid, "float32"), graph.ints(0))
        far = graph.vector(level.width, level.height)
        far = graph.op("Add", far, graph.scalar(0 if padding == "zeros" else -1))
        self._far = graph.reshape(graph.cast(far, "float32"), 1, 2, 1, 1)
        self._near = graph.floats(-float(self._before))
        pitch = graph.op("Add", level.width, graph.scalar(self._before + self._after))
        self._pitch = graph.reshape(graph.vector(1, pitch), 1, 2, 1, 1)
        corners = graph.vector(0, 1, pitch, graph.op("Add", pitch, graph.scalar(1)))
        first = graph.op("Mul", graph.op("Add", pitch, graph.scalar(1)), graph.scalar(self._before))
        self._corners = graph.op("Add", corners, first)

    def source(self, planes_last: str, channels: int) -> str:
        """Pad a picture (h, w, C) for sampling; rows ((h+p)*(w+p), C)."""
        pads = self._graph.ints(self._before, self._before, 0, self._after, self._after, 0)
        padded = self._graph.op("Pad", planes_last, pads, mode=self._mode)
        return self._graph.reshape(padded, -1, channels)

    def places(self, flow: str) -> tuple[str, str]:
        """Corner indices (h*w, 4) and their weights (h*w, 1, 4) for a flow (1, 2, h, w)."""
        graph = self._graph
        place = graph.op("Add", self._grid, flow)
        place = graph.op("Min", graph.op("Max", place, self._near), self._far)
        corner = graph.op("Floor", place)
        index = graph.op("Mul", graph.cast(corner, "int64"), self._pitch)
        index = graph.op("ReduceSum", index, graph.ints(1), keepdims=0)
        index = graph.op("Add", graph.reshape(index, -1, 1), self._corners)
        right = graph.reshape(graph.op("Sub", place, corner), 2, -1)
        left = graph.op("Sub", graph.floats(1.0), right)
        across, down = (
            graph.op("Gather", graph.op("Concat", *pair, axis=0), graph.ints(*rows), axis=0)
            for pair, rows in (((left, right), (0, 2, 0, 2)), ((left, right), (1, 1, 3, 3)))
        )
        weights = graph.transpose(graph.op("Mul", across, down), 1, 0)
        return index, graph.reshape(weights, -1, 1, 4)

    def sample_planes(self, planes: str, flow: str, channels: int) -> str:
        """A picture of few channels (1, C, h, w) sampled by a flow (1, 2, h, w): (1, C, h, w).

        With few channels a row is too short to be worth gathering: values are picked one by one.
        """
        graph, level = self._graph, self._level
        index, weights = self.places(flow)
        pads = graph.ints(0, 0, self._before, self._before, 0, 0, self._after, self._after)
        values = graph.reshape(graph.op("Pad", planes, pads, mode=self._mode), channels, -1)
        places = graph.cast(graph.reshape(graph.transpose(index, 1, 0), 1, -1), "int32")
        places = graph.op("Expand", places, graph.ints(channels, 1))
        corners = graph.reshape(graph.op("GatherElements", values, places, axis=1), channels, 4, -1)
        shares = graph.transpose(graph.reshape(weights, -1, 4), 1, 0)
        mixed = graph.op("ReduceSum", graph.op("Mul", corners, shares), graph.ints(1), keepdims=0)
        return graph.reshape(mixed, 1, channels, level.height, level.width)

    def sample_each(self, sources: Sequence[str], flows: str, channels: int) -> str:
        """Several pictures (h, w, C), each sampled by a flow of its own (n, 2, h, w): (n, C, h*w).

        All are sampled at once, corner by corner; what was gathered in rows is mixed in planes. That takes a
        quarter of the time of `sample`, which multiplies tiny matrices, and gives the same bits.
        """
        graph, count = self._graph, len(sources)
        rows, corners = self._corners_of_each(sources, flows, channels)
        mixed = ""
        for there, across, down in corners:
            picked = graph.op("Gather", rows, graph.reshape(there, -1), axis=0)
            planes = graph.transpose(graph.reshape(picked, count, -1, channels), 0, 2, 1)
            share = graph.reshape(graph.op("Mul", across, down), count, 1, -1)
            part = graph.op("Mul", planes, share)
            mixed = part if not mixed else graph.op("Add", mixed, part)
        return mixed

    def sample_sum(self, sources: Sequence[str], flows: str, weights: str, channels: int) -> str:
        """The sum of what `sample_each` gives, weighted pixel by pixel (n, 1, h, w): (1, C, h*w).

        A pixel's corners in all pictures are mixed by one product of a row and a matrix, and only the sum is
        brought to planes: from some channels on much less is moved about.
        """
        graph, count = self._graph, len(sources)
        rows, corners = self._corners_of_each(sources, flows, channels)
        places, shares = [], []
        for there, across, down in corners:
            places.append(there)
            shares.append(graph.op("Mul", graph.op("Mul", across, down), weights))
        place, share = (
            graph.transpose(graph.reshape(graph.op("Concat", *each, axis=1), count * 4, -1), 1, 0)
            for each in (places, shares)
        )
        picked = graph.op("Gather", rows, place, axis=0)
        mixed = graph.op("MatMul", graph.op("Unsqueeze", share, graph.ints(1)), picked)
        return graph.transpose(graph.reshape(mixed, 1, -1, channels), 0, 2, 1)

    def _corners_of_each(
        self, sources: Sequence[str], flows: str, channels: int
    ) -> tuple[str, Iterator[tuple[str, str, str]]]:
        """Rows (n*(h+p)*(w+p), C) of padded pictures, and of each corner its rows and its two shares."""
        graph, count = self._graph, len(sources)
        place = graph.op("Add", self._grid, flows)
        place = graph.op("Min", graph.op("Max", place, self._near), self._far)
        corner = graph.op("Floor", place)
        right = graph.op("Sub", place, corner)
        shares = [
            graph.ops("Split", 2, part, axis=1) for part in (graph.op("Sub", graph.floats(1.0), right), right)
        ]
        pitch = graph.cast(self._pitch, "int32")
        across, down = graph.ops("Split", 2, graph.op("Mul", graph.cast(corner, "int32"), pitch), axis=1)
        index = graph.op("Add", across, down)
        pads = graph.ints(0, self._before, self._before, 0, 0, self._after, self._after, 0)
        each = [graph.op("Unsqueeze", source, graph.ints(0)) for source in sources]
        padded = graph.op("Pad", graph.op("Concat", *each, axis=0), pads, mode=self._mode)
        rows = graph.reshape(padded, -1, channels)
        more = graph.scalar(self._before + self._after)
        size = [graph.op("Add", side, more) for side in (self._level.height, self._level.width)]
        begins = graph.op("Mul", _range(graph, count, -1, 1, 1, 1), graph.op("Mul", *size))

        def corners() -> Iterator[tuple[str, str, str]]:
            for number, (x, y) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
                first = graph.op("Gather", self._corners, graph.scalar(number))
                there = graph.op("Add", index, graph.cast(graph.op("Add", begins, first), "int32"))
                yield there, shares[x][0], shares[y][1]

        return rows, corners()

    def sample(self, source: str, places: tuple[str, str], channels: int) -> str:
        """Rows (h*w, C) of a padded source sampled at the places."""
        index, weights = places
        corners = self._graph.op("Gather", source, index, axis=0)
        return self._graph.reshape(self._graph.op("MatMul", weights, corners), -1, channels)


class Correlation:
    """Cost volume of two pictures within 4 pixels, computed by tiles of 8x8 target pixels.

    A tile meets the 16x16 source pixels within its reach in one matrix product; the 81 products that each
    pixel needs are then picked out of the 256.
    """

    def __init__(self, graph: GraphWriter, level: Level) -> None:
        self._graph = graph
        down, across = (
            graph.op("Div", graph.op("Add", size, graph.scalar(TILE - 1)), graph.scalar(TILE))
            for size in (level.height, level.width)
        )
        self._target_index = self._pixels(level, down, across, TILE, 0)
        self._source_index = self._pixels(level, down, across, REACH, RADIUS)
        self._level, self._down, self._across = level, down, across
        self._tiles = graph.op("Mul", down, across)

    def _pixels(self, level: Level, down: str, across: str, side: int, margin: int) -> str:
        """Row numbers of each tile's `side` x `side` pixels, (tiles, side^2); outside: the one past all."""
        graph = self._graph
        tile = graph.scalar(TILE)
        ys = graph.op(
            "Add",
            graph.op("Mul", _range(graph, down, -1, 1, 1, 1), tile),
            graph.op("Sub", _range(graph, side, 1, 1, -1, 1), graph.scalar(margin)),
        )
        xs = graph.op(
            "Add",
            graph.op("Mul", _range(graph, across, 1, -1, 1, 1), tile),
            graph.op("Sub", _range(graph, side, 1, 1, 1, -1), graph.scalar(margin)),
        )
        inside = graph.op("And", self._inside(ys, level.height), self._inside(xs, level.width))
        rows = graph.op("Add", graph.op("Mul", ys, level.width), xs)
        last = graph.op("Mul", level.height, level.width)
        return graph.reshape(graph.op("Where", inside, rows, last), -1, side * side)

    def _inside(self, at: str, size: str) -> str:
        graph = self._graph
        return graph.op("And", graph.op("Less", at, size), graph.op("GreaterOrEqual", at, graph.scalar(0)))

    def _picks(self, planes: int) -> str:
        """Which of a tile's products its 64 pixels need, offset by offset: (tiles, planes * 64) as int32.

        Pixel (y, x) of a tile finds offset (dy, dx) at product (8 * y + x, 16 * (y + dy) + x + dx).
        """
        inside = range(TILE)
        pixels = [(y * TILE + x) * REACH**2 + y * REACH + x for y in inside for x in inside]
        steps = [dy * REACH + dx for dy in range(2 * RADIUS + 1) for dx in range(2 * RADIUS + 1)]
        steps += [0] * (planes - VOLUME)
        graph = self._graph
        once = graph.cast(graph.ints(*(step + pixel for step in steps for pixel in pixels)), "int32")
        return graph.op("Expand", once, graph.vector(self._tiles, planes * TILE * TILE))

    def target(self, rows: str, channels: int) -> str:
        """Tiles (tiles, 64, C) of the target's rows (h*w, C), scaled so that products sum to a mean."""
        graph = self._graph
        scaled = graph.op("Mul", rows, graph.floats(1.0 / channels))
        return graph.op("Gather", self._closed(scaled, channels), self._target_index, axis=0)

    def volume(self, target: str, rows: str, channels: int, planes: int) -> str:
        """Cost volume (1, planes, h, w): 81 offsets, then copies of the first to fill up to `planes`."""
        graph = self._graph
        tiles = graph.op("Gather", self._closed(rows, channels), self._source_index, axis=0)
        products = graph.op("MatMul", target, graph.transpose(tiles, 0, 2, 1))
        flat = graph.reshape(products, self._tiles, TILE * TILE * REACH * REACH)
        picked = graph.op("GatherElements", flat, self._picks(planes), axis=1)
        apart = graph.reshape(picked, self._down, self._across, planes, TILE, TILE)
        height, width = (graph.op("Mul", count, graph.scalar(TILE)) for count in (self._down, self._across))
        whole = graph.reshape(graph.transpose(apart, 2, 0, 3, 1, 4), 1, planes, height, width)
        ends = graph.vector(self._level.height, self._level.width)
        return graph.op("Slice", whole, graph.ints(0, 0), ends, graph.ints(2, 3))

    def _closed(self, rows: str, channels: int) -> str:
        """Rows with one more of zeros: what lies outside."""
        zeros = self._graph.reshape(self._graph.floats(*([0.0] * channels)), 1, channels)
        return self._graph.op("Concat", rows, zeros, axis=0)
