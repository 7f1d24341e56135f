"""One hash for a row's content, the same wherever and whenever the row is met.

The data room splits by it and evaluation leaves out the rows that a champion was trained on; both must agree on what
"the same row" is, although one reads text and the other numbers, and files differ in the order of columns and in how
they write a value. So a row is hashed as text in a canonical form:

- columns in the order of their names, whatever their order in the frame; the names themselves are not hashed;
- a number, also one written as text, in its shortest form: `42`, `42.0`, `+42`, `042` and ` 42` are one value;
- true and false in lower case; missing values and empty text alike;
- all other text as it is, case and blanks included.

So rows that differ only in such writing count as one row. That errs on the safe side: they are held out together.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_INTEGER = r"^\s*[+-]?[0-9]+\s*$"
_FITS = r"^\s*[+-]?[0-9]{1,18}\s*$"  # surely within 64 bits; longer ones stay text, as identifiers do
_DECIMAL = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
_TRUTH = r"(?i)^(true|false)$"
_MISSING = "\x00"
_BETWEEN = "\x1f"
_AT_ONCE = 65_536  # rows turned into Python objects at a time


def row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """The 64-bit BLAKE2b hash of each row of `frame`, shape (rows,); a million rows of ten columns take seconds."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [canonical(frame[name]) for name in sorted(frame.columns, key=str)]
    if not columns:
        raise ValueError("a row without columns has no content to hash")
    filled = [pc.fill_null(column, _MISSING) for column in columns]
    content = pc.binary_join_element_wise(*filled, pa.scalar(_BETWEEN, pa.large_string())).cast(
        pa.large_binary()
    )
    digests = bytearray()
    for start in range(0, len(content), _AT_ONCE):
        rows = content.slice(start, _AT_ONCE).to_pylist()
        digests += b"".join([blake2b(row, digest_size=8).digest() for row in rows])
    return np.frombuffer(bytes(digests), dtype=">u8").astype(np.uint64)


def canonical(series: pd.Series[Any]) -> Any:
    """The canonical text of a column's values, as a PyArrow array of strings; null where a value is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pandas.api.types import infer_dtype

    if series.dtype == object and infer_dtype(series, skipna=True) != "string":
        # PyArrow would take false among floats for 0.0, so values of several types go one by one.
        values = pa.array([None if _is_missing(value) else str(value) for value in series], pa.large_string())
    else:
        values = pa.array(series, from_pandas=True)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        return _of_numbers(pc.cast(values, pa.float64()))
    text = pc.cast(values, pa.large_string())
    return text if pa.types.is_integer(values.type) else _of_text(text)


def _is_missing(value: object) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def _of_numbers(values: Any) -> Any:
    """Whole numbers as integers, the others by the shortest text that reads back as the same number."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = np.nan_to_num(values.to_numpy(zero_copy_only=False), nan=0.5, posinf=0.5, neginf=0.5)
    whole = (np.floor(numbers) == numbers) & (np.abs(numbers) < 2.0**63)
    integers = pa.array(np.where(whole, numbers, 0).astype(np.int64))
    return pc.if_else(
        pa.array(whole), pc.cast(integers, pa.large_string()), pc.cast(values, pa.large_string())
    )


def _of_text(text: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)
    plain = pc.fill_null(pc.match_substring_regex(text, _DECIMAL), False)
    if pc.any(plain).as_py():
        text = _of_numerals(text, plain)
    truth = pc.fill_null(pc.match_substring_regex(text, _TRUTH), False)
    return pc.if_else(truth, pc.utf8_lower(text), text)


def _of_numerals(text: Any, plain: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.if_else(plain, pc.replace_substring_regex(pc.utf8_trim_whitespace(text), r"^\+", ""), "0")
    fits = pc.and_(plain, pc.match_substring_regex(bare, _FITS))
    integers = pc.cast(pc.cast(pc.if_else(fits, bare, "0"), pa.int64()), pa.large_string())
    decimal = pc.and_not(plain, pc.match_substring_regex(bare, _INTEGER))
    numbers = _of_numbers(pc.cast(pc.if_else(decimal, bare, "0"), pa.float64()))
    return pc.if_else(fits, integers, pc.if_else(decimal, numbers, text))
