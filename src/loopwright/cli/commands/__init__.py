"""The commands with their options, help and examples: one module for each group, each with `add(commands)`."""
