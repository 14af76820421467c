"""ONNX files: the schedule, walked on names in place of numbers.

`symbols` has the arrays, of which only shape and dtype are known; `functions` writes NumPy's
functions on them as ONNX nodes; `model` makes the file, a loop over time as one `Scan` whose body
is the step. It runs nothing: onnxruntime does, and others.
"""
