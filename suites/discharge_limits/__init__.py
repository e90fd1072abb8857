"""Is what flows ever more than the car grants or asks for: moving limits, floors, requests, changes of direction."""
