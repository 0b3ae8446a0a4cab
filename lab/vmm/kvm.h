/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine of one CPU. */
#ifndef KVM_H
#define KVM_H

#include <stdbool.h>
#include <stdint.h>

void kvm_init(bool protected);

/* The level of a shared interrupt. */
void kvm_irq(unsigned int spi, bool level);

/*
 * Run until the guest switches itself off. @mmio is called for an access to what is
 * not RAM, @wake where the run was interrupted by kvm_wake().
 */
void kvm_run(uint64_t (*mmio)(uint64_t addr, unsigned int len, bool write, uint64_t value),
	     void (*wake)(void));

/* May be called by a signal's handler. */
void kvm_wake(void);

#endif
