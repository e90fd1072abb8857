"""A bench's exchanges written down (record, recorded) and answered from what was written (tape, replayed).

A tape never guesses: what was not recorded so diverges, and no number is made of it.
"""
