"""The package: what a trained model becomes, one immutable folder with a content digest that goes everywhere alike.

Why it exists: what was tested is what serves. Weights, scoring code, lock, signature and baseline travel together, and
whoever receives them can see whether they are what was made.

What comes in: the folder that training wrote, the scoring code, the lock, the baseline and the columns of the data.
What goes out: the folder; or a StepFailed that says what is missing, or where the scoring script fails: the package's own
replica is started once and asked, so that a package that cannot answer is never made. A model that needs no script is
compiled (`compiling`), and its compiled form kept only if it answers as the original does.

`verify` and `manifest` read any package; `python -m loopwright.packaging.job FOLDER` makes one.
May import: scoring, catalog, observations, jobs, errors.
"""

from loopwright.packaging.contents import Manifest, manifest, verify

__all__ = ["Manifest", "manifest", "verify"]
