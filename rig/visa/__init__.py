"""Lines to instruments: pyvisa sessions, and a VISA library whose instruments live in this process.

The line and nothing of what is said on it: no command of a model, no physics, no branch of a driver.
"""
