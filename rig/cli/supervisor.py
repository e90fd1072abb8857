"""`python -m rig.cli.supervisor DESCRIPTOR`: the supervisor's process, as a bench starts it. Nothing for a terminal."""

from __future__ import annotations

import sys

from instruments.registry import REGISTRY
from rig.safety.supervisor import supervise

if __name__ == "__main__":
    raise SystemExit(supervise(int(sys.argv[1]), REGISTRY))
