"""Recorded CHAdeMO sessions: read from files, judged by the same rules that watch a live bench.

A recording is somebody else's: nothing in it may be believed before it is checked, and no rule is written anew for it.
"""
