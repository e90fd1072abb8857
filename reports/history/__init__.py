"""What many runs tell together: an index that can be made again from the evidence at any time, and is no evidence."""
