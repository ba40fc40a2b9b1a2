"""`base`: who the platform is, its agents, and who may use what."""

from __future__ import annotations

from scmictl import protocols, values
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Record, Rows
from scmictl.commands.context import Context
from scmictl.commands.survey import Survey
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import RemoteProtocolError, UsageError
from scmictl.protocols import base
from scmictl.wire import Effect
from scmictl.wire.record import word_record

_ACCESS = ("allow", "deny")

_INFO = (
    Column("vendor", "vendor"),
    Column("sub_vendor", "sub-vendor"),
    Column("implementation_version", "firmware"),
    Column("version", "base protocol"),
    Column("agents", "agents"),
    Column("protocols", "protocols"),
    Column("messages", "messages"),
)
_AGENTS = (Column("id", "ID"), Column("name", "NAME"), Column("self", "SELF"))
_PROTOCOLS = (Column("id", "ID"), Column("name", "NAME"), Column("version", "VERSION"))


class _Agent:
    """An agent that was named on the command line; ``name`` is None where nobody knows it."""

    def __init__(self, id: int, name: str | None) -> None:
        self.id = id
        self.name = name

    def __str__(self) -> str:
        return f"agent {self.id}" + (f" ({self.name})" if self.name else "")


# --- reading --------------------------------------------------------------------------------------


def info(ctx: Context, args: Arguments) -> Output:
    """Show the platform's identity, agents and protocols, and what base implements."""
    survey = Survey(ctx)
    identity = survey.identity()
    attributes = survey.attributes()
    record: Record = {
        **identity,
        "agents": survey.agents(attributes.num_agents),
        "protocols": survey.protocols(attributes),
        "attributes": word_record(attributes, ctx.version(base.PROTOCOL)),
        "messages": survey.messages(base.PROTOCOL),
    }
    return Rows([survey.finish(record)], _INFO, many=False)


def agents(ctx: Context, args: Arguments) -> Output:
    """List the agents of the platform."""
    survey = Survey(ctx)
    count = survey.attributes().num_agents
    if not count:
        ctx.notice("the platform does not tell its agents (num_agents is 0)")
    return Rows(survey.agents(count), _AGENTS)


def protocols_(ctx: Context, args: Arguments) -> Output:
    """List the protocols that this agent can use."""
    survey = Survey(ctx)
    rows = survey.protocols(survey.attributes())
    broken = survey.error if isinstance(survey.error, RemoteProtocolError) else None
    return Rows(rows, _PROTOCOLS, error=broken)


# --- permissions ----------------------------------------------------------------------------------


def perms_device(ctx: Context, args: Arguments) -> Output:
    """Allow or deny an agent everything a device owns."""
    ctx.require(base.SetDevicePermissions)
    agent = _agent(ctx, args.agent)
    device = values.number(args.device)
    request = base.SetDevicePermissions(
        agent_id=agent.id, device_id=device, flags=_access(args.access)
    )
    ctx.call(request, what=f"{agent} loses all of device {device}")
    record = {"agent_id": agent.id, "agent": agent.name, "device_id": device}
    return Rows([{**record, "access": args.access}], many=False)


def perms_protocol(ctx: Context, args: Arguments) -> Output:
    """Allow or deny an agent one protocol of a device."""
    protocol = protocols.number_of(args.protocol)
    ctx.require(base.SetProtocolPermissions)
    name = ctx.agent.protocols.id_name(protocol)
    agent = _agent(ctx, args.agent)
    device = values.number(args.device)
    request = base.SetProtocolPermissions(
        agent_id=agent.id,
        device_id=device,
        command_id=base.CommandId(protocol_id=protocol),
        flags=_access(args.access),
    )
    ctx.call(request, what=f"{agent} loses the {name} protocol of device {device}")
    record = {"agent_id": agent.id, "agent": agent.name, "device_id": device, "protocol": name}
    return Rows([{**record, "access": args.access}], many=False)


def check_protocol(args: Arguments) -> None:
    """Raise UsageError for a protocol that does not exist."""
    protocols.number_of(args.protocol)


def reset_agent(ctx: Context, args: Arguments) -> Output:
    """Put back everything an agent has configured."""
    ctx.require(base.ResetAgentConfiguration)
    agent = _agent(ctx, args.agent)
    request = base.ResetAgentConfiguration(
        agent_id=agent.id, flags=base.ResetFlags(permissions_reset=args.permissions)
    )
    ctx.call(request, what=f"everything that {agent} has configured is put back")
    record = {"agent_id": agent.id, "agent": agent.name, "reset": True}
    return Rows([{**record, "permissions_reset": args.permissions}], many=False)


def _access(word: str) -> base.AccessFlags:
    return base.AccessFlags(access_type=base.Access[word.upper()])


def _agent(ctx: Context, word: str) -> _Agent:
    """Return the agent of this number or name; a number nobody knows is the platform's to refuse.

    Raises UsageError for an unknown or ambiguous name, and for what names several.
    """
    names: list[str | None] = []
    survey = None
    if not ctx.dry_run or not word[:1].isdigit():
        survey = Survey(ctx)
        known = survey.agents(survey.attributes().num_agents)
        names = [None, *(agent["name"] for agent in known)]
        if survey.error is not None:
            ctx.notice(f"not every agent could be asked for its name ({survey.error.message})")
    try:
        found = values.select(word, names, kind="agent")
    except UsageError:
        if survey is not None and survey.error is not None:
            # It may well exist: its name could not be read.
            raise survey.error from None
        raise
    if len(found) != 1:
        raise UsageError(f"{word!r} can mean several agents, expected one")
    return _Agent(found[0], names[found[0]] if found[0] < len(names) else None)


_AGENT = Arg("agent", "number or name of an agent", "id")
_DEVICE = Arg("device", "number of a device, from the firmware's tables", "number")
_ALLOW = Arg("access", "what to do", "choice", choices=_ACCESS)

COMMANDS = (
    Command("base", "info", "show who the platform is and what it offers", info),
    Command("base", "agents", "list the agents", agents),
    Command("base", "protocols", "list the protocols that this agent can use", protocols_),
    Command(
        "base",
        "perms device",
        "allow or deny an agent all of a device",
        perms_device,
        args=(_AGENT, _DEVICE, _ALLOW),
        effect=Effect.HURTS,
        details="Which number a device has is not told by SCMI: firmware tables say it.",
    ),
    Command(
        "base",
        "perms protocol",
        "allow or deny an agent one protocol of a device",
        perms_protocol,
        args=(_AGENT, _DEVICE, Arg("protocol", "name or number of a protocol"), _ALLOW),
        effect=Effect.HURTS,
        validate=check_protocol,
    ),
    Command(
        "base",
        "reset-agent",
        "put back everything an agent has configured",
        reset_agent,
        args=(_AGENT,),
        options=(Opt("--permissions", "also restore the permissions it had at the start"),),
        effect=Effect.HURTS,
    ),
    watch_command(
        "base",
        "stream the errors that the platform reports",
        Feed(base.ErrorEvent, (Column("agent_id", "AGENT"), Column("fields", "FIELDS"))),
    ),
)
