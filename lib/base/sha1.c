#include "base/sha1.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 64, WORDS = 5, ROUNDS = 80, LENGTH_AT = 56 };

static uint32_t rotated(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void expand(const unsigned char *p, uint32_t w[ROUNDS])
{
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int i = 16; i < ROUNDS; i++)
        w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
}

static void add_block(uint32_t h[WORDS], const unsigned char *block)
{
    static const uint32_t k[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[ROUNDS], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    expand(block, w);
    for (int i = 0; i < ROUNDS; i++) {
        int part = i / 20;
        uint32_t f = part == 0 ? (b & c) | (~b & d) : part == 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
        uint32_t t = rotated(a, 5) + f + e + k[part] + w[i];
        e = d;
        d = c;
        c = rotated(b, 30);
        b = a;
        a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* The rest of the data, one bit, zeros and the length in bits: one block, or two. */
static void add_tail(uint32_t h[WORDS], const unsigned char *rest, size_t n, uint64_t len)
{
    unsigned char tail[2 * BLOCK] = {0};
    size_t blocks = n < LENGTH_AT ? 1 : 2;
    if (n)
        memcpy(tail, rest, n);
    tail[n] = 0x80;
    for (int i = 0; i < 8; i++)
        tail[blocks * BLOCK - 1 - (size_t)i] = (unsigned char)(len * 8 >> 8 * i);
    for (size_t i = 0; i < blocks; i++)
        add_block(h, tail + i * BLOCK);
}

void sha1_hex(const void *data, size_t len, char ret[SHA1_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t h[WORDS] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const unsigned char *p = data;
    size_t left = len;
    for (; left >= BLOCK; left -= BLOCK, p += BLOCK)
        add_block(h, p);
    add_tail(h, p, left, len);
    for (int i = 0; i < SHA1_HEX; i++)
        ret[i] = digits[h[i / 8] >> (28 - i % 8 * 4) & 15];
    ret[SHA1_HEX] = '\0';
}
