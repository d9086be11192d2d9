/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of a library. */
int receive(void *packets, unsigned short count);

int receive(void *packets, unsigned short count)
{
	return packets && count;
}
