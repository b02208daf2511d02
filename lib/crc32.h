/* CRC-32 as zlib computes it (polynomial 0x04c11db7 reflected, all ones before and after). */
#ifndef LIB_CRC32_H
#define LIB_CRC32_H

#include <lib/types.h>

/* Continues CRC (0 to begin) over LEN bytes. Any context. */
u32 crc32(u32 crc, const void *data, size_t len);

#endif
