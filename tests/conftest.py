"""What all tests of the rig share: properties are tried on the same examples every time, and against no deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("rig", deadline=None, derandomize=True)
settings.load_profile("rig")
