"""Uncertainties of yields by loops: derivatives by differences, then all pairs."""

import numpy as np

STEP = 1e-5


def derivatives(function, params):
    """Central differences of a function in each parameter, of any shape."""
    found = []
    for i in range(len(params)):
        up, down = np.array(params, float), np.array(params, float)
        up[i] += STEP
        down[i] -= STEP
        found.append((function(up) - function(down)) / (2.0 * STEP))
    return found


def standard_deviations(function, params, covariance):
    """The root of ``sum_ij df/dtheta_i C_ij df/dtheta_j``."""
    slopes = derivatives(function, params)
    variance = np.zeros_like(slopes[0])
    for i, one in enumerate(slopes):
        for j, other in enumerate(slopes):
            variance += one * covariance[i][j] * other
    return np.sqrt(variance)
