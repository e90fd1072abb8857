"""Lines to instruments: pyvisa sessions, and a VISA library whose instruments live in this process."""
