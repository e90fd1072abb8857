"""The operator's page: what the person at the bench sees of every run, and the few things to press.

Reads what runs publish (rig.live) and what they have on record (rig.evidence), and starts runs as the command line
does, each a process of its own: a console that dies stops nothing. Knows no instrument, no bench and no suite.
"""
