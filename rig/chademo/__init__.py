"""CHAdeMO: frames, the phases of a session, the car's state machine, and the rules both sides have to keep.

Sans IO: time and frames come in, frames and findings go out. No socket, no bus, no plant, no charger's code. Rules and
car never import each other: whoever speaks must not be who judges.
"""
