#!/usr/bin/env python3
"""Writes the inputs that make-images.sh gives to dasdload: sequential card files, and a partitioned dataset as a TSO XMIT file.

Usage: make-inputs.py DIRECTORY
An XMIT file is a row of 80-byte cards; in them, segments of at most 255 bytes hold control records (INMR01 ... INMR06) and the
records that IEBCOPY makes of a partitioned dataset: two headers, directory blocks, members' blocks.
"""
import pathlib
import struct
import sys

target = pathlib.Path(sys.argv[1])
ebcdic = lambda text: text.encode("cp037")
card = lambda text: ebcdic(text.ljust(80))


def unit(key, *values):
    return struct.pack(">HH", key, len(values)) + b"".join(struct.pack(">H", len(v)) + v for v in values)


def segments(record, control):
    out = b""
    parts = [record[at : at + 253] for at in range(0, len(record), 253)]
    for index, part in enumerate(parts):
        flags = (0x80 if index == 0 else 0) | (0x40 if index == len(parts) - 1 else 0) | (0x20 if control else 0)
        out += bytes([len(part) + 2, flags]) + part
    return out


def xmit(name, members, lrecl, blksize):
    half = lambda value: struct.pack(">H", value)
    control = lambda letters, *units, before=b"": segments(ebcdic(letters) + before + b"".join(units), True)
    out = control("INMR01", unit(0x42, half(80)))
    out += control(
        "INMR02",
        unit(0x1028, ebcdic("IEBCOPY")),
        unit(0x3C, half(0x0200)),
        unit(0x49, half(0x9000)),
        unit(0x42, half(lrecl)),
        unit(0x30, half(blksize)),
        unit(0x0C, struct.pack(">I", 2)),
        unit(0x02, *[ebcdic(part) for part in name.split(".")]),
        before=struct.pack(">I", 1),
    )
    out += control("INMR03", unit(0x3C, half(0x4000)), unit(0x42, half(0)), unit(0x49, half(0x4802)))
    heads = 15
    copyr1 = struct.pack(">B3sHHHBBBBH", 0, b"\xca\x6d\x0f", 0x0200, blksize, lrecl, 0x90, 0, 0, 0, blksize + 20)
    copyr1 += struct.pack(">IIHHHHBBH", 0x3050200F, 56664, 1113, heads, 58786, 0, 0, 0, 0)
    copyr1 += struct.pack(">H", 2) + bytes(18)
    out += segments(copyr1, False)
    # One extent: cylinder 1, all of its tracks.
    extent = struct.pack(">4sHHHHHH", b"", 0, 1, 0, 1, heads - 1, heads)
    out += segments(bytes([1]) + bytes(15) + extent + bytes(15 * 16) + bytes(4), False)
    block = lambda head, record, key, data: (
        bytes(4) + struct.pack(">HHBBH", 1, head, record, len(key), len(data)) + key + data
    )
    entries, blocks, record = b"", b"", 3
    for member, lines in sorted(members.items()):
        alias_of = lines if isinstance(lines, str) else None
        if alias_of is None:
            places = members.setdefault("", {})
            record += 1
            places[member] = record
            data = b"".join(lines)
            for at in range(0, len(data), blksize):
                blocks += block(0, record, b"", data[at : at + blksize])
                record += 1
            blocks += block(0, record, b"", b"")
    places = members.pop("", {})
    for member, lines in sorted(members.items()):
        alias = isinstance(lines, str)
        where = places[lines if alias else member]
        entries += ebcdic(member.ljust(8)) + struct.pack(">HB", 0, where) + bytes([0x80 if alias else 0])
    entries += b"\xff" * 8 + bytes(4)
    directory = struct.pack(">H", 2 + len(entries)) + entries
    out += segments(block(0, 1, b"\xff" * 8, directory.ljust(256, b"\0")), False)
    out += segments(bytes(12), False)
    at = 0
    while at < len(blocks):
        length = 12 + struct.unpack(">H", blocks[at + 10 : at + 12])[0]
        out += segments(blocks[at : at + length], False)
        at += length
    out += control("INMR06")
    return out + bytes(-len(out) % 80)


members = {
    "HELLO": [card("//HELLO    JOB (ACCT),'PARHELION',CLASS=A"), card("//STEP1    EXEC PGM=IEFBR14"), card("//")],
    "LONG": [card(f"LINE {number:05d} OF A MEMBER OF SEVERAL BLOCKS") for number in range(200)],
    "MIXED": [card("lower and UPPER case, 0123456789, @#$ %&*()-+=:;<>,./?'\"!")],
    "TWIN": "HELLO",
}
target.mkdir(parents=True, exist_ok=True)
(target / "lib.xmit").write_bytes(xmit("PARHEL.TEST.LIB", dict(members), 80, 3120))
(target / "cards.ebc").write_bytes(b"".join(card(f"CARD {number:04d} " + "*" * (number % 50)) for number in range(300)))
(target / "wide.ebc").write_bytes(b"".join(ebcdic(f"RECORD {number:06d}".ljust(133, ".")) for number in range(900)))
