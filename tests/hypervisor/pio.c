// SPDX-License-Identifier: GPL-2.0
/*
 * Port accesses of User VMs. All become I/O requests but those that vdev.c
 * emulates. Everything runs in the vCPU's thread with no lock held.
 */
#include <linux/errno.h>

#include "ioreq.h"
#include "log.h"
#include "mmio.h"
#include "vcpu.h"
#include "x86.h"

/* Returns 0, or -EFAULT with an exception injected, as ioreq_pio() does. */
static int access_port(struct vcpu *vcpu, u16 port, u32 size, bool write,
		       u32 *value)
{
	if (vdev_access_port(vcpu, port, size, write, value))
		return 0;
	return ioreq_pio(vcpu, port, size, write, value);
}

static void simple_access(struct vcpu *vcpu, u64 info)
{
	struct guest_cpu *cpu = &vcpu->cpu;
	u32 size = IOIO_SIZE(info);
	u32 value = cpu->regs[REG_RAX] & (BIT(size * 8) - 1);

	if (info & IOIO_IN) {
		if (access_port(vcpu, IOIO_PORT(info), size, false, &value))
			return;
		guest_write_reg(cpu, REG_RAX, value, size);
	} else {
		if (access_port(vcpu, IOIO_PORT(info), size, true, &value))
			return;
	}
	/*
	 * For IN and OUT, SVM gives the address of the next instruction here.
	 */
	guest_skip(cpu, vcpu->vmcb.exit_info_2 - vcpu->vmcb.rip);
}

/* Move one element from the port to memory. Returns 0 or negative errno. */
static int do_ins(struct vcpu *vcpu, const struct insn *insn, u16 port)
{
	struct guest_cpu *cpu = &vcpu->cpu;
	u64 dst = insn_string_address(cpu, insn, REG_RDI, INSN_ES);
	u32 value = 0;
	int ret;

	/* Reading a port can have effects: fault on the memory before that. */
	ret = guest_write(cpu, dst, NULL, insn->size, guest_access(cpu));
	if (!ret)
		ret = access_port(vcpu, port, insn->size, false, &value);
	if (!ret)
		ret = guest_write(cpu, dst, &value, insn->size,
				  guest_access(cpu));
	if (!ret)
		insn_step_index(cpu, insn, REG_RDI);
	return ret;
}

/* Move one element from memory to the port. Returns 0 or negative errno. */
static int do_outs(struct vcpu *vcpu, const struct insn *insn, u16 port)
{
	struct guest_cpu *cpu = &vcpu->cpu;
	u64 src = insn_string_address(cpu, insn, REG_RSI, insn->segment);
	u32 value = 0;
	int ret;

	ret = guest_read(cpu, src, &value, insn->size, guest_access(cpu));
	if (!ret)
		ret = access_port(vcpu, port, insn->size, true, &value);
	if (!ret)
		insn_step_index(cpu, insn, REG_RSI);
	return ret;
}

/*
 * INS and OUTS: do one element and leave the guest at the instruction until no
 * elements are left. The instruction has to be decoded, because without decode
 * assists SVM reports neither its segment nor its address size.
 */
static void string_access(struct vcpu *vcpu, u64 info)
{
	struct guest_cpu *cpu = &vcpu->cpu;
	u8 code[INSN_MAX_LEN];
	struct insn insn;
	int ret = insn_decode(code, guest_fetch(cpu, code, sizeof(code)),
			      guest_code_bits(cpu), &insn);

	if (!ret && insn_count_is_zero(cpu, &insn))
		goto done;
	if (!ret && insn.op == INSN_INS)
		ret = do_ins(vcpu, &insn, IOIO_PORT(info));
	else if (!ret && insn.op == INSN_OUTS)
		ret = do_outs(vcpu, &insn, IOIO_PORT(info));
	else
		ret = -EINVAL;

	if (ret == -EINVAL || ret == -ENXIO) {
		hv_log_limited(
			"vm %u: no emulation of string I/O at rip 0x%llx",
			vcpu->vm->id, vcpu->vmcb.rip);
		guest_inject(cpu, VECTOR_UD);
		return;
	}
	if (ret || !insn_step_count(cpu, &insn))
		return;
done:
	guest_skip(cpu, insn.len);
}

void pio_exit(struct vcpu *vcpu)
{
	u64 info = vcpu->vmcb.exit_info_1;

	if (info & IOIO_STRING)
		string_access(vcpu, info);
	else
		simple_access(vcpu, info);
}
