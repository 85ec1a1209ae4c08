"""`glasses test`: every sentence of a skill is routed, heard, and its own.

sample    sentences that a template allows, every branch and option at least once
said      as text, each must come to its own action with the right slots
heard     spoken by synthetic voices, clean and in noise, each must still arrive
clashes   sentences of two skills that are the same, swallow or sound like one another
report    the table, and JUnit XML.
"""
