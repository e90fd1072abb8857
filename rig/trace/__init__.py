"""Recorded CHAdeMO sessions: read from files, judged by the same rules that watch a live bench."""
