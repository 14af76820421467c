"""What a browser and what `dot` make of a picture: where shapes and texts lie, in points."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in BROWSERS if (found := shutil.which(name))), None)

SCRIPT = """
const found = {};
for (const div of document.querySelectorAll("div")) {
  const svg = div.querySelector("svg"), back = svg.getScreenCTM().inverse();
  const place = (element) => {
    const r = element.getBoundingClientRect();
    const [a, b] = [[r.left, r.top], [r.right, r.bottom]].map(
      ([x, y]) => new DOMPoint(x, y).matrixTransform(back));
    return [a.x, -b.y, b.x, -a.y];
  };
  const shapes = {}, texts = [], v = svg.viewBox.baseVal;
  for (const g of svg.querySelectorAll("g[id]"))
    shapes[g.id] = place(g.querySelector("rect, circle"));
  for (const text of svg.querySelectorAll("text"))
    texts.push({
      text: text.textContent, owner: text.parentNode.id || "", box: place(text),
      base: -text.getAttribute("y"), size: +text.getAttribute("font-size"),
    });
  found[div.id] = {shapes, texts, whole: [v.x, -v.y - v.height, v.x + v.width, -v.y]};
}
document.body.innerHTML = "";
document.body.append(JSON.stringify(found));
"""


@dataclass(frozen=True)
class Written:
    """A text: the node it stands in, its box (left, low, right, top), its base line and size."""

    text: str
    owner: str
    box: tuple[float, float, float, float]
    base: float
    size: float


def in_chromium(pictures, folder):
    """Shapes by id, texts, and the box of the whole, for each SVG by name."""
    page = folder / "page.html"
    parts = "".join(f'<div id="{name}">{svg}</div>' for name, svg in pictures.items())
    page.write_text(f'<meta charset="utf-8"><body>{parts}<script>{SCRIPT}</script>')
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run(
        [*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    body = re.search(r"<body>(.*)</body>", done.stdout, re.DOTALL)
    return {
        name: (found["shapes"], [Written(**text) for text in found["texts"]], found["whole"])
        for name, found in json.loads(html.unescape(body[1])).items()
    }


def by_dot(source):
    """Shapes by name and texts, as the `dot` program lays them out."""
    command = ["dot", "-Tjson"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    shapes, texts = {}, []
    for node in json.loads(done.stdout)["objects"]:
        x, y = map(float, node["pos"].split(","))
        w, h = float(node["width"]) * 36, float(node["height"]) * 36
        shapes[node["name"]] = (x - w, y - h, x + w, y + h)
        texts += _lines(node)
    return shapes, texts


def _lines(node):
    """The lines of a label; a line ends where the next run is lower by more than a subscript."""
    lines, size = [], 0.0
    for op in node.get("_ldraw_", ()):
        size = op.get("size", size)
        if op["op"] == "T" and size > 4:  # thin lines are there for their height
            x, y = op["pt"]
            left = x - op["width"] * {"l": 0.0, "c": 0.5, "r": 1.0}[op["align"]]
            run = Written(op["text"], node["name"], (left, y, left + op["width"], y), y, size)
            if not lines or abs(lines[-1][-1].base - y) > 8:
                lines.append([])
            lines[-1].append(run)
    return [
        Written(
            "".join(run.text for run in line), node["name"],
            (min(r.box[0] for r in line), 0.0, max(r.box[2] for r in line), 0.0),
            *max((r.size, r.base) for r in line)[::-1],
        )
        for line in lines
    ]  # fmt: skip
