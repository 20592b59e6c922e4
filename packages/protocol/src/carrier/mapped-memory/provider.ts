import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import type { QueueMemory } from "../../messages/generated/structs.js";
import {
  CONTROL_BYTES,
  checkGeometry,
  isRingSize,
  type QueueGeometry,
  type RingMemory,
} from "../ring-layout.js";
import { socketDescriptor } from "../socket-io.js";
import { FIXED_SIZE_SEALS, type KoffiModule, Libc } from "./libc.js";
import { Mapping, Reservations } from "./mapping.js";

/** A queue's memory, mapped: `header` bytes (the nonce, then each ring's control words), the ring to the engine, the ring to the client. */
export interface QueueMapping {
  readonly libc: Libc;
  readonly toEngine: RingMemory;
  readonly toClient: RingMemory;
  /** Ends access to the shared memory. Idempotent. */
  retire(): void;
}

/** Memory that this end made and offers. */
export interface OfferedMemory {
  /** As it goes into QUEUE_HELLO. */
  readonly memory: QueueMemory;
  readonly mapping: QueueMapping;
  /** The other end has, or will not, open it: nobody else can from here on. Idempotent. */
  closeDescriptor(): void;
}

export interface SharedMemoryProvider {
  /** @throws when the system refuses; the caller goes on without */
  offer(geometry: QueueGeometry): OfferedMemory;
  /**
   * Maps what the process at the other end of `socket` (a Unix socket) offers, after checking that it is of the promised, fixed size.
   * @throws when that can't be done (other pid namespace, other user, a proxy in between, not what was promised)
   */
  open(socket: Socket, memory: QueueMemory, geometry: QueueGeometry): QueueMapping;
}

const MEMORY_KIND_MEMFD = 1;
const headerBytes = 4096;
const nonceBytes = 16;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

class KoffiSharedMemory implements SharedMemoryProvider {
  readonly #libc: Libc;
  readonly #reservations: Reservations;
  readonly #fillRandom: (bytes: Uint8Array) => void;

  constructor(libc: Libc, fillRandom: (bytes: Uint8Array) => void) {
    this.#libc = libc;
    this.#fillRandom = fillRandom;
    this.#reservations = new Reservations(libc);
  }

  offer(geometry: QueueGeometry): OfferedMemory {
    checkGeometry(geometry);
    const bytes = headerBytes + geometry.toEngine + geometry.toClient;
    const fd = this.#libc.createMemory("parhelion-queue", bytes);
    let mapping: Mapping;
    try {
      mapping = new Mapping(this.#libc, this.#reservations, fd, bytes);
    } catch (error) {
      this.#libc.close(fd);
      throw error;
    }
    const libc = this.#libc;
    const nonce = Buffer.from(mapping.buffer, 0, nonceBytes);
    this.#fillRandom(nonce);
    let descriptor: "open" | "closed" = "open";
    return {
      memory: {
        kind: MEMORY_KIND_MEMFD,
        process: process.pid,
        descriptor: fd,
        bytes: BigInt(bytes),
        nonce: nonce.toString("hex"),
        header: headerBytes,
      },
      mapping: this.#divide(mapping, geometry),
      closeDescriptor() {
        if (descriptor === "closed") return;
        descriptor = "closed";
        libc.close(fd);
      },
    };
  }

  open(socket: Socket, memory: QueueMemory, geometry: QueueGeometry): QueueMapping {
    if (!isRingSize(geometry.toEngine) || !isRingSize(geometry.toClient))
      throw new Error("impossible ring sizes");
    const bytes = headerBytes + geometry.toEngine + geometry.toClient;
    if (memory.kind !== MEMORY_KIND_MEMFD || memory.header !== headerBytes || memory.bytes !== BigInt(bytes))
      throw new Error("the offered memory does not fit the rings");
    const socketFd = socketDescriptor(socket);
    if (socketFd < 0) throw new Error("the socket has no descriptor");
    const { pid } = this.#libc.peerCredentials(socketFd);
    if (pid <= 0) throw new Error("the other end lives in another pid namespace");
    const fd = this.#openMemory(`/proc/${pid}/fd/${memory.descriptor}`, bytes);
    try {
      const mapping = new Mapping(this.#libc, this.#reservations, fd, bytes);
      if (Buffer.from(mapping.buffer, 0, nonceBytes).toString("hex") !== memory.nonce) {
        mapping.retire();
        throw new Error("the memory that was found is not the one that was offered");
      }
      return this.#divide(mapping, geometry);
    } finally {
      closeSync(fd);
    }
  }

  /** Opens nothing but sealed memory: first without any effect, to look at what it is, then that same file for use. */
  #openMemory(path: string, bytes: number): number {
    const handle = openSync(path, O_PATH | O_CLOEXEC);
    try {
      const stat = fstatSync(handle);
      // A header of one small page makes the size one that memory of huge pages, whose faults can fail, never has.
      if (!stat.isFile() || stat.size !== bytes)
        throw new Error("what was offered is no memory of the promised size");
      const fd = openSync(`/proc/self/fd/${handle}`, constants.O_RDWR | constants.O_NONBLOCK | O_CLOEXEC);
      try {
        // Only a memfd can have these seals.
        if ((this.#libc.seals(fd) & FIXED_SIZE_SEALS) !== FIXED_SIZE_SEALS)
          throw new Error("the memory's size is not sealed");
        if (fstatSync(fd).size !== bytes) throw new Error("the memory's size changed");
        return fd;
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    } finally {
      closeSync(handle);
    }
  }

  #divide(mapping: Mapping, geometry: QueueGeometry): QueueMapping {
    const ring = (index: number, offset: number, capacity: number): RingMemory => ({
      control: new Int32Array(mapping.buffer, CONTROL_BYTES * (1 + index), CONTROL_BYTES / 4),
      buffer: mapping.buffer,
      offset,
      capacity,
    });
    return {
      libc: this.#libc,
      toEngine: ring(0, headerBytes, geometry.toEngine),
      toClient: ring(1, headerBytes + geometry.toEngine, geometry.toClient),
      retire: () => mapping.retire(),
    };
  }
}

/**
 * Shared memory for queues; make one per process and pass it to every queue.
 * @param koffi the imported module `koffi` (version 3), or its default export
 * @param fillRandom for nonces; default: the platform's generator
 * @returns undefined where this can't work: another system, another processor, a koffi that does not load
 */
export function openSharedMemory(
  koffi: KoffiModule,
  fillRandom: (bytes: Uint8Array) => void = (bytes) => void crypto.getRandomValues(bytes),
): SharedMemoryProvider | undefined {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) return undefined;
  try {
    return new KoffiSharedMemory(new Libc(koffi), fillRandom);
  } catch {
    return undefined;
  }
}
