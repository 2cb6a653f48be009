"""Which nodes of a graph hang together, by arrays alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.integer]


def components(count: int, a: Numbers, b: Numbers) -> NDArray[np.int32]:
    """Per node 0 .. count-1 the smallest node that edges (a[i], b[i]) join it to. Rounds grow with the logarithm."""
    label = np.arange(count, dtype=np.int32)
    while len(a):
        at_a, at_b = label[a], label[b]
        apart = at_a != at_b
        a, b, at_a, at_b = a[apart], b[apart], at_a[apart], at_b[apart]
        if not len(a):
            break
        # The larger of two roots hangs on the smaller; then everything hangs on its root.
        np.minimum.at(label, np.maximum(at_a, at_b), np.minimum(at_a, at_b))
        while True:
            above = label[label]
            if np.array_equal(above, label):
                break
            label = above
    return label
