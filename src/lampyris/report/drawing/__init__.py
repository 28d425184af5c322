"""Drawings in millimetres: axes, and how a drawing becomes SVG or PNG."""
