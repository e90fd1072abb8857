"""AMETEK California Instruments MX45, regenerative AC source, 45 kVA: the mains, two legs of a three-wire service."""
