"""What values look like, as small exact summaries: written where requests are answered, read where drift is judged.

`rows`: one hash for a row's content. Data is split by it, and a champion is not judged on rows that it was trained on.
`bins`: how the training rows spread over each column (the baseline), and how any later values fall into the same bins.

What comes in: data frames and arrays of values. What goes out: hashes, bins and counts that add up.
May import: errors. Nothing heavy at import time: `bins` needs NumPy, `rows` pandas and PyArrow, each only where it is used.
"""

__all__: list[str] = []
