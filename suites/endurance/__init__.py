"""Sessions one after another: does the hundredth go as the first."""
