"""Checks of the CPU: whether the event loop that sends and reads audio gets it when it is due."""

from __future__ import annotations

import math

from harness.doctor.facts import Facts
from harness.doctor.finding import Check, Outcome, not_on_mac, not_told
from harness.measure.fitness import STEAL_SHARE, THROTTLED_MS
from harness.text.counted import counted

LEAST_CORES = 2
# docs/scale.md plans with 70 %: on a machine that is full, arrivals are read late.
MOST_BUSY = 0.7
# Processes that want a CPU, for each CPU. Measured on two cores with deadlines every 10 ms, like those of a caller's
# packets: at 3.5 to 5 under 0.5 % were met more than 20 ms late, from 5 on 3 to 10 %. A turn is unfit from 1 %.
LOAD_PER_CORE = 1.0
LATE_LOAD_PER_CORE = 5.0
# They follow the load with a delay, or stay at the lowest frequency (Linux, admin-guide/pm/cpufreq).
_SLOW_GOVERNORS = ("powersave", "conservative", "ondemand")
# With these drivers the name means that the CPU itself chooses the frequency by load (admin-guide/pm/intel_pstate and
# amd-pstate).
_OWN_POWERSAVE = ("intel_pstate", "amd-pstate-epp", "amd_pstate_epp")
_LOWER_LOAD = "stop what else runs here, or use a machine of its own"


def cores(facts: Facts) -> Outcome:
    """Whether there is a CPU besides the one that a late task may take."""
    if facts.cores is None:
        return not_told(facts)
    value = counted(facts.cores, "core")
    if facts.cores < LEAST_CORES:
        return Outcome("risk", value, "use a machine or container with 2 cores or more", warns=True)
    return Outcome("ok", value)


def governor(facts: Facts) -> Outcome:
    """Whether CPUs run at the frequency that the work needs."""
    if facts.system == "darwin":
        return Outcome("unknown", "macOS chooses the frequency itself")
    if not facts.governors:
        return Outcome("unknown", "not visible here; the host of a virtual machine decides")
    value = ", ".join(facts.governors) + (f" ({facts.cpu_driver})" if facts.cpu_driver else "")
    slow = [name for name in facts.governors if name in _SLOW_GOVERNORS]
    if not slow or (slow == ["powersave"] and facts.cpu_driver in _OWN_POWERSAVE):
        return Outcome("ok", value)
    mend = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    return Outcome("risk", value, mend, warns="powersave" in slow)


def steal(facts: Facts) -> Outcome:
    """Whether the hypervisor gives our CPU time to others."""
    if facts.system == "darwin":
        return not_on_mac("steal time")
    if facts.steal is None:
        return not_told(facts)
    value = f"{100 * facts.steal:.1f} % over a second"
    if facts.steal >= STEAL_SHARE:
        return Outcome("risk", value, "use an instance with dedicated CPUs, or another host")
    return Outcome("ok", value)


def quota(facts: Facts) -> Outcome:
    """Whether a quota of a container or a systemd unit takes the CPU away in the middle of a call."""
    if facts.system == "darwin":
        return not_on_mac("CPU quotas")
    if facts.quota_cores is None:
        return not_told(facts)
    if math.isinf(facts.quota_cores):
        return Outcome("ok", "no quota")
    value = f"{facts.quota_cores:g} cores"
    throttled = facts.throttled_ms is not None and facts.throttled_ms >= THROTTLED_MS
    if throttled:
        value += f", throttled for {facts.throttled_ms:.0f} ms in a second"
    if throttled or facts.quota_cores < LEAST_CORES:
        mend = "raise it to 2 or more (docker --cpus 2, resources.limits.cpu, CPUQuota=200%), or remove it"
        return Outcome("risk", value, mend, warns=True)
    return Outcome("ok", value)


def load(facts: Facts) -> Outcome:
    """Whether others want the CPU at the same time."""
    if facts.load_1min is None or not facts.cores:
        return not_told(facts)
    value = f"load average {facts.load_1min:.1f} on {counted(facts.cores, 'core')}"
    if facts.busy_by_others is not None:
        value += f", others used {100 * facts.busy_by_others:.0f} % over a second"
    each = facts.load_1min / facts.cores
    if each >= LOAD_PER_CORE or (facts.busy_by_others or 0.0) >= MOST_BUSY:
        return Outcome("risk", value, _LOWER_LOAD, warns=each >= LATE_LOAD_PER_CORE)
    return Outcome("ok", value)


CPU_CHECKS = (
    Check(
        name="cores",
        effect="on one core, whatever else runs delays the caller's packets and the reading of the agent's",
        limit="risk below 2: the caller's Python thread fills a core at 12 to 16 calls on `sdk` (docs/scale.md), and "
        "the embedded stack's server, agents and recogniser need another",
        judge=cores,
    ),
    Check(
        name="governor",
        effect="a CPU that is slow to reach its frequency does the same work later: lag, and fewer calls at once",
        limit="risk for `conservative`, `ondemand` and `powersave`, except with drivers for which `powersave` means by "
        "load (Linux, admin-guide/pm/cpufreq)",
        judge=governor,
    ),
    Check(
        name="steal",
        effect="the host takes the CPU away in the middle of a call: packets leave late, turns are unfit",
        limit="risk from 5 %, the limit at which a run names it as what ran out (`harness/measure/fitness.py`)",
        judge=steal,
    ),
    Check(
        name="quota",
        effect="a process that has used its quota stops until the next period (up to 100 ms): turns are unfit",
        limit="risk below 2 cores, as for `cores`, or if it held processes back for 20 ms in a second, the limit at "
        "which a run names it (`harness/measure/fitness.py`)",
        judge=quota,
    ),
    Check(
        name="load",
        effect="calls wait for a CPU that others use: lag, unfit turns, and an agent on this machine answers later",
        limit="risk from a load average of 1 per core, or if others use 70 % (docs/scale.md plans with 30 % free). A "
        "run warns from 5 per core: there a loop met 3 to 10 % of its deadlines, one every 10 ms, over 20 ms late, "
        "and under 0.5 % at 3.5 to 5 (measured on two cores). A turn is unfit from 1 %",
        judge=load,
    ),
)
