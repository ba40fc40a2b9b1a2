"""NXP's FuSa protocol behaviour: the states of safety environments, and faults.

What the reference leaves open is decided like this. An S-EENV is an agent of the board; everything
but the counts is NOT_SUPPORTED for the others, once what they name has been found. The F-EENV is
the platform: a hand changes its state, sets and clears faults, and asks the S-EENVs for their
states, as the platform itself does every ``ping``. FUSA_SEENV_STATE_REQ_EVENT, which has no switch
of its own, goes to the S-EENVs that have switched FUSA_FEENV_STATE_EVENT on. A wrong cookie is
recorded, no error. FUSA_FAULT_SET does what NXP's text says: 0 sets, 1 and 2 clear the fault, 3
leaves it set. FUSA_FAULT_EVENT is raised for changes only, to the causing agent too. The safety
checks are recorded, and check nothing. Resetting an agent ends its subscriptions and nothing else:
what it has reported stays true.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.platform.behaviour import Behaviour, Call, Handler, Message, require
from scmictl.platform.board import LONG, Table, unique
from scmictl.platform.nxp import access, machine
from scmictl.platform.nxp.access import Right
from scmictl.platform.timer import Timer
from scmictl.protocols.nxp import fusa
from scmictl.protocols.nxp.fusa import FaultChange, FaultState, FeenvState, SeenvState
from scmictl.wire import Notification, Status

if TYPE_CHECKING:
    from scmictl.platform.platform import Platform

U32 = 0xFFFFFFFF
MOST_FAULTS = 0xFFFF
MOST_SEENVS = 255
GROUP = 32
"""The faults that one FUSA_FAULT_GROUP_NOTIFY can name."""
FEENV_STATES = {state.name.lower(): state for state in FeenvState}
SEENV_STATES = {state.name.lower(): state for state in SeenvState}
REMEMBERED = 256
"""Tests of the safety checks kept; the older ones go."""
FEENV = "feenv"
"""The name of the resource that stands for the F-EENV; it comes after the faults and S-EENVs."""


class Seenv:
    """An S-EENV: ``agent`` is who it is, ``cookie`` what it has sent with its last report."""

    __slots__ = ("agent", "cookie", "name", "state")

    def __init__(self, row: Table, platform: Platform) -> None:
        row.only("agent", "state")
        self.name = row.text("agent")
        self.agent = platform.agent_id(row, "agent", self.name)
        self.state: int = SEENV_STATES[row.choice("state", tuple(SEENV_STATES), "init")]
        self.cookie: int | None = None


class Fault:
    """A fault; ``change`` is what was done to it last."""

    __slots__ = ("change", "is_set", "name", "rights")

    def __init__(self, row: Table, platform: Platform) -> None:
        row.only("name", "set", "rights")
        self.name = row.text("name", longest=LONG)
        self.is_set = row.flag("set", False)
        self.rights = access.read(row, platform.agent_id)
        self.change: FaultChange | None = None


class Fusa(Behaviour):
    """The FuSa protocol; ``faults`` and ``seenvs`` by id, ``feenv`` the state of the F-EENV."""

    PROTOCOL = fusa.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        own = board.table("nxp-fusa").only("state", "msel", "ping", "rights", "seenv", "fault")
        self.feenv = FEENV_STATES[own.choice("state", tuple(FEENV_STATES), "init")]
        self.msel = own.integer("msel", 0, U32, 0)
        self.ping = own.time("ping").seconds if "ping" in own else None
        self.rights = access.read(own, platform.agent_id)
        rows, environments = own.tables("fault"), own.tables("seenv")
        if len(rows) > MOST_FAULTS:
            raise own.error("fault", f"at most {MOST_FAULTS} faults", str(len(rows)))
        if len(environments) > MOST_SEENVS:
            raise own.error("seenv", f"at most {MOST_SEENVS} S-EENVs", str(len(environments)))
        self.faults = [Fault(row, platform) for row in rows]
        self.seenvs = [Seenv(row, platform) for row in environments]
        unique(zip(rows, (fault.name for fault in self.faults), strict=True))
        unique(zip(environments, (seenv.name for seenv in self.seenvs), strict=True), "agent")
        self.names = [
            *(fault.name for fault in self.faults),
            *(f"seenv-{seenv.name}" for seenv in self.seenvs),
            FEENV,
        ]
        for row, fault in zip(rows, self.faults, strict=True):
            if fault.name in self.names[len(rows) :]:
                raise row.error("name", "a name that is not that of an environment")
        self.by_agent = {seenv.agent: id for id, seenv in enumerate(self.seenvs)}
        self.cookie = 0
        self.tests: deque[int] = deque(maxlen=REMEMBERED)
        self.triggers = 0
        self._timer: Timer | None = None

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            fusa.ProtocolAttributes: self.protocol_attributes,
            fusa.FeenvStateGet: self.feenv_state_get,
            fusa.FeenvStateNotify: self.feenv_state_notify,
            fusa.SeenvStateGet: self.seenv_state_get,
            fusa.SeenvStateSet: self.seenv_state_set,
            fusa.FaultGet: self.fault_get,
            fusa.FaultSet: self.fault_set,
            fusa.FaultGroupNotify: self.fault_group_notify,
            fusa.ScheckEvntrig: self.scheck_evntrig,
            fusa.ScheckTestExec: self.scheck_test_exec,
        }

    def subscribed(self, event: type[Notification], resource: int, now: float) -> None:
        if event is fusa.SeenvStateReqEvent and self.ping is not None:
            listened = self.platform.listened(event, resource)
            if listened and self._timer is None:
                self._timer = self.platform.timers.add(now + self.ping, self.ask_again)
            elif not listened and self._timer is not None:
                self.platform.timers.cancel(self._timer)
                self._timer = None

    # --- environments -----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: fusa.ProtocolAttributes
    ) -> fusa.ProtocolAttributesResponse:
        homes = {machine.home(self.platform, seenv.agent) for seenv in self.seenvs}
        return fusa.ProtocolAttributesResponse(
            attributes1=fusa.ProtocolAttributesWord(
                num_fault=len(self.faults), num_seenv_id=len(self.seenvs), num_seenv_lm=len(homes)
            )
        )

    def feenv_state_get(
        self, call: Call, request: fusa.FeenvStateGet
    ) -> fusa.FeenvStateGetResponse:
        self.check(call, self.feenv_id, len(self.names))
        self.require_seenv(call)
        self.rights.check(call, Right.GET)
        return fusa.FeenvStateGetResponse(feenv_state=self.feenv, msel_mode=self.msel)

    def feenv_state_notify(self, call: Call, request: fusa.FeenvStateNotify) -> None:
        word = request.notify_enable
        self.check(call, self.feenv_id, len(self.names))
        require(not word.reserved)
        self.require_seenv(call)
        require(call.port.events, Status.NOT_SUPPORTED)
        self.rights.check(call, Right.NOTIFY)
        for event in (fusa.FeenvStateEvent, fusa.SeenvStateReqEvent):
            self.platform.subscribe(call.port, event, self.feenv_id, bool(word.enable))

    def seenv_state_get(
        self, call: Call, request: fusa.SeenvStateGet
    ) -> fusa.SeenvStateGetResponse:
        id = request.seenv_id
        if id == fusa.SELF:
            require(call.agent in self.by_agent, Status.NOT_FOUND)
            id = self.by_agent[call.agent]
        require(id < len(self.seenvs), Status.NOT_FOUND)
        self.check(call, len(self.faults) + id, len(self.names))
        self.require_seenv(call)
        seenv = self.seenvs[id]
        return fusa.SeenvStateGetResponse(
            seenv_id=id,
            lm_id=machine.home(self.platform, seenv.agent) or 0,
            seenv_state=seenv.state,
        )

    def seenv_state_set(self, call: Call, request: fusa.SeenvStateSet) -> None:
        require(request.seenv_state <= max(SeenvState))
        self.require_seenv(call)
        seenv = self.seenvs[self.by_agent[call.agent]]
        seenv.state, seenv.cookie = request.seenv_state, request.ping_cookie

    def ask(self) -> None:
        """Ask the S-EENVs for their states."""
        self.cookie = (self.cookie + 1) & U32
        event = fusa.SeenvStateReqEvent(ping_cookie=self.cookie)
        self.platform.notify(event, self.feenv_id)

    def ask_again(self, now: float) -> None:
        """Ask the S-EENVs for their states, and come back for the next time."""
        assert self.ping is not None
        self.ask()
        self._timer = self.platform.timers.add(now + self.ping, self.ask_again)

    @property
    def feenv_id(self) -> int:
        """The number of the resource that stands for the F-EENV."""
        return len(self.names) - 1

    # --- faults -----------------------------------------------------------------------------------

    def fault_get(self, call: Call, request: fusa.FaultGet) -> fusa.FaultGetResponse:
        fault = self.find(call, request.fault_id)
        self.require_seenv(call)
        fault.rights.check(call, Right.GET)
        return fusa.FaultGetResponse(flags=fusa.FaultFlags(set=fault.is_set))

    def fault_set(self, call: Call, request: fusa.FaultSet) -> None:
        fault = self.find(call, request.fault_id)
        require(not request.flags.reserved)
        self.require_seenv(call)
        fault.rights.check(call, Right.EXCLUSIVE)
        self.change(request.fault_id, FaultChange(request.flags.state))

    def change(self, id: int, change: FaultChange) -> None:
        """Set or clear a fault, and tell those who listen."""
        fault = self.faults[id]
        fault.change = change
        is_set = change in (FaultChange.SET, FaultChange.NOT_RECOVERABLE)
        if is_set != fault.is_set:
            fault.is_set = is_set
            state = FaultState.DETECTED if is_set else FaultState.RESOLVED
            flags = fusa.FaultEventFlags(state=state)
            self.platform.notify(fusa.FaultEvent(fault_id=id, flags=flags), id)

    def fault_group_notify(
        self, call: Call, request: fusa.FaultGroupNotify
    ) -> fusa.FaultGroupNotifyResponse:
        first = request.fault_id_first
        call.fit(4, 4)  # what cannot be answered is not done
        self.find(call, first)
        self.require_seenv(call)
        require(call.port.events, Status.NOT_SUPPORTED)
        group = range(first, min(first + GROUP, len(self.faults)))
        named = [id for id in group if request.fault_mask >> id - first & 1]
        permitted = [
            id
            for id in named
            if self.visible(call.agent, id)
            and self.faults[id].rights.of(call.agent) >= Right.NOTIFY
        ]
        require(permitted or not named, Status.DENIED)
        for id in permitted:
            enable = bool(request.notify_enable >> id - first & 1)
            self.platform.subscribe(call.port, fusa.FaultEvent, id, enable)
        on = (id for id in group if (fusa.FaultEvent, id) in call.port.subscriptions)
        return fusa.FaultGroupNotifyResponse(
            fault_id_first=first, notify_enabled=sum(1 << id - first for id in on)
        )

    # --- safety checks ----------------------------------------------------------------------------

    def scheck_evntrig(self, call: Call, request: fusa.ScheckEvntrig) -> None:
        self.require_seenv(call)
        self.rights.check(call, Right.EXCLUSIVE)
        self.triggers += 1

    def scheck_test_exec(self, call: Call, request: fusa.ScheckTestExec) -> None:
        self.require_seenv(call)
        self.rights.check(call, Right.EXCLUSIVE)
        self.tests.append(request.target_test_id)

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        if resource < len(self.faults):
            fault = self.faults[resource]
            return {"set": fault.is_set, "change": fault.change and fault.change.name.lower()}
        if resource < self.feenv_id:
            seenv = self.seenvs[resource - len(self.faults)]
            return {
                "state": SeenvState(seenv.state).name.lower(),
                "lm_id": machine.home(self.platform, seenv.agent),
                "cookie": seenv.cookie,
                "answered": seenv.cookie == self.cookie,
            }
        return {
            "state": self.feenv.name.lower(),
            "msel": self.msel,
            "cookie": self.cookie,
            "triggers": self.triggers,
            "tests": list(self.tests),
        }

    def subject(self, event: Notification) -> int:
        return super().subject(event) if isinstance(event, fusa.FaultEvent) else self.feenv_id

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        """Set a fault; set what an S-EENV reports; set the F-EENV's state, or have it ask."""
        if resource < len(self.faults):
            self.only(key, "set")
            change = FaultChange.SET if access.switch(text) else FaultChange.CLEAR
            self.change(resource, change)
        elif resource < self.feenv_id:
            self.only(key, "state")
            if text not in SEENV_STATES:
                raise values.unknown("state", text, SEENV_STATES)
            self.seenvs[resource - len(self.faults)].state = SEENV_STATES[text]
        else:
            self.only(key, "state", "msel", "ask")
            self.adjust_feenv(key, text)

    def adjust_feenv(self, key: str, text: str) -> None:
        """Change the F-EENV by hand; ``ask=on`` has the S-EENVs asked for their states."""
        if key == "ask":
            if access.switch(text):
                self.ask()
            return
        feenv, msel = self.feenv, self.msel
        if key == "msel":
            msel = access.number(key, text, U32)
        elif text in FEENV_STATES:
            feenv = FEENV_STATES[text]
        else:
            raise values.unknown("state", text, FEENV_STATES)
        if (feenv, msel) != (self.feenv, self.msel):
            self.feenv, self.msel = feenv, msel
            event = fusa.FeenvStateEvent(feenv_state=feenv, msel_mode=msel)
            self.platform.notify(event, self.feenv_id)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Fault:
        """Return the fault; raises NOT_FOUND if it does not exist for the agent."""
        self.check(call, id, len(self.faults))
        return self.faults[id]

    def require_seenv(self, call: Call) -> None:
        """Raise NOT_SUPPORTED unless the caller is an S-EENV."""
        require(call.agent in self.by_agent, Status.NOT_SUPPORTED)

    def only(self, key: str, *keys: str) -> None:
        """Raise UsageError for a key that is none of ``keys``."""
        if key not in keys:
            raise values.unknown("key", key, keys)


BEHAVIOUR = Fusa
