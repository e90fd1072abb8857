"""The commands: `v2hrig ...`, a module each.

The outermost room: it puts the others together and is imported by none. What a command decides belongs into a room of
its own; here are words, options and exit codes.
"""
