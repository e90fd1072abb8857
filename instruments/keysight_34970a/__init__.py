"""Keysight 34970A data acquisition unit as the thermometer of the room."""
