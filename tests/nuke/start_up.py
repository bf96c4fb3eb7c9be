"""Run by each Python that Nuke brings: start up with and without a window, make a node, save, reopen.

Usage: python start_up.py ADAPTER SCRIPT
"""

import sys

import standin

for gui in (False, True):
    host = standin.Host(gui=gui)
    sys.modules["nuke"], sys.modules["nukescripts"] = host.module, host.scripts
    for name in [name for name in sys.modules if name.startswith("cleanplate_nuke")]:
        del sys.modules[name]
    host.start(sys.argv[1])
    import cleanplate_nuke
    from cleanplate_nuke import buttons, core, exr, farm, menus, order  # noqa: F401 - that they load

    node = cleanplate_nuke.create()
    node["grow"].setValue(7)
    host.scriptSaveAs(sys.argv[2], 1)
    host.scriptOpen(sys.argv[2])
    again = host.toNode("VINetInpaint1")
    assert cleanplate_nuke.is_inpaint(again) and again["grow"].value() == 7
    try:
        cleanplate_nuke.render(again)
    except cleanplate_nuke.InpaintError as error:
        assert "connect its 'plate' input" in str(error)
    else:
        raise AssertionError("a node without inputs was rendered")
print("works on", sys.version.split()[0])
