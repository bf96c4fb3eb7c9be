"""Cleanplate in Nuke: the VINet Inpaint node, and what renders it.

For scripts::

    import cleanplate_nuke

    node = cleanplate_nuke.create(plate=nuke.toNode("Read1"), matte=nuke.toNode("Roto1"))
    node["grow"].setValue(4)
    cleanplate_nuke.render(node)          # with a window: in the background; in `nuke -t`: until it is done
    cleanplate_nuke.render_all()          # every such node of the script, in the order they depend on

The core is a process of its own (`cleanplate render --job job.json`); nothing of it is imported here.
"""

from .flow import render, render_all
from .group import create, is_inpaint
from .problem import Cancelled, InpaintError

__all__ = ["Cancelled", "InpaintError", "create", "is_inpaint", "render", "render_all"]
