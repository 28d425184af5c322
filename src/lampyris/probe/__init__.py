"""The dot or dye: spectrum, absorption, yield, label per cell."""
