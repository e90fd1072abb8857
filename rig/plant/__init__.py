"""The world: battery, power stage, transfer contact, house and mains as one circuit, worked out between events.

Copper, and nothing more. It knows no instrument, no protocol, no test. Only emulators and the emulated charger reach
it, through its ports; no rule, no measurement and no suite ever reads it.
"""
