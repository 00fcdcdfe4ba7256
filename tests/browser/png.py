"""Reads and writes PNG files of 8-bit RGB or RGBA, without other packages: enough to look at screenshots."""
import struct
import zlib


class Picture:
    """Rows of bytes, `channels` of them a pixel."""

    def __init__(self, width, height, channels, rows):
        self.width, self.height, self.channels, self.rows = width, height, channels, rows

    def pixel(self, x, y):
        at = x * self.channels
        return tuple(self.rows[y][at:at + 3])

    def crop(self, x, y, width, height):
        c = self.channels
        return Picture(width, height, c, [row[x * c:(x + width) * c] for row in self.rows[y:y + height]])


def _unfilter(kind, line, before, bpp):
    if kind == 0:
        return line
    if kind == 1:
        for i in range(bpp, len(line)):
            line[i] = (line[i] + line[i - bpp]) & 255
    elif kind == 2:
        for i, above in enumerate(before):
            line[i] = (line[i] + above) & 255
    else:
        for i, above in enumerate(before):
            left = line[i - bpp] if i >= bpp else 0
            if kind == 3:
                line[i] = (line[i] + (left + above) // 2) & 255
                continue
            corner = before[i - bpp] if i >= bpp else 0
            p = left + above - corner
            a, b, c = abs(p - left), abs(p - above), abs(p - corner)
            line[i] = (line[i] + (left if a <= b and a <= c else above if b <= c else corner)) & 255
    return line


def read(data):
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG file")
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", body)
            if depth != 8 or color not in (2, 6) or interlace:
                raise ValueError("not 8-bit RGB or RGBA")
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    bpp, raw = (3 if color == 2 else 4), zlib.decompress(packed)
    size, rows, before = width * bpp, [], bytearray(width * bpp)
    for y in range(height):
        start = y * (size + 1)
        before = _unfilter(raw[start], bytearray(raw[start + 1:start + 1 + size]), before, bpp)
        rows.append(before)
    return Picture(width, height, bpp, rows)


def write(picture):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    raw = b"".join(b"\0" + bytes(row) for row in picture.rows)
    head = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2 if picture.channels == 3 else 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
