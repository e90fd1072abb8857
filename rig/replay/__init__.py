"""A bench's exchanges written down (record, recorded) and answered from what was written (tape, replayed)."""
