"""`info`: one screen about the target; and the `info` of every group.

A group takes its `info` from :func:`info_command`; base, which has more to say, has its own.
"""

from __future__ import annotations

from scmictl import protocols
from scmictl.commands.command import Arguments, Column, Command, Output, Record, Rows
from scmictl.commands.context import Context

_COLUMNS = (
    Column("target", "target"),
    Column("transport.kind", "transport"),
    Column("features", "features"),
    Column("transport.queue_size", "queue size"),
    Column("transport.event_buffers", "event buffers"),
    Column("transport.message_size", "bytes a message"),
    Column("base.vendor", "vendor"),
    Column("base.sub_vendor", "sub-vendor"),
    Column("base.implementation_version", "firmware"),
    Column("base.version", "base protocol"),
    Column("base.agents", "agents"),
    Column("protocols", "protocols"),
)


def info(ctx: Context, args: Arguments) -> Output:
    """Show the connection, the platform behind it, and what it offers."""
    from scmictl.commands.survey import Survey  # which no other verb of a group needs

    link = ctx.agent.link
    facts = dict(link.facts)
    features = facts.pop("features", [])
    survey = Survey(ctx)
    identity = survey.identity()
    attributes = survey.attributes()
    agents = survey.agents(attributes.num_agents)
    ids = survey.protocol_ids(attributes.num_protocols)
    versions = survey.versions(ids)
    counts = survey.counts(ids)
    record: Record = {
        "target": link.uri,
        "transport": {
            "kind": link.kind,
            "p2a": link.p2a,
            "depth": link.depth,
            "message_size": link.message_size,
            **facts,
        },
        "features": features,
        "base": {**identity, "agents": agents},
        "protocols": [
            {
                "name": ctx.agent.protocols.id_name(number),
                "version": versions[number],
                "count": counts[number],
                "id": number,
                **survey.experimental(number, versions[number]),
            }
            for number in ids
        ],
    }
    return Rows([survey.finish(record)], _COLUMNS, many=False)


def info_command(name: str) -> Command:
    """Return the verb `info` of the group of the protocol ``name``."""

    def run(ctx: Context, args: Arguments) -> Output:
        from scmictl.commands.survey import Survey

        survey = Survey(ctx)
        record = survey.protocol(protocols.by_name(name))
        return Rows([survey.finish(record)], many=False)

    return Command(
        name,
        "info",
        f"show version and attributes of the {name} protocol, and which messages there are",
        run,
    )


COMMANDS = (
    Command(
        "",
        "info",
        "show the connection, the platform and its protocols on one screen",
        info,
        details="Protocols that scmictl does not speak are listed without a count.",
    ),
)
