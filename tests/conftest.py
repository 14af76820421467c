"""How long Hypothesis searches: `quick`, on a server `ci`, or as HYPOTHESIS_PROFILE says."""

import os

from minigrad.testing.plugin import load_profile

# XLA compiles for most of a test's time: once quickly, on one thread, is enough for small programs.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0 "
    "--xla_llvm_disable_expensive_passes=true",
)
load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "quick"))
