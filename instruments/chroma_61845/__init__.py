"""Chroma 61845, regenerative grid simulator, 45 kVA: the mains, two legs of a three-wire service."""
