# SPDX-License-Identifier: GPL-2.0-only
"""What a boot needs: kernels, QEMU, the guest's user space."""
