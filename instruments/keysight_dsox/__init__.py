"""Keysight InfiniiVision DSOX4024A, four-channel oscilloscope: voltages of the bench on one time base."""
