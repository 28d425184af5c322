"""Rates of a dot in a body: uptake by phagocytes, exchange with tissue, filtration, bile, binding in the tumour."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.probe.fate.body import Body
from lampyris.probe.fate.tables import ORGANS, kinetics, physiology

Array = NDArray[np.float64]
LINEAGE = "mouse gold"
# organs whose vessels are open to phagocytes have no tissue phagocytes of their own
OPEN = ("liver", "spleen", "bone")
# rows of the lineage that stand for organs that it lacks
STAND_INS = {"gut": "rest", "bone": "rest"}
# which calibrated uptake an organ has, relative to the liver's
UPTAKE = {
    "lung": "uptake lung", "spleen": "uptake spleen", "gut": "uptake gut", "kidney": "uptake kidney",
    "muscle": "uptake rest", "bone": "uptake bone", "rest": "uptake rest",
}  # fmt: skip
LIGANDS = ("", "RAD", "RGD")


def known_ligand(name: str | None, /) -> str:
    """What the tables call a ligand; empty where they know nothing of how a tumour holds it.

    Examples
    --------
    >>> known_ligand("rgd"), known_ligand("antibody"), known_ligand(None)
    ('RGD', '', '')
    """
    upper = (name or "").upper()
    return upper if upper in LIGANDS else ""


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Rates, all arrays dims (draw,), in mappings one per organ.

    Parameters
    ----------
    body : Body
    uptake_ml_h : mapping of str to ndarray
        Plasma that the phagocytes of an organ's vessels clear.
    exchange_ml_h : mapping of str to ndarray
        Plasma that exchanges with the tissue.
    partition : mapping of str to ndarray
        Tissue over plasma at equilibrium.
    tissue_uptake_per_h, release_per_h : mapping of str to ndarray
        Of the phagocytes of the tissue, and from phagocytes back into the vessels.
    renal_ml_h, bile_ml_h : ndarray
        Filtration into urine, and from the tissue of the liver into bile.
    binding_per_h, unbinding_per_h : ndarray
        Between the tissue of the tumour and its receptors, or what else holds a peptide there.
    """

    body: Body
    uptake_ml_h: Mapping[str, Array]
    exchange_ml_h: Mapping[str, Array]
    partition: Mapping[str, Array]
    tissue_uptake_per_h: Mapping[str, Array]
    release_per_h: Mapping[str, Array]
    renal_ml_h: Array
    bile_ml_h: Array
    binding_per_h: Array
    unbinding_per_h: Array


def sieving(diameter_nm: Array, half_nm: Array, width_nm: Array, /) -> Array:
    """Share of the filtered plasma whose dots pass the kidney's filter, logistic in the hydrodynamic diameter.

    The published threshold of 5.5 nm is where half of a dose is in the urine after 4 h: a small share of a large filtration
    does that, so that half of the *filter* lies lower.

    Examples
    --------
    >>> float(sieving(np.array(5.5), np.array(5.5), np.array(0.5)))
    0.5
    """
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum((diameter_nm - half_nm) / width_nm, 700.0))))


def lineage(organ: str, quantity: str, /, *, of: str = LINEAGE) -> float:
    """Published rate of an organ, or of the organ that stands in for it."""
    table = kinetics(of)
    return table[organ if (organ, quantity) in table else STAND_INS.get(organ, "rest"), quantity].value


def rates(
    body: Body, values: Mapping[str, Array], coat: str, diameter_nm: Array, /, *, ligand: str = "",
    scatter: Mapping[str, Array] | None = None,
) -> Rates:  # fmt: skip
    """Rates of a dot.

    Parameters
    ----------
    body : Body
    values : mapping of str to ndarray, dims (draw,)
        Calibrated parameters by name.
    coat : str
        Name of the coat: its parameter ``clearance COAT`` is taken.
    diameter_nm : ndarray, dims (draw,)
        Hydrodynamic diameter in blood.
    ligand : str
        One of `LIGANDS`: what the dot is targeted with.
    scatter : mapping of str to ndarray, optional
        Factors of draws for what is not calibrated: ``coat``, ``kinetics``, ``tumour``, ``scale``.

    Returns
    -------
    Rates
        Uptake per g of organ falls with body weight to the power -0.25 from the mouse to larger species, as other rates do.
    """
    drawn = scatter or {}
    one = np.ones(body.central_ml.shape)
    loose = drawn.get("kinetics", one)
    mouse_kg = physiology("mouse")["body", "weight"].value
    scale = drawn.get("scale", one) * (body.weight_kg / mouse_kg) ** -0.25
    clearance = values[f"clearance {coat}"] * drawn.get("coat", one) * scale
    tissue = {organ: body.mass_g[organ] - body.vascular_ml[organ] for organ in ORGANS}
    exchange = {
        organ: lineage(organ, "exchange") * body.flow_ml_h[organ] * values["tissue exchange"]
        for organ in ORGANS
        if organ != "tumour"
    }
    exchange["tumour"] = values["tumour exchange"] * drawn.get("tumour", one) * scale * tissue["tumour"]
    caught = {
        organ: one * 0.0 if organ in OPEN else lineage(organ, "uptake_max") * loose * scale
        for organ in ORGANS
        if organ != "tumour"
    }
    caught["tumour"] = values["tumour trapping"] * scale
    partition = {organ: lineage(organ, "partition") * one for organ in ORGANS}
    # the tumour's published partition is forty times below that of all other tissues: between the two
    partition["tumour"] = np.sqrt(lineage("muscle", "partition") * lineage("tumour", "partition")) * one
    bound = values[f"{ligand} binding"] * scale if ligand else 0.0 * one
    return Rates(
        body=body,
        uptake_ml_h={
            organ: 0.0 * one
            if organ == "tumour"
            else clearance * body.mass_g[organ] * (values[UPTAKE[organ]] if organ in UPTAKE else one)
            for organ in ORGANS
        },
        exchange_ml_h=exchange,
        partition=partition,
        tissue_uptake_per_h=caught,
        release_per_h={organ: lineage(organ, "release") * loose for organ in ORGANS},
        renal_ml_h=body.filtration_ml_h * sieving(diameter_nm, values["sieving half"], values["sieving width"]),
        bile_ml_h=1000.0 * lineage("liver", "bile") * body.weight_kg**0.75 * loose,
        binding_per_h=bound,
        unbinding_per_h=lineage("tumour", "release") * loose,
    )
