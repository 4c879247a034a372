"""Honest clients among hostile ones: nodes, gateways, sellers and buyers at random, on a clock that jumps.

A run draws terms, people and faults from its seed, lets everybody act for some hours of the chain's time, and then asks
whether somebody honest lost more than gas and a bond. `make hostile` runs thousands, the suite a few.
"""
