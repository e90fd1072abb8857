"""SCPI: the table of a model's commands, read by its driver on one side and by its emulator's face on the other.

Text and its grammar. No transport, no maker, no physics; a driver has no branch for what answers.
"""
