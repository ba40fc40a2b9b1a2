"""NXP's MISC protocol behaviour: controls, reset reasons, log, and what chip and firmware it is.

What the reference leaves open is decided like this. Setting fewer words than a control has leaves
the others; more are INVALID_PARAMETERS, as are a part of its further words that it does not have
all of, and more arguments than NXP's messages can hold. An action or further words that it does
not have are NOT_SUPPORTED. MISC_CONTROL_EVENT goes to all who want any of its events; that of a
control that is set, by whoever, goes to the causing agent too. The flags of MISC_SYSLOG are the
device's own and not looked at; past its end the log is empty. On a board without logical machines
the caller's reset reason is the system's. Resetting an agent puts controls back that it has set
last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform.behaviour import Behaviour, Call, Handler, Message, require
from scmictl.platform.board import SHORT, Table
from scmictl.platform.nxp import access, control, machine, reason
from scmictl.platform.nxp.access import Right, Wishes
from scmictl.platform.nxp.control import MOST_ARGUMENTS, MOST_EXTENDED, MOST_VALUES, U32, Control
from scmictl.protocols.nxp import misc
from scmictl.protocols.nxp.misc import DdrType
from scmictl.wire import Notification, Response, Status

if TYPE_CHECKING:
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port

U64 = (1 << 64) - 1
MOST_LOG = 0xFFF
MOST_PASSOVER = 23
MOST_REGIONS = 3
"""What the counts of the messages can tell."""
TYPES = {kind.name.lower(): kind for kind in DdrType}
WIDTHS = {16 << width: width for width in range(8)}
KEYS = ("value", "extended", "event")
"""What can be adjusted of a control by hand."""


class Misc(Behaviour):
    """The MISC protocol; ``controls`` are those of the device, then those of the board."""

    PROTOCOL = misc.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        own = board.table("nxp-misc").only(
            "control", "build", "silicon", "config", "board", "syslog", "passover", "ddr",
            "reset_reason", "ext_info",
        )  # fmt: skip
        self.controls = control.read(own, platform.agent_id)
        self.names = [one.name for one in self.controls]
        self.by_id = {one.id: position for position, one in enumerate(self.controls)}
        self.history = reason.at_start(board)
        self.build, self.silicon, self.config, self.board = _identity(own)
        self.log = control.words(own, "syslog", MOST_LOG) if "syslog" in own else None
        self.passover = control.words(own, "passover", MOST_PASSOVER) if "passover" in own else None
        self.ddr = _regions(own)
        self.wishes = Wishes()

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            misc.ProtocolAttributes: self.protocol_attributes,
            misc.ControlSet: self.control_set,
            misc.ControlGet: self.control_get,
            misc.ControlAction: self.control_action,
            misc.DiscoverBuildInfo: self.discover_build_info,
            misc.RomPassoverGet: self.rom_passover_get,
            misc.ControlNotify: self.control_notify,
            misc.ReasonAttributes: self.reason_attributes,
            misc.ResetReason: self.reset_reason,
            misc.SiInfo: self.si_info,
            misc.CfgInfo: self.cfg_info,
            misc.Syslog: self.syslog,
            misc.BoardInfo: self.board_info,
            misc.ControlExtSet: self.control_ext_set,
            misc.ControlExtGet: self.control_ext_get,
            misc.DdrInfoGet: self.ddr_info_get,
        }

    def needed(self) -> Mapping[Message, bool]:
        of_controls = (
            misc.ControlSet, misc.ControlGet, misc.ControlAction, misc.ControlNotify,
            misc.ControlExtSet, misc.ControlExtGet,
        )  # fmt: skip
        return {
            **dict.fromkeys(of_controls, bool(self.controls)),
            misc.DdrInfoGet: bool(self.ddr),
        }

    def reset(self, agent: int, now: float) -> None:
        for one in self.controls:
            if one.set_by == agent:
                one.put_back()
                self.raise_event(one, one.changed)

    # --- controls ---------------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: misc.ProtocolAttributes
    ) -> misc.ProtocolAttributesResponse:
        own = sum(one.board for one in self.controls)
        return misc.ProtocolAttributesResponse(
            attributes=misc.ProtocolAttributesWord(
                num_brd_ctrl=own,
                num_reason=len(reason.REASONS),
                num_dev_ctrl=len(self.controls) - own,
            )
        )

    def control_get(self, call: Call, request: misc.ControlGet) -> misc.ControlGetResponse:
        one = self.find(call, request.ctrl_id)
        one.rights.check(call, Right.GET)
        return misc.ControlGetResponse(num_val=len(one.words), val=list(one.words))

    def control_set(self, call: Call, request: misc.ControlSet) -> None:
        one = self.find(call, request.ctrl_id)
        require(len(request.val) <= len(one.words))
        one.rights.check(call, Right.EXCLUSIVE)
        one.words[: len(request.val)] = request.val
        self.touch(one, call.agent)

    def control_action(self, call: Call, request: misc.ControlAction) -> misc.ControlActionResponse:
        one = self.find(call, request.ctrl_id)
        require(len(request.arg) <= MOST_ARGUMENTS)
        require(request.action in one.actions, Status.NOT_SUPPORTED)
        one.rights.check(call, Right.EXCLUSIVE)
        returned = one.actions[request.action]
        call.fit(4, 4 * len(returned))  # what cannot be answered is not done
        one.action = request.action, list(request.arg)
        return misc.ControlActionResponse(num_rtn=len(returned), rtn=list(returned))

    def control_ext_get(
        self, call: Call, request: misc.ControlExtGet
    ) -> misc.ControlExtGetResponse:
        one = self.find(call, request.ctrl_id)
        end = request.addr + request.len
        require(request.len <= MOST_VALUES and (not one.extended or end <= len(one.extended)))
        require(one.extended, Status.NOT_SUPPORTED)
        one.rights.check(call, Right.GET)
        found = one.extended[request.addr : end]
        return misc.ControlExtGetResponse(num_val=len(found), val=found)

    def control_ext_set(self, call: Call, request: misc.ControlExtSet) -> None:
        one = self.find(call, request.ctrl_id)
        end = request.addr + request.len
        require(request.len == request.num_val <= MOST_EXTENDED)
        require(not one.extended or end <= len(one.extended))
        require(one.extended, Status.NOT_SUPPORTED)
        one.rights.check(call, Right.EXCLUSIVE)
        one.extended[request.addr : end] = request.val
        self.touch(one, call.agent)

    def control_notify(self, call: Call, request: misc.ControlNotify) -> None:
        one = self.find(call, request.ctrl_id)
        require(not request.flags & ~one.events)
        require(call.port.events, Status.NOT_SUPPORTED)
        one.rights.check(call, Right.NOTIFY)
        self.wishes.switch(call.port, misc.ControlEvent, self.by_id[one.id], request.flags)

    def touch(self, one: Control, agent: int) -> None:
        """Remember who has set a control, and tell those who want to know that it was."""
        one.set_by = agent
        self.raise_event(one, one.changed)

    def raise_event(self, one: Control, flags: int) -> None:
        """Raise MISC_CONTROL_EVENT for all who want any of the events in ``flags``."""
        position = self.by_id[one.id]

        def who(port: Port) -> bool:
            return bool(self.wishes.wanted(port, misc.ControlEvent, position) & flags)

        self.platform.notify(misc.ControlEvent(ctrl_id=one.id, flags=flags), position, who=who)

    def find(self, call: Call, id: int) -> Control:
        """Return the control; raises NOT_FOUND if it does not exist for the agent."""
        require(id in self.by_id, Status.NOT_FOUND)
        self.check(call, self.by_id[id], len(self.controls))
        return self.controls[self.by_id[id]]

    # --- reasons and the log ----------------------------------------------------------------------

    def reason_attributes(
        self, call: Call, request: misc.ReasonAttributes
    ) -> misc.ReasonAttributesResponse:
        require(request.reason_id < len(reason.REASONS), Status.NOT_FOUND)
        return misc.ReasonAttributesResponse(name=reason.REASONS[request.reason_id])

    def reset_reason(self, call: Call, request: misc.ResetReason) -> misc.ResetReasonResponse:
        require(not request.flags.reserved)
        history = self.history
        machines = machine.of(self.platform)
        if machines is not None and not request.flags.system:
            history = machines.machines[machines.homes[call.agent]].history
        return misc.ResetReasonResponse(**history.words())

    def syslog(self, call: Call, request: misc.Syslog) -> misc.SyslogResponse:
        require(self.log is not None, Status.NOT_SUPPORTED)
        assert self.log is not None
        left = self.log[request.log_index :]
        words = left[: call.fit(4)] if left else []
        return misc.SyslogResponse(
            num_log_flags=misc.NumLogFlags(remaining=len(left) - len(words), returned=len(words)),
            syslog=words,
        )

    # --- what it is -------------------------------------------------------------------------------

    def discover_build_info(self, call: Call, request: misc.DiscoverBuildInfo) -> Response:
        return _available(self.build)

    def si_info(self, call: Call, request: misc.SiInfo) -> Response:
        return self.silicon

    def cfg_info(self, call: Call, request: misc.CfgInfo) -> Response:
        return _available(self.config)

    def board_info(self, call: Call, request: misc.BoardInfo) -> Response:
        return _available(self.board)

    def rom_passover_get(
        self, call: Call, request: misc.RomPassoverGet
    ) -> misc.RomPassoverGetResponse:
        require(self.passover is not None, Status.NOT_SUPPORTED)
        assert self.passover is not None
        return misc.RomPassoverGetResponse(
            num_passover=len(self.passover), passover=list(self.passover)
        )

    def ddr_info_get(self, call: Call, request: misc.DdrInfoGet) -> misc.DdrInfoGetResponse:
        require(request.ddr_rgd_id < len(self.ddr), Status.NOT_FOUND)
        return self.ddr[request.ddr_rgd_id]

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.controls[resource]
        return {
            "ctrl_id": one.id,
            "value": [f"{word:#010x}" for word in one.words],
            "extended": {
                f"{at:#x}": f"{word:#010x}" for at, word in enumerate(one.extended) if word
            },
            "events": f"{one.events:#x}",
            "action": one.action and {"action": one.action[0], "arg": one.action[1]},
        }

    def subject(self, event: Notification) -> int:
        assert isinstance(event, misc.ControlEvent)
        return self.by_id.get(event.ctrl_id, -1)

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        """Set words of a control (``value=1,2``, ``extended=ADDR:WORD,…``), or raise an event."""
        one = self.controls[resource]
        if key == "event":
            flags = access.number(key, text, U32)
            if not flags or flags & ~one.events:
                raise UsageError(f"event is {text}, expected some of the bits {one.events:#x}")
            self.raise_event(one, flags)
            return
        if key == "value":
            first, place = 0, one.words
        elif key == "extended":
            at, _, text = text.rpartition(":")
            first, place = access.number(key, at or "0", U32), one.extended
        else:
            raise values.unknown("key", key, KEYS)
        words = [access.number(key, word, U32) for word in text.split(",")]
        if first + len(words) > len(place):
            raise UsageError(f"{key} has {len(place)} words, found {first + len(words)}")
        place[first : first + len(words)] = words
        self.raise_event(one, one.changed)


def _available(answer: Response | None) -> Response:
    require(answer is not None, Status.NOT_SUPPORTED)
    assert answer is not None
    return answer


def _identity(
    own: Table,
) -> tuple[
    misc.DiscoverBuildInfoResponse | None,
    misc.SiInfoResponse,
    misc.CfgInfoResponse | None,
    misc.BoardInfoResponse | None,
]:
    build = own.table("build").only("number", "commit", "date", "time")
    silicon = own.table("silicon").only("device_id", "revision", "part", "name")
    config = own.table("config").only("msel", "name")
    board = own.table("board").only("attributes", "name")
    return (
        misc.DiscoverBuildInfoResponse(
            build_num=build.integer("number", 0, U32),
            build_commit=build.integer("commit", 0, U32),
            build_date=build.text("date", longest=SHORT),
            build_time=build.text("time", longest=SHORT),
        )
        if "build" in own
        else None,
        misc.SiInfoResponse(
            device_id=silicon.integer("device_id", 0, U32, 0),
            si_rev=silicon.integer("revision", 0, U32, 0),
            part_num=silicon.integer("part", 0, U32, 0),
            si_name=silicon.text("name", "i.MX95", longest=SHORT),
        ),
        misc.CfgInfoResponse(
            msel=config.integer("msel", 0, U32, 0), cfg_name=config.text("name", longest=SHORT)
        )
        if "config" in own
        else None,
        misc.BoardInfoResponse(
            attributes=board.integer("attributes", 0, U32, 0),
            brd_name=board.text("name", longest=SHORT),
        )
        if "board" in own
        else None,
    )


def _regions(own: Table) -> list[misc.DdrInfoGetResponse]:
    rows = own.tables("ddr")
    if len(rows) > MOST_REGIONS:
        raise own.error("ddr", f"at most {MOST_REGIONS} regions", str(len(rows)))
    regions = []
    for row in rows:
        row.only("type", "width", "ecc", "mts", "start", "end")
        width = row.integer("width", 16, 16 << 7, 32)
        if width not in WIDTHS:
            raise row.error("width", "16 bits, or that doubled up to seven times")
        start = row.integer("start", 0, U64)
        regions.append(
            misc.DdrInfoGetResponse(
                attributes=misc.DdrAttributes(
                    ecc=row.flag("ecc", False),
                    num_regions=len(rows),
                    width=WIDTHS[width],
                    type=TYPES[row.choice("type", tuple(TYPES), "lpddr5")],
                ),
                mts=row.integer("mts", 0, U32),
                start=start,
                end=row.integer("end", start, U64),
            )
        )
    return regions


BEHAVIOUR = Misc
