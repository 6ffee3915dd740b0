# SPDX-License-Identifier: GPL-2.0
# Forwards to Kbuild for the modules and to a makefile per folder for the rest.
B := $(CURDIR)/build

KDIR ?= /lib/modules/$(shell uname -r)/build
KRELEASE = $(notdir $(patsubst %/,%,$(KDIR)))
MODULES_DIR ?= $(B)/modules
MODULE_SOURCES := Kbuild include hsm acrn_vhost ioeventfd irqfd

.PHONY: all modules tools hypervisor
all: modules tools

# Objects land beside their sources in Kbuild, so it gets a tree of links: each
# kernel can have its own and the checkout stays clean.
modules:
	@test -e $(KDIR)/Makefile || { echo "No kernel build directory at $(KDIR)." \
		"Install the kernel's headers package or pass KDIR=<directory>." >&2; exit 1; }
	@mkdir -p $(MODULES_DIR)
	@cp -rsfu $(addprefix $(CURDIR)/,$(MODULE_SOURCES)) $(MODULES_DIR)/
	$(MAKE) -C $(KDIR) M=$(MODULES_DIR) $(KBUILD_ARGS) modules

tools:
	$(MAKE) -C lib O=$(B)/lib
	$(MAKE) -C dm O=$(B)/dm

hypervisor:
	$(MAKE) -C tests/hypervisor O=$(B)/hypervisor
