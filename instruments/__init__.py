"""A folder a model: its commands once, a driver, an emulator, its accuracy. evps/ is the emulated device under test.

A driver and its emulator never import each other; only registry.py joins them. No suite, no rule, no report, and no
other model's folder.
"""
