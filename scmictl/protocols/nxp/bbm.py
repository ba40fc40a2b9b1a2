"""NXP's protocol for the battery backed module (0x81): clock, button, memory (reference B, 8.2)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.nxp import STATUSES
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    Bits,
    Effect,
    Notification,
    Request,
    Response,
    bits,
    flag,
    text,
    u32,
    u64,
    word,
)

ID = 0x81


class Button(IntEnum):
    """Whether the button is pressed."""

    OFF = 0
    ON = 1


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the BBM protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the battery backed module has."""

    num_rtc = bits(23, 16, "real-time clocks")
    num_gpr = bits(15, 0, "words of persistent storage")


class ProtocolAttributesResponse(Response):
    """How many clocks and words of storage there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 8.2, 0x1",
):
    """Ask how many real-time clocks and words of storage there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the BBM protocol."""


class GprSetResponse(Response):
    """The word is stored."""


class GprSet(
    Request[GprSetResponse],
    protocol=ID,
    id=0x3,
    spec="BBM_GPR_SET",
    section="B 8.2, 0x3",
    effect=Effect.WRITE,
):
    """Write a word of persistent storage."""

    index: int = u32()
    value: int = u32()


class GprGetResponse(Response):
    """The word."""

    value: int = u32()


class GprGet(
    Request[GprGetResponse],
    protocol=ID,
    id=0x4,
    spec="BBM_GPR_GET",
    section="B 8.2, 0x4",
):
    """Read a word of persistent storage."""

    index: int = u32()


class RtcAttributesWord(Bits):
    """How a real-time clock counts."""

    sec_width = bits(31, 24, "bits of the seconds counter")
    tick_width = bits(23, 16, "bits of the tick counter")
    ticks = bits(15, 0, "ticks in a second")


class RtcAttributesResponse(Response):
    """A real-time clock's name and how it counts."""

    attributes: RtcAttributesWord = word(RtcAttributesWord)
    name: str = text(16)


class RtcAttributes(
    Request[RtcAttributesResponse],
    protocol=ID,
    id=0x5,
    spec="BBM_RTC_ATTRIBUTES",
    section="B 8.2, 0x5",
):
    """Describe a real-time clock."""

    rtc_id: int = u32()


class TimeFlags(Bits):
    """What the time is counted in."""

    ticks = flag(0, "1 = ticks, 0 = seconds")


class RtcTimeSetResponse(Response):
    """The time is set."""


class RtcTimeSet(
    Request[RtcTimeSetResponse],
    protocol=ID,
    id=0x6,
    spec="BBM_RTC_TIME_SET",
    section="B 8.2, 0x6",
    effect=Effect.WRITE,
):
    """Set a real-time clock."""

    rtc_id: int = u32()
    flags: TimeFlags = word(TimeFlags, default=0)
    time: int = u64("in seconds or ticks")


class RtcTimeGetResponse(Response):
    """The time."""

    time: int = u64("in seconds or ticks")


class RtcTimeGet(
    Request[RtcTimeGetResponse],
    protocol=ID,
    id=0x7,
    spec="BBM_RTC_TIME_GET",
    section="B 8.2, 0x7",
):
    """Read a real-time clock."""

    rtc_id: int = u32()
    flags: TimeFlags = word(TimeFlags, default=0)


class AlarmFlags(Bits):
    """The switch of an alarm."""

    enable = flag(0)


class RtcAlarmSetResponse(Response):
    """The alarm is set."""


class RtcAlarmSet(
    Request[RtcAlarmSetResponse],
    protocol=ID,
    id=0x8,
    spec="BBM_RTC_ALARM_SET",
    section="B 8.2, 0x8",
    effect=Effect.WRITE,
):
    """Set or clear the alarm of a real-time clock."""

    rtc_id: int = u32()
    flags: AlarmFlags = word(AlarmFlags)
    time: int = u64(unit="s")


class ButtonGetResponse(Response):
    """Whether the button is pressed."""

    state: int = u32(enum=Button)


class ButtonGet(
    Request[ButtonGetResponse],
    protocol=ID,
    id=0x9,
    spec="BBM_BUTTON_GET",
    section="B 8.2, 0x9",
):
    """Ask whether the button is pressed."""


class RtcEventFlags(Bits):
    """What happened to which clock."""

    rtc_id = bits(31, 24)
    updated = flag(2)
    rollover = flag(1)
    alarm = flag(0)


class RtcEvent(
    Notification,
    protocol=ID,
    id=0x0,
    spec="BBM_RTC_EVENT",
    section="B 8.2, notification 0x0",
    about="flags.rtc_id",
):
    """The alarm of a real-time clock went off, it rolled over, or somebody set it."""

    flags: RtcEventFlags = word(RtcEventFlags)


class RtcNotifyFlags(Bits):
    """Which events of a real-time clock to send."""

    update = flag(2)
    rollover = flag(1)
    alarm = flag(0)


class RtcNotifyResponse(Response):
    """The setting is stored."""


class RtcNotify(
    Request[RtcNotifyResponse],
    protocol=ID,
    id=0xA,
    spec="BBM_RTC_NOTIFY",
    section="B 8.2, 0xA",
    subscribes=RtcEvent,
    switch="flags",
):
    """Choose which events of a real-time clock are notified."""

    rtc_id: int = u32()
    flags: RtcNotifyFlags = word(RtcNotifyFlags)


class ButtonEventFlags(Bits):
    """What happened to the button."""

    detected = flag(0)


class ButtonEvent(
    Notification, protocol=ID, id=0x1, spec="BBM_BUTTON_EVENT", section="B 8.2, notification 0x1"
):
    """The button has changed."""

    flags: ButtonEventFlags = word(ButtonEventFlags)


class ButtonNotifyFlags(Bits):
    """The switch of the button's notification."""

    enable = bits(0, 0, "1 = send BBM_BUTTON_EVENT, 0 = stop")


class ButtonNotifyResponse(Response):
    """The setting is stored."""


class ButtonNotify(
    Request[ButtonNotifyResponse],
    protocol=ID,
    id=0xB,
    spec="BBM_BUTTON_NOTIFY",
    section="B 8.2, 0xB",
    subscribes=ButtonEvent,
    switch="flags",
):
    """Switch the notification of the button on or off."""

    flags: ButtonNotifyFlags = word(ButtonNotifyFlags)


class RtcStateWord(Bits):
    """Whether a real-time clock can be trusted."""

    battery_low = flag(1)
    reset = flag(0, "the time was lost; setting it clears this")


class RtcStateResponse(Response):
    """Whether the time can be trusted."""

    state: RtcStateWord = word(RtcStateWord)


class RtcState(
    Request[RtcStateResponse],
    protocol=ID,
    id=0xC,
    spec="BBM_RTC_STATE",
    section="B 8.2, 0xC",
):
    """Ask whether the time of a real-time clock can be trusted."""

    rtc_id: int = u32()


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x10000):
    """Ask the platform to speak another version of the BBM protocol to this agent."""


PROTOCOL = Protocol(
    "nxp-bbm",
    ID,
    title="NXP battery backed module",
    versions=(0x10000,),
    statuses=STATUSES,
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        GprSet,
        GprGet,
        RtcAttributes,
        RtcTimeSet,
        RtcTimeGet,
        RtcAlarmSet,
        ButtonGet,
        RtcNotify,
        ButtonNotify,
        RtcState,
        NegotiateProtocolVersion,
    ),
    notifications=(RtcEvent, ButtonEvent),
    resources=Resources(
        "real-time clock",
        count="attributes.num_rtc",
        describe=RtcAttributes,
        id="rtc_id",
        name="name",
    ),
)
