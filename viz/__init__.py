"""Pictures of networks, made from their live graphs."""

from viz.draw import Drawing, draw
from viz.render import RendererMissing, available

__all__ = ["Drawing", "RendererMissing", "available", "draw"]
