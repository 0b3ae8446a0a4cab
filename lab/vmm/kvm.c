// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "die.h"
#include "kvm.h"
#include "layout.h"
#include "memory.h"

/* The distribution's headers may be older. */
#ifndef KVM_VM_TYPE_ARM_PROTECTED
#define KVM_VM_TYPE_ARM_PROTECTED	(1UL << 31)
#endif

#define SPIS	64

static int vm, vcpu, gic;
static struct kvm_run *run;

static int must(int fd, unsigned long request, const void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(what);

	return ret;
}

static void gic_set(uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)value };

	must(gic, KVM_SET_DEVICE_ATTR, &a, "GIC");
}

static void gic_init(void)
{
	struct kvm_create_device new = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GIC_DIST, redist = GIC_REDIST;
	uint32_t irqs = 32 + SPIS;

	must(vm, KVM_CREATE_DEVICE, &new, "KVM_CREATE_DEVICE");
	gic = new.fd;
	gic_set(KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	gic_set(KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist);
	gic_set(KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs);
	gic_set(KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

static void set_reg(size_t offset, uint64_t value)
{
	struct kvm_one_reg r = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		      offset / sizeof(uint32_t),
		.addr = (uintptr_t)&value,
	};

	must(vcpu, KVM_SET_ONE_REG, &r, "KVM_SET_ONE_REG");
}

void kvm_init(bool protected)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = RAM_BASE, .memory_size = RAM_SIZE,
		.userspace_addr = (uintptr_t)ram,
	};
	struct kvm_vcpu_init init;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		die("/dev/kvm");
	vm = must(kvm, KVM_CREATE_VM, (void *)(protected ? KVM_VM_TYPE_ARM_PROTECTED : 0),
		  "KVM_CREATE_VM");
	must(vm, KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");

	vcpu = must(vm, KVM_CREATE_VCPU, NULL, "KVM_CREATE_VCPU");
	must(vm, KVM_ARM_PREFERRED_TARGET, &init, "KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	must(vcpu, KVM_ARM_VCPU_INIT, &init, "KVM_ARM_VCPU_INIT");
	run = mmap(NULL, must(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE"),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		die("KVM's page");
	gic_init();

	/* As Documentation/arch/arm64/booting.rst wants it. */
	set_reg(offsetof(struct kvm_regs, regs.pc), RAM_BASE);
	set_reg(offsetof(struct kvm_regs, regs.regs[0]), DTB_AT);
}

void kvm_irq(unsigned int spi, bool level)
{
	struct kvm_irq_level irq = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (32 + spi), .level = level,
	};

	must(vm, KVM_IRQ_LINE, &irq, "KVM_IRQ_LINE");
}

void kvm_wake(void)
{
	if (run)
		run->immediate_exit = 1;
}

void kvm_run(uint64_t (*mmio)(uint64_t addr, unsigned int len, bool write, uint64_t value),
	     void (*wake)(void))
{
	uint64_t value;

	for (;;) {
		if (ioctl(vcpu, KVM_RUN, NULL) < 0) {
			if (errno != EINTR && errno != EAGAIN)
				die("KVM_RUN");
			run->immediate_exit = 0;
			wake();
			continue;
		}
		switch (run->exit_reason) {
		case KVM_EXIT_MMIO:
			value = 0;
			memcpy(&value, run->mmio.data, run->mmio.len);
			value = mmio(run->mmio.phys_addr, run->mmio.len, run->mmio.is_write, value);
			if (!run->mmio.is_write)
				memcpy(run->mmio.data, &value, run->mmio.len);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			return;
		default:
			errno = run->exit_reason;
			die("KVM_RUN's exit");
		}
	}
}
