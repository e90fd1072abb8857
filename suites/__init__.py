"""The procedures: what is done to a device and what of it is measured, a folder a subject.

No limit, no instrument, no wall time and no question whether the bench is real. A number that says what is good belongs
into fixtures/requirements.
"""
