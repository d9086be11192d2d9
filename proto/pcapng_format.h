/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of draft-ietf-opsawg-pcapng, for those who make blocks or take them apart byte by byte. */
#ifndef PCAPNG_FORMAT_H
#define PCAPNG_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "limit.h"

/* Block types. */
#define BLOCK_SECTION    0x0a0d0d0au
#define BLOCK_INTERFACE  1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET     6u
#define BLOCK_END        0x80004e43u /* struct pcapng_end: the number, and the time as in others */

/* Bytes of a block around its body, and of the body before its options. */
#define BLOCK_FRAME      12 /* type, length, length again */
#define SECTION_FIXED    16
#define INTERFACE_FIXED  8
#define PACKET_FIXED     20
#define STATISTICS_FIXED 12
#define END_FIXED        16

/* Longest block that the reader takes. */
#define BLOCK_MAX (LIMIT_SNAPLEN + 262144)

#define SECTION_MAGIC 0x1a2b3c4du
#define SECTION_MAJOR 1
#define SECTION_MINOR 0

/* Options. */
#define OPT_END          0
#define OPT_COMMENT      1
#define SHB_USERAPPL     4
#define IF_NAME          2
#define IF_DESCRIPTION   3
#define IF_TSRESOL       9
#define IF_FILTER        11
#define ISB_IFRECV       4
#define ISB_IFDROP       5
#define ISB_FILTERACCEPT 6
#define ISB_USRDELIV     8

#define OPTION_HEADER    4
#define OPTION_VALUE_MAX UINT16_MAX
#define FILTER_IS_TEXT   0 /* first byte of if_filter */
#define NANOSECONDS      9 /* if_tsresol: 10^-9 s */

/* Blocks, option values and packet data are padded to 32 bits. */
static inline size_t pcapng_padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

#endif
