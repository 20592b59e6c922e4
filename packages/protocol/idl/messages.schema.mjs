/**
 * Every control message, described once. A field is `name: [type, doc, max?]`; types are u8 u16 u32 i32 u64, guid
 * (16 bytes, Data1-3 little-endian, canonical lower-case text), hex16 (16 bytes as 32 hex digits), string (UTF-8),
 * bytes, another struct's name, or a list of one of these in brackets. `max` limits bytes (string, bytes) or elements.
 * Fields are only ever appended: an old reader ignores them, an old writer leaves them at their defaults.
 */

const text = 4096;
const blob = 64 * 1024;
const name = 255;

export const structs = {
  ErrorDetail: {
    doc: "The body of every reply whose status is negative.",
    fields: {
      text: ["string", "What failed, where, which limit, what to do.", text],
      privateData: ["bytes", "The driver's own words, e.g. a JSON EngineRefusal.", blob],
    },
  },
  AdapterInfo: {
    doc: "One vGPU as the control node lists it.",
    fields: {
      node: ["string", "Name of its node's socket in the run directory.", name],
      luid: ["u64", "Opaque, valid until the vGPU goes; never stored."],
      instance: ["guid", "The vGPU channel's instance."],
    },
  },
  AllocationInfo: {
    doc: "One allocation that a process asks for.",
    fields: {
      size: ["u64", "Bytes."],
      flags: ["u32", "Reserved, 0."],
      privateData: ["bytes", "Passed to the host as is.", blob],
    },
  },
  QueueRings: {
    doc: "The sizes of a queue's two rings in bytes, powers of two.",
    fields: {
      toEngine: ["u32", "Ring from the application to the engine."],
      toClient: ["u32", "Ring from the engine to the application."],
    },
  },
  QueueMemory: {
    doc: "Where the other end finds the memory that both shall map; kind 0: none is offered.",
    fields: {
      kind: [
        "u32",
        "0 none, 2 a memfd whose descriptor comes with the message (SCM_RIGHTS); 1 was one reached through /proc of the offering process.",
      ],
      process: ["u32", "0; of kind 1 the offering process."],
      descriptor: ["u32", "0; of kind 1 the descriptor in that process."],
      bytes: ["u64", "Size of the memory."],
      nonce: ["hex16", "Written into the memory; proves that both ends map the same."],
      header: ["u32", "Bytes in front of the first ring."],
    },
  },
  SysEntry: {
    doc: "What stands at a path of the device tree.",
    fields: {
      name: ["string", "The path's last part.", name],
      kind: ["u8", "1 directory, 2 file (an attribute), 3 link."],
      mode: ["u32", "Permission bits: who may read or write an attribute."],
      target: ["string", "Of a link: where it points, from the directory that it is in.", text],
    },
  },
};

/** Whose a message is, where the peers have agreed to say it. */
const identity = {
  slice: ["guid", "The slice that is meant; of the global channel, the channel's own instance."],
  generation: ["u64", "The slice's generation that is meant; of the global channel 0."],
};
const connection = { connection: ["guid", "From versionResponse."] };
const sliceMemory = {
  limit: ["u64", "Bytes that the slice may have in use."],
  used: ["u64", "Bytes that it has in use."],
  reserved: ["u64", "Bytes that are its own, whatever others do."],
};
const sysPath = { path: ["string", "Absolute, from /sys.", text] };
const device = { device: ["u32", "Device handle."] };
const deviceCreation = {
  request: {
    adapter: ["u32", "Adapter handle."],
    flags: ["u32", "Reserved, 0."],
    privateData: ["bytes", "UTF-8 JSON DeviceRequest.", blob],
  },
  reply: { device: ["u32", "Device handle."], privateData: ["bytes", "UTF-8 JSON DeviceGrant.", blob] },
};
const contextCreation = {
  request: {
    device: ["u32", "Device handle."],
    nodeOrdinal: ["u32", "Which engine of the adapter; 0."],
    engineAffinity: ["u32", "Bit mask; 1."],
    flags: ["u32", "Bit 4: hardware queues will be created on it."],
    clientHint: ["u32", "Who asks, for the host's log."],
    privateData: ["bytes", "Passed to the host as is.", blob],
  },
  reply: { context: ["u32", "Context handle."] },
};
const context = { context: ["u32", "Context handle."] };
const queue = { queue: ["u32", "Hardware queue handle."] };
const queueSubmission = {
  request: { ...queue, flags: ["u32", "Reserved, 0."] },
  reply: {
    fenceValue: [
      "u64",
      "The progress fence has this value, or a later one, when what had been published at the request is done.",
    ],
  },
};
const syncObject = { syncObject: ["u32", "Monitored fence handle."] };
const allocationCreation = {
  request: {
    device: ["u32", "Device handle."],
    resource: ["u32", "Reserved, 0."],
    flags: ["u32", "Reserved, 0."],
    allocations: ["[AllocationInfo]", "At least one.", 1024],
  },
  reply: { resource: ["u32", "Reserved, 0."], allocations: ["[u32]", "Allocation handles, in order.", 1024] },
};
const allocationDestruction = {
  device: ["u32", "Device handle."],
  resource: ["u32", "Reserved, 0."],
  allocations: ["[u32]", "Allocation handles.", 1024],
  flags: ["u32", "Reserved, 0."],
};
const syncCreation = {
  request: {
    device: ["u32", "Device handle."],
    kind: ["u32", "5: monitored fence, the only kind."],
    flags: ["u32", "Reserved, 0."],
    initialValue: ["u64", "Fence value at creation."],
  },
  reply: syncObject,
};
const cpuSignal = {
  device: ["u32", "Device handle."],
  objects: ["[u32]", "Monitored fences.", 32],
  fenceValues: ["[u64]", "One value for each object.", 32],
  flags: ["u32", "Bit 0: as soon as one wait is satisfied (waits only)."],
};
const cpuWait = {
  ...cpuSignal,
  timeoutMs: ["u32", "The reply is -EAGAIN when this passes first; 0: the receiver's own limit."],
};
const adapterQuery = {
  request: {
    adapter: ["u32", "Adapter handle."],
    infoType: [
      "u32",
      "0x1000: JSON AdapterDescription; 0x1001: JSON SliceDescription; other numbers as KMTQUERYADAPTERINFOTYPE.",
    ],
    privateData: ["bytes", "Input of the query.", blob],
  },
  reply: { privateData: ["bytes", "Answer of the query.", 120 * 1024] },
};
const memoryQuery = {
  request: {
    adapter: ["u32", "Adapter handle."],
    group: ["u32", "0 local, 1 non-local."],
  },
  reply: {
    budget: ["u64", "Bytes that may be used."],
    usage: ["u64", "Bytes in use by this process."],
    reservation: ["u64", "Bytes reserved."],
    available: ["u64", "Bytes that can be reserved."],
  },
};
const stateQuery = {
  request: { device: ["u32", "Device handle."], stateType: ["u32", "1: execution state."] },
  reply: {
    executionState: ["u32", "1 active, 2 reset, 3 hung, 4 stopped, 5 out of memory."],
    reason: ["string", "GPUDeviceLostInfo's reason when not active.", name],
    text: ["string", "GPUDeviceLostInfo's message when not active.", text],
  },
};
const featureQuery = {
  request: { adapter: ["u32", "Adapter handle."], feature: ["u32", "Feature number."] },
  reply: { version: ["u16", "0 when not known."], value: ["u16", "Bit 0: enabled. Bit 1: known."] },
};
const queueCreation = {
  request: {
    context: ["u32", "Context handle."],
    flags: ["u32", "Reserved, 0."],
    privateData: ["bytes", "Passed to the host as is.", blob],
  },
  reply: {
    queue: ["u32", "Hardware queue handle."],
    progressFence: ["u32", "Monitored fence that counts completed submits; owned by the queue."],
    endpoint: ["string", "Unix socket: a name in the run directory, or an absolute path.", text],
    token: ["hex16", "Presented in QUEUE_HELLO; good for one connection."],
    serial: [
      "u32",
      "Names the queue to the engine when its objects are used on another device of the same process; passed through.",
    ],
  },
};

/**
 * Message spaces. An entry is `name: [number, doc, request, reply | null]`; null: one-way. `prefix` goes in front of
 * the generated struct names.
 */
export const spaces = {
  node: {
    file: "node",
    object: "nodeMessage",
    constant: "NodeMessage",
    prefix: "Node",
    doc: "What every node socket speaks beside the driver's requests.",
    messages: {
      hello: [
        0x100,
        "First message on every node.",
        {
          features: ["u64", "Feature bits of the application."],
          process: ["u32", "Its process id, for logs only."],
          name: ["string", "Its name, for logs only.", name],
        },
        { features: ["u64", "Feature bits of the node."], node: ["string", "The node's name.", name] },
      ],
      event: [
        0x101,
        "From the node to the application.",
        {
          kind: ["u32", "1 the node is gone, 2 a device is lost."],
          object: ["u32", "The lost device's handle."],
          reason: ["string", "Stable word: GPUDeviceLostInfo's reason, or why the node went.", name],
          text: ["string", "For people.", text],
        },
        null,
      ],
      adaptersChanged: [
        0x102,
        "From the control node to the application: a vGPU appeared or went; enumAdapters3 says what there is.",
        {},
        null,
      ],
      memoryChanged: [0x103, "From a vGPU's node to the application.", sliceMemory, null],
    },
  },
  ioctl: {
    file: "dxg",
    object: "ioctl",
    constant: "Ioctl",
    prefix: "",
    doc: "The dxg driver's requests; the numbers are those of its ioctls.",
    messages: {
      openAdapterFromLuid: [
        0x01,
        "Opens the node's adapter.",
        { luid: ["u64", "As listed by enumAdapters3."] },
        { adapter: ["u32", "Adapter handle of this open file."] },
      ],
      createDevice: [
        0x02,
        "Creates a device; a refusal's detail is a JSON EngineRefusal.",
        deviceCreation.request,
        deviceCreation.reply,
      ],
      createContextVirtual: [
        0x04,
        "Creates a context on a device.",
        contextCreation.request,
        contextCreation.reply,
      ],
      destroyContext: [0x05, "Destroys a context and its queues.", context, {}],
      createAllocation: [
        0x06,
        "Accounts memory to a device.",
        allocationCreation.request,
        allocationCreation.reply,
      ],
      queryAdapterInfo: [0x09, "Asks what the adapter is.", adapterQuery.request, adapterQuery.reply],
      queryVideoMemoryInfo: [
        0x0a,
        "Asks what memory the adapter gives.",
        memoryQuery.request,
        memoryQuery.reply,
      ],
      getDeviceState: [0x0e, "Asks whether a device still works.", stateQuery.request, stateQuery.reply],
      createSynchronizationObject: [
        0x10,
        "Creates a monitored fence.",
        syncCreation.request,
        syncCreation.reply,
      ],
      destroyAllocation2: [0x13, "Gives accounted memory back.", allocationDestruction, {}],
      closeAdapter: [
        0x15,
        "Closes an adapter handle and what was created through it.",
        { adapter: ["u32", "Adapter handle."] },
        {},
      ],
      createHwQueue: [
        0x18,
        "Creates a hardware queue on a context.",
        queueCreation.request,
        { ...queueCreation.reply, ...identity },
      ],
      destroyDevice: [0x19, "Destroys a device and everything on it.", device, {}],
      destroyHwQueue: [0x1b, "Destroys a hardware queue.", queue, {}],
      destroySynchronizationObject: [0x1d, "Destroys a monitored fence.", syncObject, {}],
      signalSynchronizationObjectFromCpu: [0x31, "Sets fences.", cpuSignal, {}],
      submitCommandToHwQueue: [
        0x34,
        "A hardware queue's doorbell on the control path: the engine looks at the queue's ring now, and says what to wait for.",
        queueSubmission.request,
        queueSubmission.reply,
      ],
      waitForSynchronizationObjectFromCpu: [
        0x3a,
        "Replies when the fences have reached the values.",
        cpuWait,
        {},
      ],
      enumAdapters3: [
        0x3e,
        "On the control node: which vGPUs there are.",
        { filter: ["u64", "Reserved, 0."] },
        { adapters: ["[AdapterInfo]", "In the order of their numbers.", 1024] },
      ],
      isFeatureEnabled: [0x49, "Asks for one feature by number.", featureQuery.request, featureQuery.reply],
    },
  },
  queue: {
    file: "queue",
    object: "queueMessage",
    constant: "QueueMessage",
    prefix: "Queue",
    doc: "How a queue's socket begins; what follows is the carrier's own.",
    messages: {
      hello: [
        0x200,
        "From the application, as first message on a queue's socket.",
        {
          token: ["hex16", "From createHwQueue."],
          features: ["u64", "Feature bits of the client's carrier."],
          memory: ["QueueMemory", "Memory that the client offers for sharing."],
          geometry: ["QueueRings", "The ring sizes that the client would like; 0: the default."],
          ...identity,
        },
        {
          features: ["u64", "The feature bits that both have and use from here on."],
          memory: ["QueueMemory", "Memory in use; kind 0: the queue goes on as a stream."],
          geometry: ["QueueRings", "The ring sizes in force."],
        },
      ],
      connect: [
        0x201,
        "First message on a guest kernel's connection that carries one queue to a remote host; the queue's bytes follow.",
        {
          token: ["hex16", "From createHwQueue."],
          credential: ["string", "The guest's.", name],
          ...identity,
        },
        null,
      ],
    },
  },
  sys: {
    file: "sys",
    object: "sysMessage",
    constant: "SysMessage",
    prefix: "Sys",
    doc: "The device tree of a host or a guest, on its socket `sys`. Whoever may open the socket may write.",
    messages: {
      hello: [
        0x300,
        "First message.",
        {
          features: ["u64", "Feature bits of the asker."],
          process: ["u32", "Its process id, for logs only."],
          name: ["string", "Its name, for logs only.", name],
        },
        { features: ["u64", "Feature bits of the server."], name: ["string", "Whose tree it is.", name] },
      ],
      list: [
        0x301,
        "What is in a directory, by names, a page at a time.",
        { ...sysPath, after: ["string", "`last` of the page before; empty: the first page.", name] },
        {
          entries: ["[SysEntry]", "A page; what went meanwhile is missing.", 128],
          last: ["string", "The last name of the page.", name],
          more: ["u8", "1: there are more."],
        },
      ],
      stat: [
        0x302,
        "What stands at a path; a link at its end is not followed.",
        sysPath,
        { entry: ["SysEntry", "It."] },
      ],
      read: [0x303, "An attribute's value.", sysPath, { value: ["string", "As it is shown.", text] }],
      write: [
        0x304,
        "Stores an attribute's value; done when the reply comes.",
        { ...sysPath, value: ["string", "By convention ended by a newline.", text] },
        {},
      ],
      monitor: [
        0x305,
        "From here on uevents come, until the connection ends. Once on a connection.",
        { subsystem: ["string", "Only of this one; empty: all.", name] },
        {},
      ],
      uevent: [
        0x306,
        "Something happened to an object of the tree.",
        {
          keys: ["[string]", "KEY=value, in the kernel's order: ACTION, DEVPATH, SUBSYSTEM, …, SEQNUM.", 64],
        },
        null,
      ],
      lost: [
        0x307,
        "The reader was too slow: so many uevents are missing here.",
        { count: ["u32", "At least 1."] },
        null,
      ],
    },
  },
  vmbus: {
    file: "vmbus",
    object: "vmbusMessage",
    constant: "VmbusMessage",
    prefix: "Vmbus",
    doc: "VMBus's own messages (relid 0), by their CHANNELMSG numbers.",
    messages: {
      offerChannel: [
        1,
        "Host: a channel can be opened.",
        {
          relid: ["u32", "Number of the channel on this connection, not 0; reused only after relidReleased."],
          interfaceType: ["guid", "What the channel speaks."],
          interfaceInstance: ["guid", "Which one; survives a re-offer."],
          flags: ["u16", "Bit 0: enumerate the interface."],
          mmioMegabytes: ["u16", "I/O space, 0: none."],
          subChannelIndex: ["u16", "0: the primary channel."],
          connectionId: ["u32", "Reserved, 0."],
          userData: ["bytes", "Of the interface.", 120],
          ...identity,
        },
        null,
      ],
      rescind: [
        2,
        "Host: the channel is gone.",
        { relid: ["u32", "Number of the channel."], reason: ["string", "For people.", text], ...identity },
        null,
      ],
      requestOffers: [3, "Guest: send me the offers.", connection, null],
      allOffersDelivered: [4, "Host: the offers that there are have been sent; more may come.", {}, null],
      openChannel: [
        5,
        "Guest: I use this channel now.",
        {
          relid: ["u32", "Number of the channel."],
          openId: ["u32", "Echoed in the result."],
          userData: ["bytes", "Of the interface.", 120],
          ...identity,
        },
        null,
      ],
      openChannelResult: [
        6,
        "Host: whether it was opened.",
        {
          relid: ["u32", "Number of the channel."],
          openId: ["u32", "From openChannel."],
          status: ["u32", "NTSTATUS."],
          ...identity,
        },
        null,
      ],
      closeChannel: [
        7,
        "Guest: I no longer use this channel.",
        { relid: ["u32", "Number of the channel."], ...identity },
        null,
      ],
      relidReleased: [
        13,
        "Guest: nothing refers to this number any more.",
        { relid: ["u32", "Number of the channel."], ...identity },
        null,
      ],
      initiateContact: [
        14,
        "Guest: who I am and what I can do.",
        {
          features: ["u64", "Feature bits of the guest."],
          credential: ["string", "Secret given to the guest at its creation.", name],
          name: ["string", "For logs.", name],
        },
        null,
      ],
      versionResponse: [
        15,
        "Host: whether it talks to this guest.",
        {
          supported: ["u8", "1: yes."],
          features: ["u64", "Feature bits of the host."],
          text: ["string", "Why not.", text],
          code: ["string", "Why not, for programs: guest-unknown, guest-connected, host-stopping, …", name],
          connection: ["guid", "Names this connection, and no other."],
        },
        null,
      ],
      unload: [16, "Guest: I am about to go.", connection, null],
      unloadResponse: [17, "Host: nothing more will be sent.", {}, null],
      heartbeat: [
        0x100,
        "Either: are you there? The other end echoes it, with `answer` set.",
        { number: ["u64", "Echoed."], answer: ["u8", "1: this is the echo."] },
        null,
      ],
    },
  },
  vmCommand: {
    file: "host-command",
    object: "vmCommand",
    constant: "VmCommand",
    prefix: "Vm",
    doc: "dxg commands on the global channel, guest to host; the header's process is 0 or the one meant.",
    messages: {
      createProcess: [
        1000,
        "A process opened a vGPU's node.",
        { processId: ["u32", "For the host's log."], name: ["string", "For the host's log.", name] },
        { process: ["u32", "Handle, goes into the header of everything that this process asks for."] },
      ],
      destroyProcess: [1001, "The process of the header closed its node: everything it had goes.", {}, {}],
    },
  },
  vgpuCommand: {
    file: "host-command",
    object: "vgpuCommand",
    constant: "VgpuCommand",
    prefix: "Vgpu",
    doc: "dxg commands on a vGPU's channel, guest to host. The adapter is the channel's; handles are the host's.",
    messages: {
      createDevice: [
        0,
        "A refusal's detail is a JSON EngineRefusal.",
        deviceCreation.request,
        deviceCreation.reply,
      ],
      destroyDevice: [1, "The device and everything on it.", device, {}],
      queryAdapterInfo: [2, "As the ioctl.", adapterQuery.request, adapterQuery.reply],
      createAllocation: [4, "As the ioctl.", allocationCreation.request, allocationCreation.reply],
      destroyAllocation: [5, "As destroyAllocation2.", allocationDestruction, {}],
      createContextVirtual: [6, "As the ioctl.", contextCreation.request, contextCreation.reply],
      destroyContext: [7, "The context and its queues.", context, {}],
      createSyncObject: [8, "As createSynchronizationObject.", syncCreation.request, syncCreation.reply],
      openAdapter: [
        14,
        "The guest's driver begins to use the vGPU.",
        { features: ["u64", "Feature bits of the guest's driver."] },
        { adapter: ["u32", "Host's handle of the adapter."], features: ["u64", "Feature bits of the host."] },
      ],
      closeAdapter: [
        15,
        "The guest's driver no longer uses the vGPU.",
        { adapter: ["u32", "From openAdapter."] },
        {},
      ],
      queryVideoMemoryInfo: [21, "As the ioctl.", memoryQuery.request, memoryQuery.reply],
      waitForSyncFromCpu: [22, "Completes when the fences have reached the values.", cpuWait, {}],
      signalSyncObject: [26, "Sets fences.", cpuSignal, {}],
      getDeviceState: [28, "As the ioctl.", stateQuery.request, stateQuery.reply],
      getInternalAdapterInfo: [
        36,
        "What the guest must know of the vGPU before anyone opens it.",
        {},
        {
          description: ["string", "For people.", text],
          wgslLanguageFeatures: [
            "[string]",
            "What applications read synchronously; empty when not known yet.",
            256,
          ],
        },
      ],
      createHwQueue: [
        50,
        "As the ioctl.",
        queueCreation.request,
        {
          ...queueCreation.reply,
          reach: [
            "u32",
            "0: the endpoint is a Unix socket that the application can connect to; 1: through the guest kernel.",
          ],
          ...identity,
        },
      ],
      destroyHwQueue: [51, "As the ioctl.", queue, {}],
      submitCommandToHwQueue: [52, "As the ioctl.", queueSubmission.request, queueSubmission.reply],
      isFeatureEnabled: [68, "As the ioctl.", featureQuery.request, featureQuery.reply],
      destroySyncObject: [
        259,
        "As destroySynchronizationObject; ours, because the fence is the device's.",
        syncObject,
        {},
      ],
    },
  },
  guestCommand: {
    file: "host-command",
    object: "guestCommand",
    constant: "GuestCommand",
    prefix: "Guest",
    doc: "dxg messages on a vGPU's channel, host to guest, not completed; the header's process is the owner.",
    messages: {
      deviceLost: [
        256,
        "The device works no more.",
        {
          device: ["u32", "Device handle."],
          reason: ["string", "GPUDeviceLostInfo's reason.", name],
          text: ["string", "GPUDeviceLostInfo's message.", text],
        },
        null,
      ],
      adapterInfoChanged: [257, "What getInternalAdapterInfo answers has changed.", {}, null],
      memoryChanged: [258, "What the slice may have, and has, of its adapter's memory.", sliceMemory, null],
    },
  },
  pciCommand: {
    file: "pci-command",
    object: "pciCommand",
    constant: "PciCommand",
    prefix: "Pci",
    doc: "Requests on a PCI pass-through channel, guest to host: one function, its configuration space.",
    messages: {
      queryFunction: [
        1,
        "Which function the channel stands for.",
        {},
        {
          slot: ["u32", "Device number << 3 | function number."],
          configBytes: ["u32", "Size of the configuration space: 256 or 4096."],
        },
      ],
      configRead: [
        2,
        "Reads a register.",
        { offset: ["u32", "Bytes from the start."], length: ["u32", "Bytes, 1 to 64."] },
        { data: ["bytes", "Exactly `length` bytes.", 64] },
      ],
      configWrite: [
        3,
        "Writes a register; it may do something.",
        { offset: ["u32", "Bytes from the start."], data: ["bytes", "1 to 64 bytes.", 64] },
        {},
      ],
    },
  },
};
