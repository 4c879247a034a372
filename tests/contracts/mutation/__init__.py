"""Mutation testing of the contracts: each small change to a source must make some test fail.

All mutants of the chosen files are compiled into one build that picks its mutant at run time, from a word of the
block (`prevrandao`) that no contract reads. So a mutant costs a fork of a process that holds tests and build, not a run
of the compiler: that takes half a minute, and there are more than a thousand mutants.
"""
