"""What a draft of study.toml asks for in comments: what a paper must say, and no analysis needs."""

from lampyris.core.model import Model
from lampyris.core.reporting import Characterisation, Reporting
from lampyris.io.toml import toml_key

_ASKED = (
    "sample_size",
    "randomisation",
    "blinding",
    "primary_endpoint",
    "exclusion_criteria",
    "cell_line",
    "mycoplasma",
    "anaesthesia",
    "housing",
    "humane_endpoints",
    "ethics_approval",
    "data_access",
)
_ASKED_OF_PROBE = (
    "composition",
    "core_nm",
    "core_sd_nm",
    "core_count",
    "hydrodynamic_nm",
    "dispersity",
    "zeta_mv",
    "shape",
    "ligand",
    "concentration_nmol_per_l",
    "metal",
    "metal_ug_per_ml",
    "stability",
    "endotoxin",
)


def reporting_template(probe: str, /) -> str:
    """Tables that a reviewer will ask for, as comments: nothing of them is needed for an analysis.

    Parameters
    ----------
    probe : str
        Key of the probe that is described; "" where there is none.
    """
    lines = [
        "",
        "# What a paper must say (ARRIVE 2.0, MIRIBEL). All of it is optional and changes no result: take away the # of what you",
        "# fill in. `lampyris check` tells what is missing; `lampyris init --allocate --blind` records allocation and blinding.",
    ]
    asked: list[tuple[str, type[Model], tuple[str, ...]]] = [("reporting", Reporting, _ASKED)]
    if probe:
        asked.append((f"probes.{toml_key(probe)}.characterisation", Characterisation, _ASKED_OF_PROBE))
    for header, model, keys in asked:
        lines += ["#", f"# [{header}]"]
        for key in keys:
            field = model.model_fields[key]
            value = '"..."' if "str" in str(field.annotation) else ""
            lines.append(f"# {key} = {value}  # {field.description}")
    return "\n".join(lines) + "\n"
