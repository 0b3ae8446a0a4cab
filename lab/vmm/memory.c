// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "die.h"
#include "layout.h"
#include "memory.h"

unsigned char *ram;
unsigned long refused;
uint64_t refused_at;
int refused_by;

static sigjmp_buf back;
static volatile sig_atomic_t guarded;

/* The kernel's word for a page that the hypervisor keeps from this process. */
static void on_fault(int number)
{
	if (guarded)
		siglongjmp(back, number);
	die("fault outside of the guest's memory");
}

void memory_init(void)
{
	struct sigaction act = { .sa_handler = on_fault };

	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED || sigaction(SIGSEGV, &act, NULL) || sigaction(SIGBUS, &act, NULL))
		die("memory");
}

void memory_load(const char *path, uint64_t addr)
{
	size_t at = addr - RAM_BASE;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		die(path);
	while ((n = read(fd, ram + at, RAM_SIZE - at)) > 0)
		at += n;
	if (n < 0)
		die(path);
	close(fd);
}

/*
 * Copy, unless a fault stops it; return the signal, or 0. System calls are given buffers
 * of our own only: for a private page, the kernel would take it away from the guest.
 */
static int copy(void *to, const void *from, size_t len)
{
	int number = sigsetjmp(back, 1);

	if (!number) {
		guarded = 1;
		memcpy(to, from, len);
	}
	guarded = 0;

	return number;
}

static bool in_ram(uint64_t addr, size_t len)
{
	return addr >= RAM_BASE && len <= RAM_SIZE && addr - RAM_BASE <= RAM_SIZE - len;
}

/* An access that ended with this signal, or is good; -1: it is to no RAM. */
static bool counted(int number, uint64_t addr)
{
	if (number) {
		refused++;
		refused_at = addr;
		refused_by = number;
	}

	return !number;
}

bool memory_get(uint64_t addr, void *to, size_t len)
{
	return counted(in_ram(addr, len) ? copy(to, ram + (addr - RAM_BASE), len) : -1, addr);
}

bool memory_put(uint64_t addr, const void *from, size_t len)
{
	return counted(in_ram(addr, len) ? copy(ram + (addr - RAM_BASE), from, len) : -1, addr);
}

bool memory_open(uint64_t addr)
{
	unsigned char byte;

	return in_ram(addr, 1) && !copy(&byte, ram + (addr - RAM_BASE), 1);
}
