"""The graph of steps: tasks and their engines, what they read and write, and how results are stored."""
