"""The version, in one place: the wheel, the command and `plugin_core.__version__` take it from here."""

__version__ = "0.3.0"
