# SPDX-License-Identifier: GPL-2.0
#
# make			modules for the running kernel (KDIR=... for another), library,
#			device model
# make run		demonstration in VMs: KVER=6.1|6.12 HSM=ours|in-tree
# make test		all tests; T=name for one, KERNEL=debug for the debug kernel
# make test-list	their names
# make check		static analysis
# make modules_install	install the modules for the running kernel
# make clean

B := $(CURDIR)/build
HARNESS := $(CURDIR)/tests/harness

# Kernels for the VMs: those of 6.1 and 6.12 that this Debian packages
KVERS = $(shell $(HARNESS)/kernels.sh)
KVER ?= $(firstword $(KVERS))
HSM ?= ours
KERNEL ?= base
export KVER HSM KERNEL

.PHONY: all modules modules_install tools hypervisor system-tests
.PHONY: run test test-list check clean

all: modules tools

# Kbuild puts objects beside their sources, so it gets a tree of links: each
# kernel can have its own and the checkout stays clean.
KDIR ?= /lib/modules/$(shell uname -r)/build
MODULES_DIR ?= $(B)/modules
MODULE_SOURCES := Kbuild include hsm acrn_vhost ioeventfd irqfd

modules:
	@test -e $(KDIR)/Makefile || { echo "There is no kernel build directory" \
		"$(KDIR): install the kernel's headers or pass KDIR=..." >&2; exit 1; }
	@mkdir -p $(MODULES_DIR)
	@cp -rsfu $(addprefix $(CURDIR)/,$(MODULE_SOURCES)) $(MODULES_DIR)/
	$(MAKE) -C $(KDIR) M=$(MODULES_DIR) $(KBUILD_ARGS) modules

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(MODULES_DIR) modules_install

tools:
	$(MAKE) -C lib O=$(B)/lib
	$(MAKE) -C dm O=$(B)/dm LIB=$(B)/lib

hypervisor:
	$(MAKE) -C tests/hypervisor O=$(B)/hypervisor

# Programs that run in the VMs: static, as the VMs have few libraries
SYSTEM_TESTS := $(patsubst tests/system/%.c,$(B)/tests/service-vm/%,\
	$(wildcard tests/system/*.c))
GUEST_TESTS := $(patsubst tests/guest/%.c,$(B)/tests/user-vm/%,\
	$(wildcard tests/guest/*.c))
TEST_CC = $(CC) -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Iinclude \
	-Itests/include -static -pthread

system-tests: $(SYSTEM_TESTS) $(GUEST_TESTS)

TEST_HEADERS := $(wildcard tests/include/*.h)

$(B)/tests/service-vm/%: tests/system/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_CC) -o $@ $<

$(B)/tests/service-vm/hypervisor: tests/system/hypervisor_guest.S

$(B)/tests/user-vm/%: tests/guest/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_CC) -o $@ $<

run:
	@KVERS=$(KVER) $(HARNESS)/packages.sh build vm
	@$(HARNESS)/run.py

test:
	@KVERS="$(KVERS)" $(HARNESS)/packages.sh build vm
	@$(HARNESS)/test.py --flavour $(KERNEL) --kvers "$(KVERS)" $(T)

test-list:
	@$(HARNESS)/test.py --list --kvers "$(KVERS)"

check:
	@KVERS="$(KVERS)" $(HARNESS)/packages.sh build check
	@KVERS="$(KVERS)" $(HARNESS)/check.sh

clean:
	rm -rf $(B)
