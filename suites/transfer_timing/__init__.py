"""The switch-over of the house: how long it is dark, what it sees meanwhile, and the way back."""
