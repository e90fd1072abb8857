"""A charger that is an FMU (FMI 2.0 co-simulation): what it must have, how it is unpacked, stepped and ended.

  variables.py    the interface: every variable the rig knows, with type, direction and unit
  signals.py      physical values to and from frames, by the message table
  archive.py      unpacking a file one does not trust
  description.py  modelDescription.xml checked against the interface
  instance.py     the native code: loaded, stepped, freed
  charger.py      an OwnCharger made of it, on its terminals

fmpy is an optional extra and is imported only where an FMU is named.
"""
