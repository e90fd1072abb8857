"""`python -m rig.cli` is `v2hrig`."""

from rig.cli.main import run

run()
