# SPDX-License-Identifier: GPL-2.0
"""The differences that are allowed between two runs of `differential`, one per HSM.

Each rule has the name of an entry of Documentation/differences.md. It is given a step
at which the results of the HSMs differ. It returns None if the entry does not explain
all of the difference. Otherwise it returns ALIKE if the HSMs are in the same state
after the step, or APART if they are not, in which case the rest of the sequence cannot
be compared.
"""

from dataclasses import dataclass, field, replace
from errno import EBUSY, EEXIST, EFAULT, EINVAL, ENOENT, ENOTTY, EPERM

ALIKE = "alike"
APART = "apart"

PAGE = 0x1000
HUGE_PAGE = 2 << 20
PHYSICAL_END = 1 << 40
RAM, MMIO = 0, 1
READ, RIGHTS, TYPES = 0x1, 0x7, 0x7c0
POLLING = 4
PIO, DATAMATCH, DEASSIGN, ASYNCIO = 1, 2, 4, 8
NO_PLACE = ("hole", "read_only", "nowhere", "kernel")
HC_PAUSE, HC_DESTROY = 0x13, 0x11
HC_INJECT_MSI, HC_IRQLINE, HC_NOTIFY, HC_MEMORY = 0x23, 0x25, 0x31, 0x42
# Size of the memory of a sequence's User VM, and the port to which the VM writes 1, in
# two bytes
GUEST_SIZE = 0x10000
GUEST_BELL = 0x1000


@dataclass(frozen=True)
class Call:
    """A call of a sequence. Arguments are numbers, but addresses are names of places."""

    file: int
    kind: str
    arg: str = "ok"
    args: dict = field(default_factory=dict)
    text: str = ""

    def __getattr__(self, name):
        try:
            return self.__dict__["args"][name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Hypercall:
    """A hypercall of a step; `args` is a digest."""

    id: int
    vmid: int
    result: int
    args: str


@dataclass(frozen=True)
class Result:
    """The result of a call: errno, value, request that waits for an answer, hypercalls."""

    errno: int
    value: str
    request: str
    hypercalls: tuple
    text: str

    def ids(self):
        """The ids of the hypercalls."""
        return [hypercall.id for hypercall in self.hypercalls]


class File:
    """State of a descriptor after the calls so far, the same on both HSMs."""

    def __init__(self):
        self.vm = self.client = self.started = self.paused = False
        self.polling = self.was_reset = False
        self.unattended = False  # the VM ran without a client at some time
        self.segments = []
        self.doorbells = []
        self.unlike_doorbells = False

    def overlaps(self, start, size):
        """Whether any of the range is mapped."""
        return any(start < last and first < start + size for first, last in self.segments)

    def cut(self, start, size):
        """Note that nothing of the range is mapped any more."""
        pieces = [piece for first, last in self.segments
                  for piece in ((first, min(last, start)), (max(first, start + size), last))]
        self.segments = [(first, last) for first, last in pieces if first < last]


class History:
    """State of both descriptors and of the eventfds after the calls so far."""

    def __init__(self):
        self.files = [File(), File()]
        self.eventfds = [0, 0, 0, 0]  # how often each was opened again
        self.counting = set()  # those that had an irqfd at some time

    def eventfd(self, number):
        """Identity of an eventfd: its number and how often that was opened again."""
        return number, self.eventfds[number] if number < 4 else 0

    def note(self, call, errno):
        """Note a call that left both HSMs in the same state; `errno` is ours."""
        if call.kind == "REOPEN":
            self.eventfds[call.fd] += 1
        if errno:
            return
        file = self.files[call.file]
        if call.kind in NOTES:
            NOTES[call.kind](self, file, call)
        file.unattended |= file.started and not file.client


def note_create(_history, file, call):
    """The file has a VM."""
    file.__init__()
    file.vm = True
    file.polling = bool(call.flag & POLLING)


def note_memseg(_history, file, call):
    """A segment is mapped, and replaces what was mapped there."""
    file.cut(call.gpa, call.len)
    file.segments.append((call.gpa, call.gpa + call.len))


def note_unset(_history, file, call):
    """Nothing is mapped there any more."""
    file.cut(call.gpa, call.len)


def doorbell(history, call):
    """Identity of a doorbell; its data counts only with DATAMATCH."""
    data = call.data if call.flags & DATAMATCH else None
    return (history.eventfd(call.fd), call.flags & PIO, call.addr, call.len, data)


def note_ioeventfd(history, file, call):
    """A doorbell was assigned or deassigned; in-tree another one of its eventfd may have been."""
    bell = doorbell(history, call)
    if not call.flags & DEASSIGN:
        file.doorbells.append(bell)
        return
    if bell in file.doorbells:
        file.doorbells.remove(bell)
    if any(other[0] == bell[0] for other in file.doorbells):
        file.unlike_doorbells = True


def note_irqfd(history, _file, call):
    """The eventfd has an irqfd; the in-tree HSM does not consume its count."""
    if not call.flags & 1:
        history.counting.add(history.eventfd(call.fd))


def note_reset(_history, file, _call):
    """The VM was reset; in-tree a vCPU that was polling will poll on when it is started."""
    file.paused = False
    file.was_reset = True


def note_attribute(name, value):
    """A function that notes a call by setting an attribute of the file."""
    return lambda _history, file, _call: setattr(file, name, value)


NOTES = {
    "CREATE_VM": note_create,
    "DESTROY_VM": lambda _history, file, _call: file.__init__(),
    "SET_MEMSEG": note_memseg,
    "UNSET_MEMSEG": note_unset,
    "CREATE_IOREQ_CLIENT": note_attribute("client", True),
    "DESTROY_IOREQ_CLIENT": note_attribute("client", False),
    "START_VM": note_attribute("started", True),
    "PAUSE_VM": note_attribute("paused", True),
    "RESET_VM": note_reset,
    "IOEVENTFD": note_ioeventfd,
    "IRQFD": note_irqfd,
}


@dataclass(frozen=True)
class Step:
    """A call with its results on both HSMs and the state before it."""

    call: Call
    ours: Result
    theirs: Result
    history: History

    @property
    def file(self):
        """The descriptor of the call."""
        return self.history.files[self.call.file]

    def errnos(self, ours, *theirs):
        """Whether our errno is `ours` and the in-tree HSM's one of `theirs`, or any without them."""
        return self.ours.errno == ours and (not theirs or self.theirs.errno in theirs)

    def both(self):
        """Whether the errnos are the same, so that something else differs."""
        return self.ours.errno == self.theirs.errno

    def outcome(self):
        """For a call that our HSM refuses: APART if the in-tree HSM did it, else ALIKE."""
        return ALIKE if self.theirs.errno else APART


RULES = {}


def rule(name, *kinds):
    """Register a rule for calls of some kinds, or of any."""
    def register(function):
        def applies(step):
            return function(step) if not kinds or step.call.kind in kinds else None
        RULES[name] = applies
        return function
    return register


@rule("ioctl-unknown", "UNKNOWN")
def _ioctl_unknown(step):
    if not step.file.vm and step.errnos(ENOTTY, EINVAL):
        return ALIKE
    return None


@rule("create-errno", "CREATE_VM")
def _create_errno(step):
    if step.call.slots in NO_PLACE and step.errnos(EFAULT, EINVAL):
        return ALIKE
    # The hypervisor refused: a CPU of the Service VM, or the name of an existing VM
    return ALIKE if step.errnos(EPERM, EINVAL) else None


@rule("ioreq-page-aligned", "CREATE_VM")
def _ioreq_page_aligned(step):
    if step.call.slots == "slots_odd" and step.errnos(EINVAL):
        return step.outcome()
    return None


@rule("destroy-running", "DESTROY_VM", "CREATE_VM", "END")
def _destroy_running(step):
    """Ours pauses a VM before it destroys it; in-tree the hypervisor refuses to destroy it."""
    ours = [call for call in step.ours.hypercalls if call.id != HC_PAUSE]
    theirs = [replace(call, result=0) if call.id == HC_DESTROY else call
              for call in step.theirs.hypercalls]
    if (step.both() and ours == theirs and HC_PAUSE in step.ours.ids()
            and step.ours.ids().count(HC_PAUSE) == step.theirs.ids().count(HC_DESTROY)):
        return ALIKE
    return None


@rule("send-paused")
def _send_paused(step):
    """While paused, ours makes no hypercalls that could wake a vCPU; in-tree one may go on."""
    if not any(file.paused for file in step.history.files):
        return None
    rest = tuple(call for call in step.theirs.hypercalls
                 if call.id not in (HC_NOTIFY, HC_INJECT_MSI, HC_IRQLINE))
    if step.ours.errno not in (0, step.theirs.errno) or step.ours.hypercalls != rest:
        return None
    return APART if HC_NOTIFY in step.theirs.ids() else ALIKE


@rule("reset", "START_VM")
def _reset(step):
    return APART if step.file.polling and step.file.was_reset and step.both() else None


@rule("vcpu-regs", "SET_VCPU_REGS")
def _vcpu_regs(step):
    if step.call.vcpu and step.errnos(EINVAL, EINVAL, EPERM) and not step.ours.hypercalls:
        return ALIKE
    return None


def is_page_range(start, size):
    """Whether our HSM accepts the range."""
    return (size and not (start | size) % PAGE and start < PHYSICAL_END
            and size <= PHYSICAL_END - start)


def is_sane_segment(call):
    """Whether our HSM accepts the arguments that do not depend on its state."""
    if (call.attr & ~(RIGHTS | TYPES) or not call.attr & READ
            or not is_page_range(call.gpa, call.len)):
        return False
    if call.type == RAM:
        return call.args["from"] != "ram_odd"
    return call.type == MMIO and is_page_range(call.args["from"], call.len)


@rule("memseg-arguments", "SET_MEMSEG")
def _memseg_arguments(step):
    if not is_sane_segment(step.call) and step.errnos(EINVAL):
        return step.outcome()
    return None


@rule("unset-arguments", "UNSET_MEMSEG")
def _unset_arguments(step):
    """In-tree a range that is empty or wraps is accepted and has no effect."""
    call = step.call
    if is_page_range(call.gpa, call.len) or not step.errnos(EINVAL) or step.ours.hypercalls:
        return None
    return ALIKE if not call.len or call.gpa + call.len >= 1 << 64 else step.outcome()


def only_remaps(step):
    """Whether our additional hypercalls are all for memory and have succeeded."""
    extra = list(step.ours.hypercalls)
    for call in step.theirs.hypercalls:
        if call not in extra:
            return False
        extra.remove(call)
    return all(call.id == HC_MEMORY and not call.result for call in extra)


@rule("memseg-replace", "SET_MEMSEG")
def _memseg_replace(step):
    """If it succeeds in the guest's memory, the guest has other memory than in-tree."""
    call = step.call
    if not step.both() or not step.file.overlaps(call.gpa, call.len) or not only_remaps(step):
        return None
    return APART if not step.ours.errno and call.gpa < GUEST_SIZE else ALIKE


@rule("memseg-huge", "SET_MEMSEG")
def _memseg_huge(step):
    call = step.call
    if (call.type != RAM or call.args["from"] != "huge_pages"
            or not call.len % HUGE_PAGE or not step.errnos(0, 0, EINVAL)):
        return None
    return APART


@rule("mmio-is-ram", "SET_MEMSEG", "ASSIGN_MMIODEV", "DEASSIGN_MMIODEV")
def _mmio_is_ram(step):
    if (step.call.args["from"] in (16 << 20, 0, -PAGE % (1 << 64))
            and step.errnos(EPERM, 0, EINVAL) and not step.ours.hypercalls):
        return APART if step.call.kind == "SET_MEMSEG" else ALIKE
    return None


@rule("unset-ram", "UNSET_MEMSEG")
def _unset_ram(step):
    return APART if step.call.type == RAM and step.errnos(0, EINVAL) else None


@rule("unset-hole", "UNSET_MEMSEG")
def _unset_hole(step):
    """The in-tree HSM passes the range on, and the hypervisor refuses holes."""
    if step.call.type != MMIO or not step.errnos(0, EINVAL) and not step.errnos(EINVAL, EINVAL):
        return None
    if step.ours.errno and step.ours.hypercalls or step.theirs.ids() != [HC_MEMORY]:
        return None
    return ALIKE if step.ours.errno else APART


@rule("notify", "NOTIFY_REQUEST_FINISH")
def _notify(step):
    if not step.errnos(EINVAL, 0):
        return None
    # A notification for a vCPU that does not wait affects its next request.
    return APART if step.file.started or HC_NOTIFY in step.theirs.ids() else ALIKE


@rule("client-requests", "DESTROY_IOREQ_CLIENT")
def _client_requests(step):
    return APART if step.file.started and step.both() else None


@rule("clear", "CLEAR_VM_IOREQ")
def _clear(step):
    return APART if step.file.started and step.both() else None


def cannot_ring(call):
    """Whether no write can ring the doorbell."""
    if call.flags & PIO and (call.len == 8 or call.addr + call.len > 0x10000):
        return True
    return bool(call.flags & DATAMATCH and call.len < 8 and call.data >> 8 * call.len)


@rule("ioeventfd-flags", "IOEVENTFD")
def _ioeventfd_flags(step):
    if step.call.flags & ~(PIO | DATAMATCH | DEASSIGN | ASYNCIO) and step.errnos(EINVAL):
        return step.outcome()
    return None


@rule("ioeventfd-never", "IOEVENTFD")
def _ioeventfd_never(step):
    if not step.call.flags & DEASSIGN and cannot_ring(step.call) and step.errnos(EINVAL):
        return step.outcome()
    return None


@rule("ioeventfd-conflict", "IOEVENTFD")
def _ioeventfd_conflict(step):
    if step.call.flags & DEASSIGN:
        return None
    bell = doorbell(step.history, step.call)
    same_place = [other for other in step.file.doorbells if other[1:3] == bell[1:3]]
    if any(other[3] == bell[3] for other in same_place) and step.errnos(EEXIST, 0):
        return APART
    if any(other[0] == bell[0] for other in same_place) and step.errnos(0, EEXIST):
        return APART
    return None


@rule("ioeventfd-deassign", "IOEVENTFD")
def _ioeventfd_deassign(step):
    if not step.call.flags & DEASSIGN:
        return APART if step.file.unlike_doorbells else None
    if not step.errnos(ENOENT, 0) and not step.errnos(EINVAL):
        return None
    bell = doorbell(step.history, step.call)
    return APART if any(other[0] == bell[0] for other in step.file.doorbells) else ALIKE


@rule("irqfd-flags", "IRQFD")
def _irqfd_flags(step):
    if step.call.flags & ~1 and step.errnos(EINVAL):
        return step.outcome()
    return None


@rule("irqfd-msi", "IRQFD")
def _irqfd_msi(step):
    wrong = step.call.address >> 20 != 0xfee or step.call.data & 0xff < 16 or (
        step.call.data & 0x700)
    if wrong and not step.call.flags and step.errnos(EINVAL, 0, EBUSY):
        return step.outcome()
    return None


@rule("irqfd-deassign", "IRQFD")
def _irqfd_deassign(step):
    return ALIKE if step.call.flags == 1 and step.errnos(ENOENT, 0) else None


@rule("irqfd-count", "READ", "IRQFD")
def _irqfd_count(step):
    """In-tree, events that were injected can still be read, and are injected again."""
    if not step.both() or step.history.eventfd(step.call.fd) not in step.history.counting:
        return None
    extra = step.theirs.ids()[len(step.ours.ids()):]
    return ALIKE if all(id == HC_INJECT_MSI for id in extra) else None


@rule("inject-window", "INJECT_MSI")
def _inject_window(step):
    if (step.call.address >> 20 != 0xfee and step.errnos(EINVAL, EPERM, 0)
            and not step.ours.hypercalls):
        return ALIKE
    return None


@rule("monitor-aligned", "VM_INTR_MONITOR")
def _monitor_aligned(step):
    return ALIKE if step.call.page == "monitor_odd" and step.errnos(EINVAL, 0) else None


@rule("pm-unknown", "PM_GET_CPU_STATE")
def _pm_unknown(step):
    return ALIKE if step.call.type > 3 and step.errnos(EINVAL, 0) else None


@rule("pm-other-vm", "PM_GET_CPU_STATE")
def _pm_other_vm(step):
    return ALIKE if step.call.vmid and step.call.type <= 3 else None


@rule("no-client")
def _no_client(step):
    """Applies to later steps too, as with completion polling the step itself may not differ."""
    guest = step.history.files[0]
    starts = step.call.kind == "START_VM" and step.call.file == 0
    if guest.unattended or (starts and not guest.client):
        return APART if step.both() or step.call.kind == "ANSWER" else None
    return None


def bells_of_guest(step):
    """The doorbells at the port to which the User VM writes."""
    return [bell for bell in step.history.files[0].doorbells if bell[1:3] == (PIO, GUEST_BELL)]


@rule("ioeventfd-length")
def _ioeventfd_length(step):
    if step.both() and step.history.files[0].started and any(
            bell[3] > 2 for bell in bells_of_guest(step)):
        return APART
    return None


@rule("ioeventfd-nomatch")
def _ioeventfd_nomatch(step):
    if step.both() and step.history.files[0].started and any(
            bell[4] not in (None, 1) for bell in bells_of_guest(step)):
        return APART
    return None
