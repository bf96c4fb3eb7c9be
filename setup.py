"""Packages by pattern; everything else stands in pyproject.toml.

The wheel must never install a top-level package called models, nuke or blender: the hosts have their own.
"""

from setuptools import find_packages, setup

PAGES = "cleanplate_pages"  # docs/, which the command's help leads to
HOSTS = ("nuke", "blender", "davinci_fusion")

setup(
    packages=[
        "cleanplate",
        *find_packages(include=["plugin_core", "plugin_core.*"]),
        "cleanplate_models",
        *(f"cleanplate_models.{name}" for name in find_packages("models")),
        *(f"cleanplate_hosts.{host}" for host in HOSTS),
        PAGES,
    ],
    package_dir={
        "cleanplate": "cleanplate",
        "plugin_core": "plugin_core",
        "cleanplate_models": "models",
        PAGES: "docs",
        **{f"cleanplate_hosts.{host}": host for host in HOSTS},
    },
)
