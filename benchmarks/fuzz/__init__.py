"""`python -m benchmarks.fuzz [SUBJECT ...] [-n N] [--seed S]`: what comes from outside, at random, and what must not
come of it.

  engine.py       a corpus that grows by what is seen for the first time, changed at random; findings; the bound
  mutate.py       how bytes and texts are changed
  recogniser.py   what a line must look like to put energy on: read from the guides, not from the rig's tables
  wellformed.py   what a reply must look like to be a number, a word or a block: the same
  witness.py      what a car may do, whatever it hears: read from the facts on CHAdeMO, not from the rig's vehicle
  scpi.py         lines to emulated instruments, replies to drivers
  boxes.py        lines to the vehicle interface and to the charger's service port, and their replies
  echonet.py      datagrams to an ECHONET Lite charger, and answers to its driver
  frames.py       frames to the car, to the emulated charger, to the rules, and what an adapter hands on
  files.py        bench, profile and vehicle files, traces, journals, records

One seed gives one sequence of inputs. A finding is printed with what reproduces it.
"""
