"""NXP's BBM protocol behaviour: real-time clocks with alarms, a button, words that survive.

What the reference leaves open is decided like this. The resources are the clocks, then the words of
storage (``gpr0`` and so on), then the button, and agents have rights to each. Ticks and seconds
count the same time. There is one alarm for each logical machine, or for each agent on a board
without them; it goes off once, at once if its time has been passed, and then tells the agents of
the machine. BBM_RTC_EVENT of an update goes to all agents but the one that set the clock, that of
a rollover to all; BBM_BUTTON_EVENT tells that the button was pressed or released. The time of an
alarm that is switched off is not looked at. Resetting an agent switches the alarm off that it has
set; the clocks and the storage stay as they are, which is what they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.platform.behaviour import Behaviour, Call, Handler, Message, require
from scmictl.platform.board import Table, unique
from scmictl.platform.nxp import access, machine
from scmictl.platform.nxp.access import Right, Wishes
from scmictl.platform.nxp.rtc import Rtc
from scmictl.platform.timer import Timer
from scmictl.protocols.nxp import bbm
from scmictl.protocols.nxp.bbm import Button
from scmictl.wire import Notification, Status

if TYPE_CHECKING:
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port

U32 = 0xFFFFFFFF
MOST_RTCS = 255
MOST_WORDS = 0xFFFF
RTC_KEYS = ("time", "lost", "battery_low")
"""What can be adjusted of a clock by hand."""
ALARM = bbm.RtcNotifyFlags(alarm=True)
ROLLOVER = bbm.RtcNotifyFlags(rollover=True)
UPDATE = bbm.RtcNotifyFlags(update=True)


class Bbm(Behaviour):
    """The BBM protocol; ``words`` is the storage, ``pressed`` None on a board without a button."""

    PROTOCOL = bbm.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        own = board.table("nxp-bbm").only("rtc", "gpr", "gpr_rights", "button", "button_rights")
        rows = own.tables("rtc")
        if len(rows) > MOST_RTCS:
            raise own.error("rtc", f"at most {MOST_RTCS} clocks", str(len(rows)))
        keys = "name", "time", "sec_width", "tick_width", "ticks", "lost", "battery_low", "rights"
        self.rtcs = [Rtc(id, row.only(*keys)) for id, row in enumerate(rows)]
        self.words = [0] * own.integer("gpr", 0, MOST_WORDS, 0)
        self.pressed = False if own.flag("button", False) else None
        self.names = [
            *(rtc.name for rtc in self.rtcs),
            *(f"gpr{index}" for index in range(len(self.words))),
            *(["button"] if self.pressed is not None else []),
        ]
        unique(zip(rows, self.names, strict=False))
        self.rights = [access.read(row, platform.agent_id) for row in rows]
        self.word_rights = access.read(own, platform.agent_id, "gpr_rights")
        self.button_rights = access.read(own, platform.agent_id, "button_rights")
        self.wishes = Wishes()
        self._timers: dict[int, Timer] = {}
        self._set_by: dict[tuple[int, int], int] = {}

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            bbm.ProtocolAttributes: self.protocol_attributes,
            bbm.GprSet: self.gpr_set,
            bbm.GprGet: self.gpr_get,
            bbm.RtcAttributes: self.rtc_attributes,
            bbm.RtcTimeSet: self.rtc_time_set,
            bbm.RtcTimeGet: self.rtc_time_get,
            bbm.RtcAlarmSet: self.rtc_alarm_set,
            bbm.ButtonGet: self.button_get,
            bbm.RtcNotify: self.rtc_notify,
            bbm.ButtonNotify: self.button_notify,
            bbm.RtcState: self.rtc_state,
        }

    def needed(self) -> Mapping[Message, bool]:
        words, clocks = bool(self.words), bool(self.rtcs)
        return {
            bbm.GprSet: words,
            bbm.GprGet: words,
            bbm.RtcAttributes: clocks,
            bbm.RtcTimeSet: clocks,
            bbm.RtcTimeGet: clocks,
            bbm.RtcAlarmSet: clocks,
            bbm.RtcNotify: clocks,
            bbm.RtcState: clocks,
            bbm.ButtonGet: self.pressed is not None,
            bbm.ButtonNotify: self.pressed is not None,
        }

    def reset(self, agent: int, now: float) -> None:
        for (id, owner), setter in list(self._set_by.items()):
            if setter == agent:
                self.rtcs[id].clear_alarm(owner)
                del self._set_by[id, owner]
                self.arm(self.rtcs[id], now)

    # --- storage ----------------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: bbm.ProtocolAttributes
    ) -> bbm.ProtocolAttributesResponse:
        return bbm.ProtocolAttributesResponse(
            attributes=bbm.ProtocolAttributesWord(num_rtc=len(self.rtcs), num_gpr=len(self.words))
        )

    def gpr_get(self, call: Call, request: bbm.GprGet) -> bbm.GprGetResponse:
        self.check_word(call, request.index)
        self.word_rights.check(call, Right.GET)
        return bbm.GprGetResponse(value=self.words[request.index])

    def gpr_set(self, call: Call, request: bbm.GprSet) -> None:
        self.check_word(call, request.index)
        self.word_rights.check(call, Right.EXCLUSIVE)
        self.words[request.index] = request.value

    def check_word(self, call: Call, index: int) -> None:
        """Raise NOT_FOUND unless the word of storage exists for the agent."""
        require(index < len(self.words), Status.NOT_FOUND)
        self.check(call, len(self.rtcs) + index, len(self.names))

    # --- clocks -----------------------------------------------------------------------------------

    def rtc_attributes(self, call: Call, request: bbm.RtcAttributes) -> bbm.RtcAttributesResponse:
        rtc = self.find(call, request.rtc_id)
        return bbm.RtcAttributesResponse(attributes=rtc.attributes, name=rtc.name)

    def rtc_state(self, call: Call, request: bbm.RtcState) -> bbm.RtcStateResponse:
        rtc = self.find(call, request.rtc_id)
        return bbm.RtcStateResponse(
            state=bbm.RtcStateWord(battery_low=rtc.battery_low, reset=rtc.lost)
        )

    def rtc_time_get(self, call: Call, request: bbm.RtcTimeGet) -> bbm.RtcTimeGetResponse:
        rtc = self.find(call, request.rtc_id)
        require(not request.flags.reserved)
        uptime_us = self.platform.uptime_us(call.now)
        return bbm.RtcTimeGetResponse(
            time=rtc.read(uptime_us) if request.flags.ticks else rtc.seconds(uptime_us)
        )

    def rtc_time_set(self, call: Call, request: bbm.RtcTimeSet) -> None:
        rtc = self.find(call, request.rtc_id)
        ticks = request.time if request.flags.ticks else request.time * rtc.ticks
        require(not request.flags.reserved and ticks < rtc.seconds_end * rtc.ticks)
        self.rights[rtc.id].check(call, Right.EXCLUSIVE)
        self.set_time(rtc, ticks, call.agent, call.now)

    def rtc_alarm_set(self, call: Call, request: bbm.RtcAlarmSet) -> None:
        rtc = self.find(call, request.rtc_id)
        enable = request.flags.enable
        require(not request.flags.reserved)
        require(not enable or request.time < rtc.seconds_end)
        self.rights[rtc.id].check(call, Right.PRIV)
        owner = self.owner(call.agent)
        if enable:
            rtc.set_alarm(owner, request.time, self.platform.uptime_us(call.now))
            self._set_by[rtc.id, owner] = call.agent
        else:
            rtc.clear_alarm(owner)
            self._set_by.pop((rtc.id, owner), None)
        self.arm(rtc, call.now)

    def rtc_notify(self, call: Call, request: bbm.RtcNotify) -> None:
        rtc = self.find(call, request.rtc_id)
        require(not request.flags.reserved)
        require(call.port.events, Status.NOT_SUPPORTED)
        self.rights[rtc.id].check(call, Right.NOTIFY)
        self.wishes.switch(call.port, bbm.RtcEvent, rtc.id, request.flags)

    def set_time(self, rtc: Rtc, ticks: int, agent: int, now: float) -> None:
        """Set a clock on account of an agent, and tell the others."""
        rtc.set(ticks, self.platform.uptime_us(now))
        self.tell(rtc, UPDATE, but=agent)
        self.arm(rtc, now)

    def owner(self, agent: int) -> int:
        """Return whose the alarm of an agent is: its machine, or the agent alone."""
        home = machine.home(self.platform, agent)
        return agent if home is None else home

    def arm(self, rtc: Rtc, now: float) -> None:
        """Do what is due at a clock, and have the platform come back for the next."""
        uptime_us = self.platform.uptime_us(now)
        owners, rolled = rtc.due(uptime_us)
        for owner in owners:
            self._set_by.pop((rtc.id, owner), None)
            self.tell(rtc, ALARM, owner=owner)
        if rolled:
            self.tell(rtc, ROLLOVER)
        if rtc.id in self._timers:
            self.platform.timers.cancel(self._timers.pop(rtc.id))
        if rtc.alarms or self.platform.listened(bbm.RtcEvent, rtc.id):
            # A microsecond more, so that rounding never makes it a moment early.
            due = now + (rtc.next_us(uptime_us) + 1) / 1_000_000
            self._timers[rtc.id] = self.platform.timers.add(due, partial(self.arm, rtc))

    def subscribed(self, event: type[Notification], resource: int, now: float) -> None:
        if event is bbm.RtcEvent:
            rtc = self.rtcs[resource]
            if rtc.id not in self._timers:
                # Nobody has looked until now: what has passed since is no news.
                rtc.due(self.platform.uptime_us(now))
            self.arm(rtc, now)

    def tell(
        self, rtc: Rtc, what: int, *, owner: int | None = None, but: int | None = None
    ) -> None:
        """Raise BBM_RTC_EVENT for those who want it; with ``owner`` only for its agents."""

        def who(port: Port) -> bool:
            return bool(self.wishes.wanted(port, bbm.RtcEvent, rtc.id) & what) and (
                owner is None or self.owner(port.agent) == owner
            )

        flags = bbm.RtcEventFlags(what, rtc_id=rtc.id)
        self.platform.notify(bbm.RtcEvent(flags=flags), rtc.id, but=but, who=who)

    # --- the button -------------------------------------------------------------------------------

    def button_get(self, call: Call, request: bbm.ButtonGet) -> bbm.ButtonGetResponse:
        self.check(call, self.button, len(self.names))
        return bbm.ButtonGetResponse(state=Button.ON if self.pressed else Button.OFF)

    def button_notify(self, call: Call, request: bbm.ButtonNotify) -> None:
        self.check(call, self.button, len(self.names))
        require(not request.flags.reserved)
        require(call.port.events, Status.NOT_SUPPORTED)
        self.button_rights.check(call, Right.NOTIFY)
        self.platform.subscribe(call.port, bbm.ButtonEvent, self.button, bool(request.flags.enable))

    @property
    def button(self) -> int:
        """The number of the resource that stands for the button, if there is one: the last."""
        return len(self.names) - 1

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        if resource < len(self.rtcs):
            rtc = self.rtcs[resource]
            return {
                "time_s": rtc.seconds(self.platform.uptime_us(self.platform.now)),
                "lost": rtc.lost,
                "battery_low": rtc.battery_low,
                "alarms_s": {self.called(owner): time for owner, time in rtc.alarms.items()},
            }
        index = resource - len(self.rtcs)
        if index < len(self.words):
            return {"value": self.words[index]}
        return {"state": "on" if self.pressed else "off"}

    def subject(self, event: Notification) -> int:
        return self.button if isinstance(event, bbm.ButtonEvent) else super().subject(event)

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        index = resource - len(self.rtcs)
        if index < 0:
            self.adjust_rtc(self.rtcs[resource], key, text, now)
        elif index < len(self.words):
            if key != "value":
                raise values.unknown("key", key, ("value",))
            self.words[index] = access.number(key, text, U32)
        else:
            if key != "state":
                raise values.unknown("key", key, ("state",))
            pressed = access.switch(text)
            if pressed != self.pressed:
                self.pressed = pressed
                detected = bbm.ButtonEventFlags(detected=True)
                self.platform.notify(bbm.ButtonEvent(flags=detected), resource)

    def adjust_rtc(self, rtc: Rtc, key: str, text: str, now: float) -> None:
        """Change a clock by hand: its time in seconds, or what BBM_RTC_STATE tells of it."""
        if key == "time":
            seconds = access.number(key, text, rtc.seconds_end - 1)
            self.set_time(rtc, seconds * rtc.ticks, 0, now)
        elif key == "lost":
            rtc.lost = access.switch(text)
        elif key == "battery_low":
            rtc.battery_low = access.switch(text)
        else:
            raise values.unknown("key", key, RTC_KEYS)

    def called(self, owner: int) -> str:
        """Return the name of whose an alarm is."""
        machines = machine.of(self.platform)
        return self.platform.by_agent[owner].name if machines is None else machines.names[owner]

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Rtc:
        """Return the clock; raises NOT_FOUND if it does not exist for the agent."""
        self.check(call, id, len(self.rtcs))
        return self.rtcs[id]


BEHAVIOUR = Bbm
