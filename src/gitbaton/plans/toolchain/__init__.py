"""What the tools of a machine must be, what they are, and whether that will do."""

from gitbaton.plans.toolchain.requirements import check_requirement as check_requirement
from gitbaton.plans.toolchain.requirements import unmet as unmet
