"""What happened, on the disk before a verdict shows: journal, captures, seal, how they are checked and gone on with.

Documents are facts and never change. No wall time, host or path may stand in a journal, and no report is made here.
"""
