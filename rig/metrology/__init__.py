"""Numbers out of samples, each with its budget, and the rule that holds a value against a limit.

Knows arrays, instruments' figures and standards. Never the plant, a driver, a clock or a requirement: whoever computes
a value must not know what it should be.
"""
