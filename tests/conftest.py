"""Before anything is imported: linear algebra keeps to one thread, here and in the processes that tests start.

Tests run side by side, one per core; more threads would only wait for each other, for a tenth of the suite's time. Runs of a
study set the same for themselves, whatever they find (``tests/study/test_graph.py``).
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")
