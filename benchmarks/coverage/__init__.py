"""How often a stated uncertainty covers the truth: `python -m benchmarks.coverage`.

  interruption  house voltages with a gap, written down as formulas
  waves         steady voltages, currents and ripple, written down as formulas
  digitizer     what an oscilloscope makes of a formula: gain, zero, noise, steps, time base, by its accuracy file
  transfer, steady, power, ripple   a random case of each subject, measured
  tally         errors in units of the stated uncertainty

Every case has its own seed and can be made again alone. No plant, no emulator.
"""
