"""Our own line protocol for boxes that laboratories build themselves: frames, sessions, the box's side, a server.

It carries lines. What a box does when told so belongs to its emulator, what is asked of it to its driver.
"""
