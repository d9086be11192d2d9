/* SPDX-License-Identifier: BSD-2-Clause */
/* A 32-bit process with a function take(data, len), which it calls once it can read from standard input. */
	.globl _start, take
	.text
	.type take, @function
take:
	movl 8(%esp), %eax
	ret
	.size take, . - take

_start:
	movl $3, %eax           /* read(0, buffer, 1) */
	xorl %ebx, %ebx
	movl $buffer, %ecx
	movl $1, %edx
	int $0x80
	pushl $1
	pushl $buffer
	call take
	movl $1, %eax           /* exit(0) */
	xorl %ebx, %ebx
	int $0x80

	.bss
buffer:	.skip 64
	.section .note.GNU-stack,"",@progbits
