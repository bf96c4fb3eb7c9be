"""Runs in every Nuke session, with and without a window. Whatever fails here is printed, and Nuke starts."""

try:
    import nuke

    from cleanplate_nuke import callbacks

    nuke.pluginAddPath("./icons")
    callbacks.register()
except Exception:
    import traceback

    print("Cleanplate could not be set up; Nuke goes on without it:")
    traceback.print_exc()
