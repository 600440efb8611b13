"""Values of single questions, and what many of them tell: metrics, intervals, curves, tests of chance."""
