"""The reference implementations of the course, and what its lessons stand on.

Imports point one way: errors, places | data, losses, plots | models, train, lesson | bounds, estimators, metrics |
exercises, widgets | workbook, connection, hand_in, lab | grading. Each may import what stands before it, never what
stands after.
"""
