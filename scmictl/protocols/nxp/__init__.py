"""The protocols of NXP's System Manager for i.MX95 (reference part B, section 8).

They have the numbers 0x80 to 0x84 on a platform whose base protocol names the vendor NXP and the
sub-vendor IMX; elsewhere these numbers mean something else. Their notifications carry no agent id.
"""
