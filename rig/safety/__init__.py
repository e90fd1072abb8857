"""How a bench comes to rest, and who sees to it when the run cannot: safe state, lease, supervisor, envelope, E-stop.

The supervisor is a process of its own and imports no test, no report and no metrology: what must work when all else has
failed is kept small. Nothing here is a safety function (docs/safety.md).
"""
