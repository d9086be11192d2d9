/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that is linked with a library of DPDK. */
int receive(void *packets, unsigned short count);

int main(void)
{
	return receive(0, 0);
}
