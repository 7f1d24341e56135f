from loopwright.packaging.verdict import Answered, compare

ROWS = [(1.0, "S"), (2.0, "C"), (3.0, "Q")]
NAMES = ["prediction", "probability"]
THEIRS = Answered([[0, 1, 1], [0.1, 0.6, 0.9]], [])


def judged(ours, theirs=THEIRS, names=NAMES):
    return compare(ROWS, names, theirs, ours)


def test_the_same_answers_are_equal_and_the_worst_difference_is_told():
    verdict = judged(Answered([[0, 1, 1], [0.1, 0.6 + 5e-7, 0.9]], []))
    assert verdict.equal
    assert 4e-7 < verdict.worst["probability"] < 6e-7


def test_one_label_that_differs_is_too_many_and_its_row_is_named():
    verdict = judged(Answered([[0, 0, 1], [0.1, 0.6, 0.9]], []))
    assert (verdict.equal, verdict.differing) == (False, 1)
    assert verdict.example == "the row [2.0, 'C']: prediction is 0, of the original 1"


def test_a_probability_beyond_the_tolerance_differs():
    assert not judged(Answered([[0, 1, 1], [0.1, 0.6, 0.9 + 2e-6]], [])).equal


def test_true_is_not_one():
    assert not judged(Answered([[False, True, True], [0.1, 0.6, 0.9]], [])).equal


def test_what_one_refuses_the_other_must_refuse():
    theirs = Answered([[0, None, 1], [0.1, None, 0.9]], [1])
    assert judged(theirs, theirs).equal
    assert "the original refuses it" in judged(THEIRS, theirs).example
    assert "the compiled form refuses it" in judged(theirs, THEIRS).example


def test_objects_of_probabilities_are_compared_key_by_key():
    theirs = Answered([["a", "b", "a"], [{"a": 0.7, "b": 0.3}] * 3], [])
    names = ["prediction", "probabilities"]
    assert judged(Answered([["a", "b", "a"], [{"a": 0.7, "b": 0.3}] * 3], []), theirs, names).equal
    assert not judged(Answered([["a", "b", "a"], [{"a": 0.3, "b": 0.7}] * 3], []), theirs, names).equal


def test_numbers_of_a_regression_are_compared_by_their_size():
    theirs = Answered([[1e9, -2.0, float("inf")]], [])
    assert judged(Answered([[1e9 + 10, -2.0, float("inf")]], []), theirs, ["prediction"]).equal
    assert not judged(Answered([[1e9, -2.00001, float("inf")]], []), theirs, ["prediction"]).equal
    assert not judged(Answered([[1e9, -2.0, 5.0]], []), theirs, ["prediction"]).equal


def test_a_tie_is_either_label_only_where_sums_come_in_any_order():
    theirs, ours = Answered([[0, 1, 1], [0.1, 0.5, 0.9]], []), Answered([[0, 0, 1], [0.1, 0.5, 0.9]], [])
    assert not compare(ROWS, NAMES, theirs, ours).equal
    verdict = compare(ROWS, NAMES, theirs, ours, exact=False)
    assert (verdict.equal, verdict.ties) == (True, 1)
    assert not compare(ROWS, NAMES, theirs, Answered([[0, 1, 0], [0.1, 0.5, 0.9]], []), exact=False).equal
    many = [[{"a": 0.4, "b": 0.4, "c": 0.2}] * 3]
    tied, other = Answered([["a"] * 3, *many], []), Answered([["b"] * 3, *many], [])
    assert compare(ROWS, ["prediction", "probabilities"], tied, other, exact=False).ties == 3
