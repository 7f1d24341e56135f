from loopwright.loop.compilation import told

REPORT = {"held_out_rows": 330, "generated_rows": 10_114, "worst_difference": {"probability": 2.2e-16}}


def test_a_compiled_package_says_what_that_rests_on():
    assert told({"compilation": REPORT}) == "compiled: differs by 2e-16 at most in 10444 rows"
    same = REPORT | {"worst_difference": {"probability": 0.0}}
    assert told({"compilation": same}) == "compiled: equal in 10444 rows"


def test_a_model_that_was_not_compiled_says_why():
    assert told({"compilation": None, "uncompiled": "SVC is not ..."}) == "not compiled: SVC is not ..."


def test_a_package_of_before_and_one_with_a_script_say_nothing():
    assert told({"digest": "sha256:0"}) == told({"compilation": None, "uncompiled": ""}) == ""
