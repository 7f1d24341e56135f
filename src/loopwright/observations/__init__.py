"""What was asked and answered, and what values look like: written where requests are answered, read where drift is judged.

A front gives each request to a `recording.Recorder`, whose thread (`keeping`) turns requests into columns (`gathering`)
and writes them as `blocks` in `frames` of `segments`; `ageing` says which of these go. Every ten seconds it writes a
pane: distributions (`tallies`) that add up (`panes`). `bins` is what they are counted in: the baseline of the training
rows. `feedback` reads what became known of a request later. `rows` makes one hash of a row's content; data is split by it.

What comes in: requests and their answers; data frames and arrays of values. What goes out: segment files, and hashes,
bins and counts that add up. May import: errors, locks. `recording` and `feedback` import nothing heavy, since a front does at
its start; the others need NumPy, datasketches, pandas or PyArrow, each only where it is used.
"""

__all__: list[str] = []
