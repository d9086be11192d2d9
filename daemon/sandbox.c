/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include <asm/ioctls.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "daemon/sandbox.h"

/* Numbers that older headers lack, x86-64. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define DENY        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

#define REFUSE(name) IS(SYS_##name, 0, 1), DENY
/* With any of these flags in the argument. */
#define REFUSE_FLAGS(name, arg, flags) \
	IS(SYS_##name, 0, 4), LOAD(args[arg]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1), DENY, ALLOW

#define WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

static struct sock_filter calls[] = {
	LOAD(nr),
	/* other processes of the user, the daemon among them */
	REFUSE(kill), REFUSE(tkill), REFUSE(tgkill), REFUSE(rt_sigqueueinfo), REFUSE(rt_tgsigqueueinfo),
	REFUSE(pidfd_open), REFUSE(pidfd_send_signal), REFUSE(pidfd_getfd), REFUSE(ptrace), REFUSE(process_vm_readv),
	REFUSE(process_vm_writev), REFUSE(setpriority), REFUSE(ioprio_set), REFUSE(sched_setaffinity),
	REFUSE(sched_setattr), REFUSE(sched_setparam), REFUSE(sched_setscheduler), REFUSE(migrate_pages),
	REFUSE(move_pages), REFUSE(execve), REFUSE(execveat),
	/* signals by way of a descriptor */
	IS(SYS_fcntl, 0, 6), LOAD(args[1]), IS(F_SETOWN, 2, 0), IS(F_SETOWN_EX, 1, 0), IS(F_SETSIG, 0, 1), DENY, ALLOW,
	IS(SYS_ioctl, 0, 5), LOAD(args[1]), IS(FIOSETOWN, 1, 0), IS(SIOCSPGRP, 0, 1), DENY, ALLOW,
	/* files of the user, the daemon's state among them; a mapping is written without a further call */
	REFUSE_FLAGS(open, 1, WRITING), REFUSE_FLAGS(openat, 2, WRITING), REFUSE(openat2), REFUSE(creat),
	REFUSE(open_by_handle_at), REFUSE(io_uring_setup), REFUSE(truncate), REFUSE(ftruncate), REFUSE(fallocate),
	REFUSE(chmod), REFUSE(fchmod), REFUSE(fchmodat), REFUSE(fchmodat2), REFUSE(chown), REFUSE(fchown),
	REFUSE(lchown), REFUSE(fchownat), REFUSE(rename), REFUSE(renameat), REFUSE(renameat2), REFUSE(link),
	REFUSE(linkat), REFUSE(symlink), REFUSE(symlinkat), REFUSE(unlink), REFUSE(unlinkat), REFUSE(mkdir),
	REFUSE(mkdirat), REFUSE(rmdir), REFUSE(mknod), REFUSE(mknodat), REFUSE(setxattr), REFUSE(lsetxattr),
	REFUSE(fsetxattr),
	/* setrlimit() is prlimit64() of process 0 */
	IS(SYS_prlimit64, 0, 3), LOAD(args[0]), IS(0, 1, 0), DENY,
	ALLOW,
};

int sandbox_enter(void)
{
	const struct sock_fprog program = { .len = sizeof(calls) / sizeof(*calls), .filter = calls };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? -errno : 0;
}
