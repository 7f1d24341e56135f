"""What a person can do with Loopwright, one function each: the server and the CLI both call these, and add no logic.

What comes in: plain values and, for what touches the state, the `ControlPlane`. What goes out: JSON-ready values, or an
error of `loopwright.errors`. May import all rooms below; heavy libraries only inside functions.
"""
