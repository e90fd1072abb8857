"""The roles of rig.roles under the name the instruments know them by."""

from rig.roles import *  # noqa: F403
