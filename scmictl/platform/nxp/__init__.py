"""Behaviours of the protocols of NXP's System Manager for i.MX95 (reference part B, section 8).

One file per protocol, with the names of ``protocols/nxp``; ``access`` has what they share: the
rights of agents, and notifications of which an agent wants only some. ``machine`` has the logical
machines, which the other protocols ask for by :func:`~scmictl.platform.nxp.machine.home`. A board
with any of their tables is one of the vendor NXP and the sub-vendor IMX.
"""
