"""SCPI: the table of a model's commands, read by its driver on one side and by its emulator's face on the other."""
