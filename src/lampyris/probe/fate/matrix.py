"""The linear core: amounts in all compartments change as a matrix times the amounts, and every column sums to 0."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lampyris.probe.fate.rates import Rates
from lampyris.probe.fate.tables import ORGANS

Array = NDArray[np.float64]

PARTS = ("vessels", "tissue", "phagocytes")
STATES: tuple[str, ...] = (
    "arteries",
    "veins",
    *(f"{organ} {part}" for organ in ORGANS for part in PARTS),
    "tumour receptors",
    "cells",
    "syringe",
    "urine",
    "faeces",
    "one",
)
"""Compartments; ``cells`` are labelled cells that still hold their dots, ``syringe`` is what an infusion has still to give,
``one`` holds the number 1 and drives the infusion."""
PLACE: dict[str, int] = {name: place for place, name in enumerate(STATES)}
ONE = PLACE["one"]
PHAGOCYTES = np.array([PLACE[f"{organ} phagocytes"] for organ in ORGANS])


def organ_places(organ: str, /) -> list[int]:
    """Places of all that is in an organ as it is excised."""
    places = [PLACE[f"{organ} {part}"] for part in PARTS]
    return [*places, PLACE["tumour receptors"]] if organ == "tumour" else places


def rate_matrix(
    rates: Rates, /, *, uptake: Mapping[str, Array] | None = None, binding: Array | float = 1.0,
    infusion_per_h: float = 0.0, death_per_h: float = 0.0, cells_in: str = "blood",
) -> Array:  # fmt: skip
    """Rate matrix of a body, dims (draw, state, state), in 1/h.

    Parameters
    ----------
    rates : Rates
    uptake : mapping of str to ndarray, optional
        Factor on the uptake by an organ's phagocytes, dims (draw,): the clock of the dose, or how full they are.
    binding : ndarray or float
        Factor on the binding by receptors: how many are free.
    infusion_per_h : float
        Amount that the syringe gives per hour.
    death_per_h : float
        Rate at which labelled cells die and set their dots free.
    cells_in : str
        Organ in which they lie, or ``blood``.

    Returns
    -------
    ndarray
        Columns sum to 0: what leaves one compartment enters another.
    """
    body = rates.body
    matrix = np.zeros((body.central_ml.size, len(STATES), len(STATES)))

    def move(source: str, target: str, rate: Array | float) -> None:
        matrix[:, PLACE[target], PLACE[source]] += rate
        matrix[:, PLACE[source], PLACE[source]] -= rate

    half = body.central_ml / 2.0
    output = body.flow_ml_h["lung"]
    move("veins", "lung vessels", output / half)
    move("lung vessels", "arteries", output / body.vascular_ml["lung"])
    portal = {"spleen", "gut"}
    for organ in ORGANS:
        factor = 1.0 if uptake is None else uptake[organ]
        vessels, tissue, phagocytes = (f"{organ} {part}" for part in PARTS)
        plasma = body.vascular_ml[organ]
        solid = rates.partition[organ] * (body.mass_g[organ] - plasma)
        if organ != "lung":
            move("arteries", vessels, body.flow_ml_h[organ] / half)
            leaving = body.flow_ml_h[organ]
            if organ == "liver":
                leaving = leaving + body.flow_ml_h["spleen"] + body.flow_ml_h["gut"]
            move(vessels, "liver vessels" if organ in portal else "veins", leaving / plasma)
        move(vessels, tissue, rates.exchange_ml_h[organ] / plasma)
        move(tissue, vessels, rates.exchange_ml_h[organ] / solid)
        move(vessels, phagocytes, rates.uptake_ml_h[organ] * factor / plasma)
        move(tissue, phagocytes, rates.tissue_uptake_per_h[organ] * factor)
        move(phagocytes, vessels, rates.release_per_h[organ])
    move("kidney vessels", "urine", rates.renal_ml_h / body.vascular_ml["kidney"])
    liver = rates.partition["liver"] * (body.mass_g["liver"] - body.vascular_ml["liver"])
    move("liver tissue", "faeces", rates.bile_ml_h / liver)
    move("tumour tissue", "tumour receptors", rates.binding_per_h * binding)
    move("tumour receptors", "tumour tissue", rates.unbinding_per_h)
    move("cells", "veins" if cells_in == "blood" else f"{cells_in} tissue", death_per_h)
    # a constant stream: driven by the number one, which itself stays
    matrix[:, PLACE["veins"], ONE] += infusion_per_h
    matrix[:, PLACE["syringe"], ONE] -= infusion_per_h
    return matrix
