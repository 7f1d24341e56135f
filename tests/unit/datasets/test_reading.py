import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from loopwright.datasets.reading import digest, read, write_parts
from loopwright.errors import StepFailed


def reading(tmp_path, content, shown="data/x.csv"):
    path = tmp_path / "content"  # the store's names have no ending
    path.write_bytes(content)
    return read(path, shown)


def values(raw):
    return {name: column.to_pylist() for name, column in raw.columns.items()}


def test_values_stay_as_they_are_written(tmp_path):
    raw = reading(tmp_path, b'id,n,s\n007,1.50,NA\n08,, x \n"9","","a,""b"\n')
    assert values(raw) == {"id": ["007", "08", "9"], "n": ["1.50", None, None], "s": ["NA", " x ", 'a,"b']}


@pytest.mark.parametrize(
    "content",
    [b"a,b\r\n1,2\r\n3,4\r\n", b"a,b\r1,2\r3,4", b"\xef\xbb\xbfa,b\n1,2\n3,4", b"a,b\n\n1,2\n\n\n3,4\n"],
)
def test_line_ends_marks_and_blank_lines(tmp_path, content):
    assert values(reading(tmp_path, content)) == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a,b\n1,2\n3,4\n", [2, 3]),
        (b'a,b\n"1\n\n1",2\n3,4\n', [2, 5]),
        (b"\na,b\n\n1,2\n\n3,4", [4, 6]),
        (b'"a\nx",b\n1,2', [3]),
    ],
)
def test_rows_know_their_lines(tmp_path, content, lines):
    assert reading(tmp_path, content).starts.tolist() == lines


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "data/x.csv: the file is empty"),
        (b"\n \n", None),
        (b"\n\n", "data/x.csv: the file holds no text"),
        (b"a,b", r"has column names \(a, b\) but no rows"),
        (b"a,b\n", r"has column names \(a, b\) but no rows"),
        (
            b"a,b\n1,2\n3\n4,5\n6,7,8\n",
            r"data/x.csv:3: found 1 value, expected 2 as the header has \(a, b\).*1 more line: 5\.",
        ),
        (b'a,b\n1,"2\n3,4\n', "data/x.csv:2: a quote is opened and never closed"),
        (b"a,a\n1,2\n", "data/x.csv:1: the column name 'a' occurs 2 times"),
        (b",a\n0,2\n", "data/x.csv:1: column 1 has no name. If it is a saved row index"),
        (b"a;b\n1;2\n", "data/x.csv:1: the columns are separated by semicolons"),
        (b"a\tb\n1\t2\n", "data/x.csv:1: the columns are separated by tabs"),
        (b"a,b\n1,2\n3,\xe9\n", "data/x.csv:3: byte 0xe9 is not UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16"), "data/x.csv:1: byte 0xff is not UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16-le"), "data/x.csv:1: a zero byte"),
    ],
)
def test_what_is_wrong_with_a_csv_file(tmp_path, content, told):
    with pytest.raises(StepFailed, match=told):
        reading(tmp_path, content)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ("x.xlsx", r"ends in .csv, .parquet, .pq"),
        ("x", "ends in"),
        ("x.parquet", "x.parquet: the file is not Parquet"),
    ],
)
def test_files_of_another_kind(tmp_path, shown, told):
    with pytest.raises(StepFailed, match=told):
        reading(tmp_path, b"a,b\n1,2\n", shown)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(
        StepFailed, match=r"data/x.csv: the file cannot be read \(No such file or directory\)"
    ):
        read(tmp_path / "none", "data/x.csv")


def test_parts_of_a_csv_file_are_its_lines(tmp_path):
    raw = reading(tmp_path, b'\xef\xbb\xbfa,b\r\n"1\n1",2.50\r\n\r\n03,"4"\r\n5,6')
    keep = pa.array([True, False, True]).to_numpy(zero_copy_only=False)
    write_parts(raw, {tmp_path / "kept": keep, tmp_path / "left": ~keep})
    assert (tmp_path / "kept").read_bytes() == b'a,b\r\n"1\n1",2.50\r\n\r\n5,6'
    assert (tmp_path / "left").read_bytes() == b'a,b\r\n03,"4"\r\n'


@pytest.fixture
def parquet(tmp_path):
    frame = pd.DataFrame({"n": [1.5, None, 2.0], "i": [1, 2, 3], "c": pd.Categorical(["x", None, "y"])})
    frame.to_parquet(tmp_path / "x.parquet")
    return tmp_path / "x.parquet"


def test_parquet_brings_its_types(parquet):
    assert values(read(parquet, "x.parquet")) == {
        "n": [1.5, None, 2.0],
        "i": [1, 2, 3],
        "c": ["x", None, "y"],
    }


def test_parts_of_a_parquet_file_keep_its_schema(parquet, tmp_path):
    write_parts(
        read(parquet, "x.parquet"),
        {tmp_path / "part.parquet": pa.array([True, False, True]).to_numpy(zero_copy_only=False)},
    )
    part = pd.read_parquet(tmp_path / "part.parquet")
    assert part["i"].tolist() == [1, 3]
    assert part.dtypes.equals(pd.read_parquet(parquet).dtypes)


def test_a_parquet_column_of_lists_is_refused(tmp_path):
    pyarrow.parquet.write_table(pa.table({"tags": [["a"], []]}), tmp_path / "x.parquet")
    with pytest.raises(StepFailed, match=r"column tags holds list<.*>, expected numbers, text"):
        read(tmp_path / "x.parquet", "x.parquet")


def test_a_file_is_named_by_its_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert digest(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
