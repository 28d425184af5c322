"""The nonlinear reference sets of NIST as cases: data, both starts, certified values, and the model."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[2] / "data" / "statistics" / "nist"


def _rational(top: int, bottom: int) -> Callable:
    def model(b, x):
        below = 1.0 + sum(b[top + 1 + power] * x ** (power + 1) for power in range(bottom))
        return sum(b[power] * x**power for power in range(top + 1)) / below

    return model


def _gauss(b, x):
    peaks = b[2] * np.exp(-((x - b[3]) ** 2) / b[4] ** 2) + b[5] * np.exp(-((x - b[6]) ** 2) / b[7] ** 2)
    return b[0] * np.exp(-b[1] * x) + peaks


MODELS: dict[str, Callable] = {
    "BoxBOD": lambda b, x: b[0] * (1.0 - np.exp(-b[1] * x)),
    "Chwirut1": lambda b, x: np.exp(-b[0] * x) / (b[1] + b[2] * x),
    "DanWood": lambda b, x: b[0] * x ** b[1],
    "Gauss1": _gauss,
    "Hahn1": _rational(3, 3),
    "Kirby2": _rational(2, 2),
    "Lanczos3": lambda b, x: sum(b[2 * one] * np.exp(-b[2 * one + 1] * x) for one in range(3)),
    "MGH17": lambda b, x: b[0] + b[1] * np.exp(-x * b[3]) + b[2] * np.exp(-x * b[4]),
    "Misra1a": lambda b, x: b[0] * (1.0 - np.exp(-b[1] * x)),
    "Thurber": _rational(3, 3),
}


@dataclass(frozen=True)
class NistCase:
    name: str
    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray
    values: np.ndarray
    sds: np.ndarray
    residual_sum: float
    residual_sd: float

    def model(self, b):
        return MODELS[self.name](b, self.x)


def read_nist(name: str) -> NistCase:
    text = (FOLDER / f"{name}.dat").read_text("ascii")
    table = np.array(
        [[float(word) for word in row.split()] for row in re.findall(r"^ +b\d+ = +(.+)$", text, re.MULTILINE)]
    )
    data = np.array([[float(word) for word in row.split()] for row in text.split("Data:")[-1].splitlines()[1:] if row])
    total = float(re.search(r"Residual Sum of Squares: +(\S+)", text)[1])
    sd = float(re.search(r"Residual Standard Deviation: +(\S+)", text)[1])
    return NistCase(name, data[:, 1], data[:, 0], table[:, :2].T, table[:, 2], table[:, 3], total, sd)
