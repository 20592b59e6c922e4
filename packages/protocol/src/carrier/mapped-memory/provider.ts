import { fstatSync } from "node:fs";
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
import { FIXED_SIZE_SEALS, type KoffiModule, Libc, letterBytes, type Received } from "./libc.js";
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
  readonly descriptor: number;
  /** It has been sent, or will not be: nobody else can get it from here on. Idempotent. */
  closeDescriptor(): void;
}

export interface SharedMemoryProvider {
  /** @throws when the system refuses; the caller goes on without */
  offer(geometry: QueueGeometry): OfferedMemory;
  /**
   * Sends `bytes` over a Unix socket that nothing waits in, and the memory's descriptor with them.
   * @returns false when nothing was sent: another kind of socket, one that is full
   */
  send(socket: Socket, bytes: Uint8Array, offered: OfferedMemory): boolean;
  /** What has come on a socket that nobody reads from yet, with the descriptor sent along. Never waits. @throws the system's error */
  receive(socket: Socket): Received;
  /**
   * Maps the memory that was sent, after checking that it is of the promised, fixed size. The descriptor stays the caller's.
   * @throws when that can't be done (no memory, not what was promised)
   */
  open(descriptor: number, memory: QueueMemory, geometry: QueueGeometry): QueueMapping;
  /** For what `receive` gave. */
  close(descriptor: number): void;
}

/** A memfd whose descriptor comes with the hello. Kind 1 was one that the engine took out of the offering process. */
const MEMORY_KIND_SENT = 2;
const headerBytes = 4096;
const nonceBytes = 16;

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
        kind: MEMORY_KIND_SENT,
        process: 0,
        descriptor: 0,
        bytes: BigInt(bytes),
        nonce: nonce.toString("hex"),
        header: headerBytes,
      },
      mapping: this.#divide(mapping, geometry),
      descriptor: fd,
      closeDescriptor() {
        if (descriptor === "closed") return;
        descriptor = "closed";
        libc.close(fd);
      },
    };
  }

  send(socket: Socket, bytes: Uint8Array, offered: OfferedMemory): boolean {
    const fd = socketDescriptor(socket);
    if (fd < 0 || socket.writableLength > 0 || bytes.length > letterBytes) return false;
    return this.#libc.sendDescriptor(fd, bytes, offered.descriptor);
  }

  receive(socket: Socket): Received {
    const fd = socketDescriptor(socket);
    return fd < 0 ? "end" : this.#libc.receiveDescriptor(fd);
  }

  close(descriptor: number): void {
    this.#libc.close(descriptor);
  }

  open(descriptor: number, memory: QueueMemory, geometry: QueueGeometry): QueueMapping {
    if (!isRingSize(geometry.toEngine) || !isRingSize(geometry.toClient))
      throw new Error("impossible ring sizes");
    const bytes = headerBytes + geometry.toEngine + geometry.toClient;
    if (memory.kind !== MEMORY_KIND_SENT || memory.header !== headerBytes || memory.bytes !== BigInt(bytes))
      throw new Error("the offered memory does not fit the rings");
    // Only a memfd can have these seals. Asked first: whatever else the descriptor may be is not touched, and can't keep us waiting.
    if ((this.#libc.seals(descriptor) & FIXED_SIZE_SEALS) !== FIXED_SIZE_SEALS)
      throw new Error("the memory's size is not sealed");
    const stat = fstatSync(descriptor);
    // A header of one small page makes the size one that memory of huge pages, whose faults can fail, never has.
    if (!stat.isFile() || stat.size !== bytes)
      throw new Error("what was offered is no memory of the promised size");
    const mapping = new Mapping(this.#libc, this.#reservations, descriptor, bytes);
    if (Buffer.from(mapping.buffer, 0, nonceBytes).toString("hex") !== memory.nonce) {
      mapping.retire();
      throw new Error("the memory that was found is not the one that was offered");
    }
    return this.#divide(mapping, geometry);
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
