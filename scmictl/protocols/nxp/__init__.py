"""The protocols of NXP's System Manager for i.MX95 (reference part B, section 8).

They have the numbers 0x80 to 0x84 on a platform whose base protocol names the vendor NXP and the
sub-vendor IMX; elsewhere these numbers mean something else. Their notifications carry no agent id.
"""

STATUSES = {
    -128: "aborted",
    -129: "a CRC error",
    -130: "missing parameters",
    -131: "a power error",
    -132: "a test error",
    -133: "a sequence error",
    -134: "a timeout",
}
"""What the status codes of NXP's own mean (reference part B, 2.2)."""
