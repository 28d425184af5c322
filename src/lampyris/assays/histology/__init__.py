"""Tissue sections: nuclei and labelled cells counted, density per organ, and the in vivo call judged by it."""
