"""A run that can be watched and told to stop from beside it: what it publishes, and the few orders it takes.

The run serves, watchers come and go: a watcher that dies, hangs or reads slowly costs the run nothing and is dropped.
Nothing of this is evidence, and nothing in here judges or moves energy.
"""
