"""What stands in the report on paper, as lists of text. How it looks is templates/report.typ, and nothing else."""
