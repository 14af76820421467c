"""How long Hypothesis searches: `quick`, on a server `ci`, or as HYPOTHESIS_PROFILE says."""

import os

from minigrad.testing.plugin import load_profile

load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "quick"))
