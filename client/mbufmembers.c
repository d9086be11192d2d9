/* SPDX-License-Identifier: BSD-2-Clause */
#include "mbufmembers.h"

#include <string.h>

void mbufmembers_note(struct mbufmembers *m, const char *name, uint64_t offset)
{
	for (size_t i = 0; i < MBUFLAYOUT_FIELDS; i++) {
		if (strcmp(mbuflayout_names[i], name) || m->seen & 1u << i || offset > MBUFLAYOUT_MOST)
			continue;
		m->seen |= 1u << i;
		*mbuflayout_member(&m->layout, i) = (uint16_t)offset;
	}
}

bool mbufmembers_complete(const struct mbufmembers *m)
{
	return m->seen == (1u << MBUFLAYOUT_FIELDS) - 1;
}
