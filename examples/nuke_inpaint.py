"""Put an inpaint node between a Read and a Write in Nuke, render it, and save the script.

    nuke -t nuke_inpaint.py PLATE MATTE OUT.%04d.exr SCRIPT.nk FIRST LAST

Needs the Cleanplate node (`cleanplate install nuke`). In a window the same lines work in the Script Editor.
"""

import sys

import cleanplate_nuke

import nuke

plate_path, matte_path, out_path, script_path, first, last = sys.argv[1:7]


def read(name: str, path: str) -> nuke.Node:
    """Make a Read of a sequence, untouched by color management."""
    node = nuke.nodes.Read(name=name)
    for knob, value in (("file", path), ("first", int(first)), ("last", int(last)), ("raw", True)):
        node[knob].setValue(value)
    return node


node = cleanplate_nuke.create(read("plate", plate_path), read("matte", matte_path))
for knob, value in (
    ("grow", 4),
    ("feather", 4),
    ("range", "custom"),
    ("first", int(first)),
    ("last", int(last)),
):
    node[knob].setValue(value)

write = nuke.nodes.Write()
write.setInput(0, node)
for knob, value in (
    ("file_type", "exr"),
    ("channels", "all"),
    ("raw", True),
    ("create_directories", True),
    ("file", out_path),
):
    write[knob].setValue(value)

nuke.scriptSaveAs(script_path, 1)
cleanplate_nuke.render_all()
nuke.scriptSave(script_path)
nuke.execute(write, int(first), int(last))
