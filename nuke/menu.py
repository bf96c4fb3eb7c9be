"""Runs when Nuke has a window: adds the node to the Nodes menu. Whatever fails here is printed."""

try:
    from cleanplate_nuke import menus

    menus.add()
except Exception:
    import traceback

    print("Cleanplate's menu could not be added; Nuke goes on without it:")
    traceback.print_exc()
