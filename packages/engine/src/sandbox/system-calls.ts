/**
 * What an engine whose adapter is known never does again, as a classic BPF program for seccomp: numbers from the kernel's tables
 * (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). A list of what is denied rather than of what is
 * allowed: drivers come in many makes, and one that is killed for a harmless call is a GPU that does not work.
 */
export interface SystemCalls {
  /** AUDIT_ARCH of the processor. */
  readonly architecture: number;
  /** Calls that fail with EPERM. */
  readonly denied: Readonly<Record<string, number>>;
  readonly socket: number;
  /** Allowed for threads, denied for processes. */
  readonly clone: number;
  /** Its flags lie in memory where no filter sees them: ENOSYS has the C library use `clone`. */
  readonly clone3: number;
}

/** Numbers that all processors share: those of 2019 and later. */
const shared = {
  pidfd_send_signal: 424,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  pidfd_getfd: 438,
  process_madvise: 440,
  mount_setattr: 442,
} as const;

const x64: SystemCalls = {
  architecture: 0xc000003e,
  socket: 41,
  clone: 56,
  clone3: 435,
  denied: {
    ...shared,
    connect: 42,
    fork: 57,
    vfork: 58,
    execve: 59,
    ptrace: 101,
    syslog: 103,
    personality: 135,
    pivot_root: 155,
    adjtimex: 159,
    chroot: 161,
    acct: 163,
    settimeofday: 164,
    mount: 165,
    umount2: 166,
    swapon: 167,
    swapoff: 168,
    reboot: 169,
    sethostname: 170,
    setdomainname: 171,
    iopl: 172,
    ioperm: 173,
    init_module: 175,
    delete_module: 176,
    quotactl: 179,
    clock_settime: 227,
    kexec_load: 246,
    add_key: 248,
    request_key: 249,
    keyctl: 250,
    unshare: 272,
    perf_event_open: 298,
    fanotify_init: 300,
    name_to_handle_at: 303,
    open_by_handle_at: 304,
    clock_adjtime: 305,
    setns: 308,
    process_vm_readv: 310,
    process_vm_writev: 311,
    kcmp: 312,
    finit_module: 313,
    kexec_file_load: 320,
    bpf: 321,
    execveat: 322,
    userfaultfd: 323,
  },
};

const arm64: SystemCalls = {
  architecture: 0xc00000b7,
  socket: 198,
  clone: 220,
  clone3: 435,
  denied: {
    ...shared,
    umount2: 39,
    mount: 40,
    pivot_root: 41,
    chroot: 51,
    quotactl: 60,
    acct: 89,
    personality: 92,
    unshare: 97,
    kexec_load: 104,
    init_module: 105,
    delete_module: 106,
    clock_settime: 112,
    syslog: 116,
    ptrace: 117,
    reboot: 142,
    sethostname: 161,
    setdomainname: 162,
    settimeofday: 170,
    adjtimex: 171,
    connect: 203,
    add_key: 217,
    request_key: 218,
    keyctl: 219,
    execve: 221,
    swapon: 224,
    swapoff: 225,
    perf_event_open: 241,
    fanotify_init: 262,
    name_to_handle_at: 264,
    open_by_handle_at: 265,
    clock_adjtime: 266,
    setns: 268,
    process_vm_readv: 270,
    process_vm_writev: 271,
    kcmp: 272,
    finit_module: 273,
    bpf: 280,
    execveat: 281,
    userfaultfd: 282,
    kexec_file_load: 294,
  },
};

/** Undefined for a processor whose numbers are not listed. */
export function systemCallsOf(processor: string): SystemCalls | undefined {
  if (processor === "x64") return x64;
  return processor === "arm64" ? arm64 : undefined;
}

const LD_W_ABS = 0x20;
const ALU_AND = 0x54;
const JEQ = 0x15;
const JGE = 0x35;
const RET = 0x06;
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const ERRNO = 0x0005_0000;
const EPERM = 1;
const ENOSYS = 38;
/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const AF_UNIX = 1;
const CLONE_THREAD = 0x10000;
/** x86-64's second set of numbers, which would go around the list. */
const X32_NUMBERS = 0x4000_0000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** struct sock_filter[], eight bytes each. */
export function denyFilter(calls: SystemCalls): Uint8Array {
  const program: Instruction[] = [
    [LD_W_ABS, 0, 0, ARCHITECTURE],
    [JEQ, 1, 0, calls.architecture],
    [RET, 0, 0, KILL_PROCESS],
    [LD_W_ABS, 0, 0, NUMBER],
    [JGE, 0, 1, X32_NUMBERS],
    [RET, 0, 0, ERRNO | ENOSYS],
  ];
  for (const number of Object.values(calls.denied)) {
    program.push([JEQ, 0, 1, number], [RET, 0, 0, ERRNO | EPERM]);
  }
  program.push(
    [JEQ, 0, 1, calls.clone3],
    [RET, 0, 0, ERRNO | ENOSYS],
    // Sockets of one kind only.
    [JEQ, 0, 4, calls.socket],
    [LD_W_ABS, 0, 0, FIRST_ARGUMENT],
    [JEQ, 1, 0, AF_UNIX],
    [RET, 0, 0, ERRNO | EPERM],
    [RET, 0, 0, ALLOW],
    [JEQ, 0, 4, calls.clone],
    [LD_W_ABS, 0, 0, FIRST_ARGUMENT],
    [ALU_AND, 0, 0, CLONE_THREAD],
    [JEQ, 0, 1, 0],
    [RET, 0, 0, ERRNO | EPERM],
    [RET, 0, 0, ALLOW],
  );
  const bytes = new Uint8Array(8 * program.length);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, ifTrue, ifFalse, value], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, ifTrue);
    view.setUint8(8 * i + 3, ifFalse);
    view.setUint32(8 * i + 4, value, true);
  });
  return bytes;
}
