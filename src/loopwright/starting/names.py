"""Names as the spec takes them, made from names of files and folders."""

from __future__ import annotations

import re
import unicodedata


def named_after(text: str, otherwise: str) -> str:
    """A name of lower-case letters, digits and dashes that begins with a letter; `otherwise` where nothing is left."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    joined = "-".join(re.findall(r"[a-z0-9]+", plain))
    return joined.lstrip("0123456789-")[:40].strip("-") or otherwise
