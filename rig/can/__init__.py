"""The CAN bus: frames, a bus in virtual time, and adapters through python-can in real time.

Carries bytes and stamps. What a frame means is rig.chademo's, what must never be decided here.
"""
