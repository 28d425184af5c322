"""Regions drawn by hand: which view they belong to, and the task that measures them."""
