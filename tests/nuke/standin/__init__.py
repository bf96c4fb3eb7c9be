"""A strict stand-in for the `nuke` module: what the adapter uses of it, behaving as documented.

It knows only names that Nuke has (a test holds it against the published type stubs), refuses unknown names,
knobs and arguments, keeps a graph with knobs, expressions, groups, views and bounding boxes, really reads and
writes EXR files, refuses a render inside a render and nodes touched from other threads, saves scripts as text
and rebuilds them from it. It runs on Python 3.7 and, until a picture is asked for, on the standard library.
"""

from .host import Host

__all__ = ["Host"]
