"""What agents are told of a power capping domain: its attributes, ranges and limits."""

from __future__ import annotations

from scmictl.platform.behaviour import Call
from scmictl.platform.board import SHORT
from scmictl.platform.budget import LIMITS, Domain, Limit
from scmictl.protocols import powercap


def describe(
    call: Call, one: Domain, parent: Domain | None, asynchronous: bool
) -> powercap.DomainAttributesResponse:
    """Return the description of a domain in the version in force.

    ``parent`` is who the agent may know to be above it, ``asynchronous`` whether its cap can be set
    that way over this connection.
    """
    pai, caps = one.pai.range, one.caps
    # A domain without a cap has no interval of it either, but a range of 0 would not be legal.
    cai = one.limits[0].cai.range if one.limits else pai
    return powercap.DomainAttributesResponse(
        attributes=_abilities(call, one, asynchronous),
        name=one.name[:SHORT],
        min_pai=pai.lowest,
        max_pai=pai.highest,
        pai_step=pai.step,
        min_power_cap=caps.lowest,
        max_power_cap=caps.highest,
        power_cap_step=caps.step,
        sustainable_power=one.sustainable,
        accuracy=one.accuracy,
        parent_id=powercap.NO_PARENT if parent is None else parent.id,
        min_cai=cai.lowest,
        max_cai=cai.highest,
        cai_step=cai.step,
    )


def _abilities(call: Call, one: Domain, asynchronous: bool) -> powercap.DomainAttributesWord:
    notify = one.notify and call.port.events
    word = powercap.DomainAttributesWord(
        measurements_change_notify=notify and one.monitoring,
        async_cap_set=asynchronous,
        extended_name=len(one.name) > SHORT,
        cap_configurable=one.configurable,
        monitoring=one.monitoring,
        power_unit=one.unit,
        fastchannel=one.fastchannel,
    )
    if call.version < LIMITS:
        return powercap.DomainAttributesWord(
            word, cap_pai_change_notify=notify, pai_configurable=one.pai.range.configurable
        )
    # The range of the interval that is told here is the first limit's, so the bit is about it too.
    first = bool(one.limits) and one.limits[0].cai.range.configurable
    several = any(limit.cai.range.configurable for limit in one.limits)
    return powercap.DomainAttributesWord(
        word,
        mai_change_notify=notify and one.monitoring and one.pai.range.configurable,
        mai_configurable=one.pai.range.configurable,
        cap_change_notify=notify and bool(one.limits),
        cai_configurable=first,
        cai_change_notify=notify and several,
        num_cpls=len(one.limits),
    )


def limit(number: int, one: Limit) -> powercap.CplDescription:
    """Return the descriptor of one of a domain's limits."""
    return powercap.CplDescription(
        cpli=number,
        flags=powercap.CplFlags(cap_configurable=one.caps.configurable),
        min_power_cap=one.caps.lowest,
        max_power_cap=one.caps.highest,
        power_cap_step=one.caps.step,
        min_cai=one.cai.range.lowest,
        max_cai=one.cai.range.highest,
        cai_step=one.cai.range.step,
        name=one.name[:SHORT],
    )
