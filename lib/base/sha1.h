/* SHA-1 (FIPS 180-4), for names that Kueue derives with it. Not for security. */
#ifndef SLUICE_BASE_SHA1_H
#define SLUICE_BASE_SHA1_H

#include <stddef.h>

enum { SHA1_HEX = 40 };

/* The digest in lower-case hexadecimal, with a NUL. */
void sha1_hex(const void *data, size_t len, char ret[SHA1_HEX + 1]);

#endif
