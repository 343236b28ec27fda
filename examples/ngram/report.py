"""The report: a table in Markdown and a plot in SVG: report.py SCORES DIRECT TABLE PLOT"""

import json
import math
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import ledger

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 640, 70, 395
COLOURS = ["#8c6bb1", "#4575b4", "#1b9e77", "#a6761d", "#d95f02", "#c2185b", "#555555", "#2c7fb8"]

Score = dict[str, float]


def table(scores: list[Score], best: Score) -> Iterator[str]:
    orders = sorted({score["order"] for score in scores})
    bits = {(score["order"], score["smoothing"]): score["bits"] for score in scores}
    yield "Bits per character on held-out text, by order and smoothing\n"
    yield "| smoothing | " + " | ".join(f"order {order}" for order in orders) + " |"
    yield "|--:|" + "--:|" * len(orders)
    for smoothing in sorted({score["smoothing"] for score in scores}):
        cells = [f"{bits[order, smoothing]:.4f}" for order in orders]
        if smoothing == best["smoothing"]:
            cells[orders.index(best["order"])] = f"**{best['bits']:.4f}**"
        yield f"| {smoothing:g} | " + " | ".join(cells) + " |"
    yield f"\nBest: order {best['order']}, smoothing {best['smoothing']:g}, {best['bits']:.6f} bits per character."
    yield f"Computed directly: {best['direct_bits']:.6f}."


class Plot:
    """Maps values to places: smoothing on a logarithmic axis to the right, bits upwards."""

    def __init__(self, scores: list[Score]) -> None:
        self.smoothings = sorted({score["smoothing"] for score in scores})
        self.low = math.floor(min(score["bits"] for score in scores))
        self.high = math.ceil(max(score["bits"] for score in scores))

    def x(self, smoothing: float) -> float:
        first, last = math.log(self.smoothings[0]), math.log(self.smoothings[-1])
        return LEFT + (RIGHT - LEFT) * (math.log(smoothing) - first) / ((last - first) or 1)

    def y(self, bits: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (bits - self.low) / ((self.high - self.low) or 1)


def text(x: float, y: float, words: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def axes(plot: Plot) -> Iterator[str]:
    for bits in range(plot.low, plot.high + 1):
        y = plot.y(bits)
        yield f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        yield text(LEFT - 10, y + 4, str(bits), 'text-anchor="end"')
    for smoothing in plot.smoothings:
        x = plot.x(smoothing)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{BOTTOM}" y2="{BOTTOM + 5}" stroke="#888"/>'
        yield text(x, BOTTOM + 21, f"{smoothing:g}", 'text-anchor="middle"')
    yield f'<line x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}" stroke="#888"/>'
    yield text(
        (LEFT + RIGHT) / 2, BOTTOM + 46, "smoothing (observations that the shorter history is worth)", 'text-anchor="middle"'
    )
    middle = (TOP + BOTTOM) / 2
    yield text(26, middle, "bits per character", f'text-anchor="middle" transform="rotate(-90 26 {middle})"')


def curves(plot: Plot, scores: list[Score]) -> Iterator[str]:
    ends = []
    for number, order in enumerate(sorted({score["order"] for score in scores})):
        colour = COLOURS[number % len(COLOURS)]
        points = [
            (plot.x(score["smoothing"]), plot.y(score["bits"]))
            for score in sorted(scores, key=lambda score: score["smoothing"])
            if score["order"] == order
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        ends.append((points[-1][1], f"order {order}", colour))
    last = -math.inf
    for end, label, colour in sorted(ends):  # beside the end of the curve, and below the label before
        last = max(end, last + 16)
        yield text(RIGHT + 12, last + 4, label, f'fill="{colour}"')


def svg(scores: list[Score], best: Score) -> Iterator[str]:
    plot = Plot(scores)
    x, y = plot.x(best["smoothing"]), plot.y(best["bits"])
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    yield ' font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="13" fill="#333">'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    yield text(LEFT, 30, "How well n-gram models foresee licence texts", 'font-size="18" font-weight="bold"')
    yield text(LEFT, 50, "less is better", 'fill="#777"')
    yield from axes(plot)
    yield from curves(plot, scores)
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="none" stroke="#222" stroke-width="1.5"/>'
    yield text(x, y + 26, f"best: {best['bits']:.3f}", 'text-anchor="middle" font-weight="bold" fill="#222"')
    yield "</svg>"


def main() -> None:
    scores, best = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    Path(sys.argv[3]).write_text("\n".join(table(scores, best)) + "\n")
    Path(sys.argv[4]).write_text("\n".join(svg(scores, best)) + "\n")
    print(Path(sys.argv[3]).read_text())


if __name__ == "__main__":
    with ledger.entry():
        main()
