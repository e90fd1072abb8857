"""A run in other tools' formats: tables, waveforms, CAN logs, needs. Writes what is there and computes nothing."""
